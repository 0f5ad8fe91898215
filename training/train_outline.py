#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the outline of a network whose trunk stays as it is (unmask_training/outline.py).

The trunk sees each training face once; what it says of them is kept in the run's folder (0.16 MB a face), and
the outline learns from that alone. Both parts stop and resume.
"""

import argparse
import math
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

from unmask_training import memory  # noqa: E402

if __name__ == "__main__":
    memory.keep()

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
import train  # noqa: E402
from unmask_training import data, losses, masks, networks, pseudo, runlog, validate  # noqa: E402
from unmask_training.ahead import prepare  # noqa: E402
from unmask_training.batches import REAL, Batches, ranges  # noqa: E402
from unmask_training.config import load as load_config  # noqa: E402
from unmask_training.infer import inputs  # noqa: E402
from unmask_training.outline import OutlinedNet, overlap_loss  # noqa: E402

ROOT = Path(__file__).resolve().parent
FIRST = 2 * 10**6  # step whose draws are the first ones: the trunk was trained with earlier ones
LOG_EVERY = 50


class Seen:
    """What the trunk says of training faces, in files: at strides 8 and 16, half precision, channels last."""

    def __init__(self, folder: Path, faces: int, shapes: list[tuple]):
        self.files = [folder / f"{name}.npy" for name in ("fine", "middle", "masks")]
        self.done = folder / "seen.txt"
        mode = "r+" if all(file.exists() for file in self.files) else "w+"
        if mode == "w+":
            self.done.unlink(missing_ok=True)
        self.arrays = [
            np.lib.format.open_memmap(file, mode, np.float16, (faces, *shape))
            for file, shape in zip(self.files, shapes, strict=True)
        ]

    def progress(self) -> tuple[int, int]:
        """How many faces are there, and the next batch to draw."""
        return tuple(map(int, self.done.read_text().split())) if self.done.exists() else (0, 0)

    def add(self, at: int, following: int, *parts: np.ndarray) -> int:
        count = min(len(parts[0]), len(self.arrays[0]) - at)
        for array, part in zip(self.arrays, parts, strict=True):
            array[at : at + count] = part[:count]
        self.done.write_text(f"{at + count} {following}\n")
        return at + count

    def batch(self, rows: np.ndarray) -> tuple[torch.Tensor, ...]:
        """fine, middle [N,C,h,w], masks [N,1,h,w]."""
        parts = (torch.from_numpy(array[rows].astype(np.float32)) for array in self.arrays)
        fine, middle, targets = parts
        return fine.permute(0, 3, 1, 2), middle.permute(0, 3, 1, 2), targets[:, None]


@torch.inference_mode()
def trunk(model: OutlinedNet, x: torch.Tensor, narrow) -> list[np.ndarray]:
    with narrow:
        seen = model.tapped(x)[:2]
    return [part.permute(0, 2, 3, 1).half().numpy() for part in seen]


def collect(model: OutlinedNet, batches: Batches, seen: Seen, settings: dict, narrow, seed: int) -> None:
    """Lets the trunk see faces until there are enough of them."""
    count, step = seen.progress()
    total, began = len(seen.arrays[0]), time.monotonic()
    ready = prepare(batches, FIRST + step, FIRST + 10**6, 0)
    while count < total:
        batch: losses.Tensors = next(ready)
        drawn = np.random.default_rng((seed, 2, step)).random(len(batch.labels))
        kept = (batch.kinds.numpy() != REAL) | (drawn < settings["real"])
        parts = trunk(model, batch.inputs()[kept], narrow)
        step += 1
        count = seen.add(count, step, *parts, batch.masks[kept, 0].half().numpy())
        if step % LOG_EVERY == 0:
            print(f"seen {count}/{total} after {time.monotonic() - began:.0f} s", flush=True)


@torch.inference_mode()
def examine(model: OutlinedNet, pairs, known: list, narrow) -> dict[str, str]:
    """Overlap with where validation fakes differ from their originals, and the ellipse's."""
    model.eval()
    found = []
    for fine, middle in known:
        with narrow:
            found.append(model.outline(fine, middle).float().sigmoid()[:, 0].numpy())
    by_name = dict(zip([f.name for _, fakes in pairs for f in fakes], np.concatenate(found), strict=True))
    overlap, guess = validate.mask_iou(pairs, by_name)
    model.train()
    return {"mask_iou": f"{overlap:.4f}", "ellipse_iou": f"{guess:.4f}"}


