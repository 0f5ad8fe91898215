#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains a face model. Stops and resumes at any step; the same seed gives the same draws."""

import argparse
import csv
import math
import os
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

# PyTorch's threads spin while they wait. On a machine with other work that made a step five times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch.nn.functional import binary_cross_entropy_with_logits  # noqa: E402
from unmask_training import augment, data, metrics, net  # noqa: E402
from unmask_training.infer import torch_logits  # noqa: E402

ROOT = Path(__file__).resolve().parent

SAVE_EVERY = 100
LOG_EVERY = 20


def rate_factor(done: float, warmup: float) -> float:
    """One cycle: cosine up from 4 % to the peak, cosine down to nothing. `done` is the share of the steps."""
    if done < warmup:
        return 0.04 + 0.96 * (1 - math.cos(math.pi * done / warmup)) / 2
    return (1 + math.cos(math.pi * (done - warmup) / (1 - warmup))) / 2


def ranges(config: dict) -> augment.Ranges:
    known = {f.name for f in fields(augment.Ranges)}
    unknown = config.keys() - known
    if unknown:
        raise ValueError(f"[augment] has unknown keys {sorted(unknown)}; known are {sorted(known)}")
    return augment.Ranges(**{k: tuple(v) if isinstance(v, list) else v for k, v in config.items()})


class Batches:
    """The batch of any step, from the seed alone: resuming needs no state."""

    def __init__(self, pairs, portraits, config: dict, r: augment.Ranges, seed: int):
        self.pairs, self.portraits, self.config, self.ranges, self.seed = pairs, portraits, config, r, seed
        self.steps_per_epoch = len(pairs) // config["pairs"]

    def size(self, step: int) -> int:
        """Pixels of that step's pictures: some steps are cheaper on small ones."""
        first, last = self.config.get("small_steps", (0, 0))
        return self.config["small_size"] if first <= step < last else data.SIZE

    def batch(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        epoch, place = divmod(step, self.steps_per_epoch)
        n = self.config["pairs"]
        order = np.random.default_rng((self.seed, 0, epoch)).permutation(len(self.pairs))
        rng = np.random.default_rng((self.seed, 1, step))
        images, labels, size = [], [], self.size(step)
        for i in order[place * n : (place + 1) * n]:
            real, fakes = self.pairs[i]
            d = augment.draw(rng, self.ranges)
            for face, label in ((real, 0), (fakes[rng.integers(len(fakes))], 1)):
                images.append(augment.apply(face.pixels(), d, size))
                labels.append(label)
        for i in rng.integers(len(self.portraits), size=self.config["portraits"]):
            images.append(augment.apply(self.portraits[i].pixels(), augment.draw(rng, self.ranges), size))
            labels.append(0)
        return np.stack([data.to_input(i, size) for i in images]), np.array(labels, np.float32)


def start(config: dict, imagenet: Path, batches: Batches, device) -> net.MobileNetV2:
    model = net.MobileNetV2(config["dropout"])
    net.load_folded(model, net.read_folded(imagenet))
    # Steps that training does not reach, so that their draws are not used twice.
    first = np.concatenate([batches.batch(10**6 + i)[0] for i in range(2)])
    net.calibrate_batch_norm(model, torch.from_numpy(first))
    return model.to(device, memory_format=torch.channels_last)


def write_row(file: Path, row: dict) -> None:
    fresh = not file.exists()
    with open(file, "a", newline="") as handle:
        writer = csv.DictWriter(handle, list(row), lineterminator="\n")
        if fresh:
            writer.writeheader()
        writer.writerow(row)


def read_log(file: Path) -> list[dict]:
    if not file.exists():
        return []
    with open(file, newline="") as handle:
        return list(csv.DictReader(handle))


def forget_after(file: Path, step: int) -> None:
    """Drops the rows of steps that a resumed run will do again."""
    rows = [row for row in read_log(file) if int(row["step"]) <= step]
    file.unlink(missing_ok=True)
    for row in rows:
        write_row(file, row)


def summarise(run: Path, file: Path, every: int = 100) -> None:
    """The run's log in short: mean loss of `every` steps, and the validation at each epoch's end."""
    losses = read_log(run / "loss.csv")
    val = {int(row["step"]): row for row in read_log(run / "val.csv")}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    last = int(losses[-1]["step"]) if losses else 0
    for end in sorted({*range(every, last + 1, every), *val}):
        span = [row for row in losses if end - every < int(row["step"]) <= end]
        loss = f"{sum(float(r['loss']) for r in span) / len(span):.4f}" if span and end not in val else ""
        at = val.get(end, {})
        measured = {key: at.get(key, "") for key in ("epoch", "val_auc", "val_tpr_at_fpr_1")}
        rate = span[-1]["rate"] if span else ""
        write_row(file, {"step": end, "loss": loss, "rate": rate, **measured})


def save(file: Path, state: dict) -> None:
    part = file.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, file)