def learn(
    model: OutlinedNet, seen: Seen, settings: dict, run: Path, log: Path, narrow, measure, stop_at
) -> bool:
    """Trains the outline, or resumes; whether it came to the end."""
    outline = model.outline
    copied = list(outline.blocks.parameters())
    fresh = [p for name, p in outline.named_parameters() if not name.startswith("blocks.")]
    rates = (settings["block_rate"], settings["rate"])
    optimiser = torch.optim.AdamW(
        [{"params": copied}, {"params": fresh}], lr=settings["rate"], weight_decay=settings["weight_decay"]
    )
    last, step = run / "outline.pt", 0
    if last.exists():
        state = torch.load(last, map_location="cpu", weights_only=True)
        outline.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        step = state["step"]
        runlog.forget_after(log, step)
        print(f"resumed at step {step}", flush=True)
    total, sums, began = settings["steps"], [], time.monotonic()
    model.train()
    while step < total:
        factor = min(1.0, (step + 1) / settings["warmup_steps"]) * (1 + math.cos(math.pi * step / total)) / 2
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * factor
        rng = np.random.default_rng((settings["batch"], step))
        rows = np.sort(rng.integers(len(seen.arrays[0]), size=settings["batch"]))
        fine, middle, targets = seen.batch(rows)
        with narrow:
            logits = outline(fine, middle)
        loss = overlap_loss(logits.float(), targets)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        step += 1
        sums.append(loss.item())
        if step % LOG_EVERY == 0:
            if not np.isfinite(sums).all():
                raise FloatingPointError(f"the losses until step {step} are {sums}")
            seconds = (time.monotonic() - began) / len(sums)
            row = {"step": step, "loss": f"{np.mean(sums):.4f}"}
            print(f"step {step}/{total} loss {row['loss']} {seconds:.2f} s/step", flush=True)
            if step % settings["validate_every"] == 0 or step == total:
                row |= measure()
                print(row, flush=True)
            runlog.write(log, row)
            sums, began = [], time.monotonic()
        if step % settings["save_every"] == 0 or step in (total, stop_at):
            state = {"model": outline.state_dict(), "optimiser": optimiser.state_dict(), "step": step}
            train.save(last, state)
        if step == stop_at:
            return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=ROOT / "configs/face-4.toml")
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("UNMASK_DATA", ROOT.parent / "../shared/data"))
    )
    parser.add_argument("--landmarks", type=Path, default=ROOT / "runs/landmarks.npz")
    parser.add_argument("--weights", type=Path, help="the trunk's; default: those of the run `after`")
    parser.add_argument("--run", type=Path, help="folder for all that is kept; default: runs/NAME")
    parser.add_argument("--log", type=Path, help="CSV; default: logs/NAME.csv")
    parser.add_argument("--stop-at", type=int, help="stop after this step, with a checkpoint (for trials)")
    args = parser.parse_args()
    config = load_config(args.config)
    settings, name = config["outline"], config["name"]
    run, log = args.run or ROOT / "runs" / name, args.log or ROOT / "logs" / f"{name}.csv"
    try:
        weights = args.weights or train.weights_of(ROOT / "runs" / config["after"])
        state = torch.load(weights, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        print(f"error: no weights of the trunk: {error}\nhint: give --weights", file=sys.stderr)
        return 2
    run.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(0)
    torch.set_num_threads(config["train"]["threads"])
    torch.manual_seed(config["seed"])

    model = networks.BY_NAME[config["train"]["network"]](0.0)
    model.begin_from(train.unpacked(state.get("average", state["model"])))
    model.to(memory_format=torch.channels_last).eval()
    faces, portraits = data.dfdc_faces(args.data, "train"), data.portraits(args.data, "train")
    shares = config.get("families", {})
    made = pseudo.load(faces + portraits, args.landmarks, shares) if config["train"]["families"] else None
    augment = ranges(config.get("augment", {}))
    batches = Batches(data.pairs(faces), portraits, config["train"], augment, config["seed"], made)
    narrow, size = train.autocast(config["train"]["precision"], torch.device("cpu")), batches.size(FIRST)
    fine, middle = (part.shape[1:] for part in trunk(model, torch.zeros(1, 3, size, size), narrow))
    seen = Seen(run, settings["faces"], [fine, middle, (size // masks.STRIDE,) * 2])
    collect(model, batches, seen, settings, narrow, config["seed"])

    pairs = data.pairs(data.dfdc_faces(args.data, "val"))
    val = [fake for _, fakes in pairs for fake in fakes]
    with torch.inference_mode(), narrow:
        known = [tuple(model.tapped(torch.from_numpy(x))[:2]) for x in inputs(val, size=size)]
    measure = lambda: examine(model, pairs, known, narrow)  # noqa: E731
    if not learn(model, seen, settings, run, log, narrow, measure, args.stop_at):
        return 0
    train.save(run / "final.pt", {"model": model.state_dict(), "step": settings["steps"]})
    return 0


if __name__ == "__main__":
    sys.exit(main())