def main() -> int:
    repository = ROOT.parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=ROOT / "configs/face-1.toml")
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("UNMASK_DATA", repository / "../shared/data"))
    )
    parser.add_argument(
        "--imagenet", type=Path, help="ImageNet weights, ONNX; default: third_party_models beside data"
    )
    parser.add_argument("--run", type=Path, help="folder for checkpoints and logs; default: runs/NAME")
    parser.add_argument("--log", type=Path, help="the run in short, CSV; default: logs/NAME.csv")
    parser.add_argument("--steps", type=int, help="overrides the configuration's number of steps")
    parser.add_argument("--stop-at", type=int, help="stop after this step, with a checkpoint (for trials)")
    args = parser.parse_args()

    config = tomllib.loads(args.config.read_text())
    settings = config["train"]
    total = args.steps or settings["steps"]
    run = args.run or ROOT / "runs" / config["name"]
    run.mkdir(parents=True, exist_ok=True)
    imagenet = (
        args.imagenet
        or args.data / "../third_party_models/mobilenetv2-imagenet/mobilenetv2_imagenet_dequant_fp32.onnx"
    )

    cv2.setNumThreads(0)
    torch.set_num_threads(settings["threads"])
    torch.manual_seed(config["seed"])
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    batches = Batches(
        data.pairs(data.dfdc_faces(args.data, "train")),
        data.portraits(args.data, "train"),
        settings,
        ranges(config.get("augment", {})),
        config["seed"],
    )
    val = data.dfdc_faces(args.data, "val")
    labels = np.array([f.fake for f in val])

    model = start(settings, imagenet, batches, device)
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": settings["weight_decay"]},
            {"params": vectors, "weight_decay": 0.0},
        ],
        lr=settings["rate"],
    )
    if "after" in config:
        first = ROOT / "runs" / config["after"] / "final.pt"
        model.load_state_dict(torch.load(first, map_location=device, weights_only=True)["model"])
    checkpoint, step = run / "last.pt", 0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        step = state["step"]
        for log in ("loss.csv", "val.csv"):
            forget_after(run / log, step)
        print(f"resumed at step {step}", flush=True)

    # OpenCV and PyTorch leave the interpreter lock, so one thread prepares the next batch meanwhile.
    ahead = ThreadPoolExecutor(max_workers=1)
    following = ahead.submit(batches.batch, step)
    smoothing, mean_loss, since, began = settings["label_smoothing"], 0.0, 0, time.monotonic()
    while step < total:
        rate = settings["rate"] * rate_factor(step / total, settings["warmup"])
        for group in optimiser.param_groups:
            group["lr"] = rate
        images, truth = following.result()
        following = ahead.submit(batches.batch, step + 1)
        x = torch.from_numpy(images).to(device, memory_format=torch.channels_last)
        y = torch.from_numpy(truth).to(device)
        # Each class has half of the weight, however many portraits there are.
        weight = torch.where(y > 0.5, 0.5 / y.sum(), 0.5 / (1 - y).sum())
        torch.manual_seed(config["seed"] * 1_000_003 + step)
        model.train()
        logits = model(x)[:, 0]
        loss = (
            weight
            * binary_cross_entropy_with_logits(logits, y * (1 - smoothing) + smoothing / 2, reduction="none")
        ).sum()
        if not torch.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss.item()} at step {step}")
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        step += 1
        mean_loss, since = mean_loss + loss.item(), since + 1

        if step % LOG_EVERY == 0:
            seconds = (time.monotonic() - began) / since
            print(
                f"step {step}/{total} loss {mean_loss / since:.4f} rate {rate:.2e} {seconds:.2f} s/step",
                flush=True,
            )
            write_row(
                run / "loss.csv",
                {
                    "step": step,
                    "loss": f"{mean_loss / since:.4f}",
                    "rate": f"{rate:.3e}",
                    "seconds_per_step": f"{seconds:.2f}",
                },
            )
            mean_loss, since, began = 0.0, 0, time.monotonic()
        ends_epoch = step % batches.steps_per_epoch == 0
        if step % SAVE_EVERY == 0 or ends_epoch or step == total or step == args.stop_at:
            save(checkpoint, {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "step": step})
        if ends_epoch or step == total:
            scores = torch_logits(model, val, device)
            epoch = step / batches.steps_per_epoch
            row = {
                "epoch": f"{epoch:.2f}",
                "step": step,
                "val_auc": f"{metrics.auc(labels, scores):.4f}",
                "val_tpr_at_fpr_1": f"{metrics.tpr_at_fpr(labels, scores, 0.01):.4f}",
            }
            print(row, flush=True)
            write_row(run / "val.csv", row)
            began = time.monotonic()
        if step == args.stop_at:
            return 0
    save(run / "final.pt", {"model": model.state_dict(), "step": step})
    summarise(run, args.log or ROOT / "logs" / f"{config['name']}.csv")
    return 0


if __name__ == "__main__":
    sys.exit(main())
