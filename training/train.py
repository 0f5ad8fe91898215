#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains a face model. Stops and resumes at any step; the same seed gives the same draws."""

import argparse
import copy
import math
import os
import sys
import time
from pathlib import Path

# PyTorch's threads spin while they wait. On a machine with other work that made a step five times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

from unmask_training import memory  # noqa: E402

if __name__ == "__main__":
    memory.keep()

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from unmask_training import data, losses, net, networks, pseudo, runlog, validate  # noqa: E402
from unmask_training.ahead import prepare  # noqa: E402
from unmask_training.batches import Batches, at, ranges  # noqa: E402
from unmask_training.config import load as load_config  # noqa: E402

ROOT = Path(__file__).resolve().parent

SAVE_EVERY = 100
HALF_FROM = 16384  # numbers of a tensor from which on it is packed in half precision
LOG_EVERY = 20
WARM = 100  # steps after which the clock says how many there will be


def rate_factor(step: int, steps: int, settings: dict) -> float:
    """The share of the peak rate at a step. Two kinds of schedule:

    `warmup` (a share of the steps): one cycle, cosine up from 4 % to the peak and cosine down to nothing.
    `warmup_steps` and `cool`: up in that many steps, then constant, and down to nothing in the last `cool`
    steps, so that a run may go on for as long as there is time, and its end be chosen late.
    """
    if "warmup" in settings:
        done, warmup = step / steps, settings["warmup"]
        if done < warmup:
            return 0.04 + 0.96 * (1 - math.cos(math.pi * done / warmup)) / 2
        return (1 + math.cos(math.pi * (done - warmup) / (1 - warmup))) / 2
    rise = min(1.0, (step + 1) / settings["warmup_steps"])
    cool = settings["cool"]
    return min(rise, max(0.0, (steps - step) / cool)) if cool else rise


class Average:
    """The exponential moving average of a network's weights, and of nothing else that training needs."""

    def __init__(self, model: torch.nn.Module, decay: float):
        self.decay, self.count = decay, 0
        self.state = {k: v.detach().clone() for k, v in model.state_dict().items()}

    def update(self, model: torch.nn.Module) -> None:
        self.count += 1
        decay = min(self.decay, (1 + self.count) / (10 + self.count))
        new = model.state_dict()
        kept, fresh = [], []
        for key, value in self.state.items():
            if value.is_floating_point():
                kept.append(value)
                fresh.append(new[key].detach())
            else:
                value.copy_(new[key])
        torch._foreach_lerp_(kept, fresh, 1 - decay)


def start(config: dict, imagenet: Path, batches: Batches, device) -> net.PlainNet:
    model = networks.BY_NAME[config.get("network", "plain")](config["dropout"])
    if config.get("network") in networks.LITE:
        net.load_lite(model, networks.LITE[config["network"]])
    elif config.get("norm", "batch") != "frozen":  # frozen statistics come with the weights of the run before
        net.load_folded(model, net.read_folded(imagenet))
        # Steps that training does not reach, so that their draws are not used twice.
        first = [losses.tensors(batches.batch(10**6 + i)).inputs() for i in range(2)]
        net.calibrate_batch_norm(model, torch.cat(first))
    if config.get("norm", "batch") == "frozen":
        net.freeze_norms(model)
    net.stochastic_depth(model, config.get("drop_path", 0.0))
    return model.to(device, memory_format=torch.channels_last)


def descend(model, x, batch: losses.Tensors, settings: dict, narrow, seed: int) -> torch.Tensor:
    """Adds a batch's gradients to the weights' and gives the losses for the log; `seed` is of dropout."""
    torch.manual_seed(seed)
    with narrow:
        outputs = model(x)
    whole, shown = losses.objective(outputs, batch, settings)
    whole.backward()
    return shown


@torch.no_grad()
def climb(parameters: list[torch.Tensor], rho: float) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Moves the weights by `rho` up their gradient, and gives what was added, to be taken back.

    The first half of a step of SAM (Foret et al., 2021), which learns where the loss is low all around.
    """
    moved = [p for p in parameters if p.grad is not None]
    length = torch.linalg.vector_norm(torch.stack([p.grad.norm() for p in moved]))
    added = [(p, p.grad * (rho / (length + 1e-12))) for p in moved]
    for p, change in added:
        p.add_(change)
        p.grad = None
    return added


def begin_from(model: net.PlainNet, weights: dict) -> None:
    """Takes over another run's weights; only the parts that version 2 added may be missing."""
    missing, unexpected = model.load_state_dict(weights, strict=False)
    wrong = [k for k in missing if k.split(".")[0] not in ("lateral", "mask", "evidence")]
    if wrong or unexpected:
        raise ValueError(f"the weights do not fit: missing {wrong[:3]}, unexpected {unexpected[:3]}")


def weights_of(run: Path) -> Path:
    """Where a run's weights are: at its end, or packed in the repository."""
    found = next((file for file in (run / "final.pt", run / "last.pt") if file.exists()), None)
    if found is None:
        raise FileNotFoundError(f"{run}: expected final.pt or last.pt, found neither; train this run first")
    return found


def threads_now(most: int) -> int:
    """One thread on a busy machine: two that wait for each other's turn there take longer than one."""
    return most if os.getloadavg()[0] < (os.cpu_count() or 1) + 1.5 else 1


def autocast(precision: str, device: torch.device) -> torch.autocast:
    """`precision`: "float32", "bfloat16", or "auto": bfloat16 where the processor multiplies its matrices."""
    if precision not in ("auto", "float32", "bfloat16"):
        raise ValueError(f"precision must be auto, float32 or bfloat16, found {precision}")
    able = device.type == "cuda" or " amx_bf16 " in Path("/proc/cpuinfo").read_text()
    return torch.autocast(
        device.type, torch.bfloat16, enabled=precision == "bfloat16" or (precision == "auto" and able)
    )


def pack(state: dict) -> dict:
    """A checkpoint in a seventh of the size: the averaged weights alone, large tensors in half precision.

    As last.pt of its run, the run goes on from it with a fresh optimiser.
    """
    weights = {
        key: value.half() if value.is_floating_point() and value.numel() >= HALF_FROM else value
        for key, value in state.get("average", state["model"]).items()
    }
    packed = {"model": weights, "step": state["step"]}
    return packed | (
        {"average": weights, "average_count": state["average_count"]} if "average" in state else {}
    )


def unpacked(weights: dict) -> dict:
    """Weights in single precision, as training needs them, packed or not."""
    return {k: v.float() if v.is_floating_point() else v for k, v in weights.items()}


def save(file: Path, state: dict) -> None:
    part = file.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, file)


def state_of(model, optimiser, average: Average | None, step: int) -> dict:
    """All that a run needs to go on."""
    state = {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "step": step}
    return state | ({"average": average.state, "average_count": average.count} if average else {})


def main() -> int:
    repository = ROOT.parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=ROOT / "configs/face-3.toml")
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("UNMASK_DATA", repository / "../shared/data"))
    )
    parser.add_argument(
        "--imagenet", type=Path, help="ImageNet weights, ONNX; default: third_party_models beside data"
    )
    parser.add_argument("--landmarks", type=Path, help="what landmarks.py wrote; default: runs/landmarks.npz")
    parser.add_argument("--run", type=Path, help="folder for checkpoints and logs; default: runs/NAME")
    parser.add_argument("--log", type=Path, help="the run in short, CSV; default: logs/NAME.csv")
    parser.add_argument("--steps", type=int, help="overrides the configuration's number of steps")
    parser.add_argument(
        "--pack", type=Path, help="only write the run's last checkpoint there, small (see pack())"
    )
    parser.add_argument("--stop-at", type=int, help="stop after this step, with a checkpoint (for trials)")
    parser.add_argument(
        "--seconds", type=float, help="end, cooled, after so long; the schedule follows the clock"
    )
    parser.add_argument(
        "--workers", type=int, default=0, help="processes that prepare batches, for a GPU; default: a thread"
    )
    parser.add_argument(
        "--unexamined", action="store_true", help="without validation, for want of time or data"
    )
    args = parser.parse_args()

    config = load_config(args.config)
    settings = config["train"]
    if args.pack:
        last = (args.run or ROOT / "runs" / config["name"]) / "last.pt"
        args.pack.parent.mkdir(parents=True, exist_ok=True)
        save(args.pack, pack(torch.load(last, map_location="cpu", weights_only=True)))
        return 0
    total = args.steps or settings["steps"]
    run = args.run or ROOT / "runs" / config["name"]
    run.mkdir(parents=True, exist_ok=True)
    log = args.log or ROOT / "logs" / f"{config['name']}.csv"
    imagenet = (
        args.imagenet
        or args.data / "../third_party_models/mobilenetv2-imagenet/mobilenetv2_imagenet_dequant_fp32.onnx"
    )

    cv2.setNumThreads(0)
    torch.set_num_threads(settings["threads"])
    torch.manual_seed(config["seed"])
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    faces, portraits = data.dfdc_faces(args.data, "train"), data.portraits(args.data, "train")
    cache, shares = args.landmarks or ROOT / "runs/landmarks.npz", config.get("families", {})
    batches = Batches(
        data.pairs(faces),
        portraits,
        settings,
        ranges(config.get("augment", {})),
        config["seed"],
        pseudo.load(faces + portraits, cache, shares) if settings.get("families") else None,
    )
    examiner = (
        None if args.unexamined else validate.Examiner(args.data, settings.get("val_size", data.SIZE), cache)
    )

    model = start(settings, imagenet, batches, device)
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": settings["weight_decay"]},
            {"params": vectors, "weight_decay": 0.0},
        ],
        lr=at(0, settings["rate"]),
        fused=device.type == "cuda",
    )
    checkpoint, step = run / "last.pt", 0
    if "after" in config and not checkpoint.exists():
        first = torch.load(
            weights_of(ROOT / "runs" / config["after"]), map_location=device, weights_only=True
        )
        begin_from(model, unpacked(first["model"]))
    average = Average(model, at(0, settings["ema"])) if settings.get("ema") else None
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        if "optimiser" in state:  # a packed checkpoint has none
            optimiser.load_state_dict(state["optimiser"])
        if average:
            average.state = unpacked(state["average"])
            average.count = state["average_count"]
        step = state["step"]
        for file in ("loss.csv", "val.csv"):
            runlog.forget_after(run / file, step)
        print(f"resumed at step {step}", flush=True)
    examined = copy.deepcopy(model)
    # Where blocks are frozen during a run, all go on from the averaged weights.
    freeze = settings.get("freeze", 0)
    changes = [first for first, _ in freeze if first] if isinstance(freeze, list) else []
    net.freeze_blocks(model, at(step, freeze))

    narrow = autocast(settings.get("precision", "float32"), device)
    sums, since, began = torch.zeros(2, device=device), 0, time.monotonic()
    every = settings.get("validate_every", batches.steps_per_epoch)
    save_every = settings.get("save_every", SAVE_EVERY)
    entry, entered = step, began
    ready = prepare(batches, step, total, args.workers)
    while step < total:
        if args.seconds:
            done = (time.monotonic() - entered) / args.seconds
            if done >= 1:
                break
            # What the schedule takes for the number of steps; the first steps say little of the speed.
            expected = min(total, entry + int((step - entry) / done) + 1 if step >= entry + WARM else total)
        else:
            expected = total
        if step in changes:
            if average:
                model.load_state_dict(average.state)
            net.freeze_blocks(model, at(step, freeze))
        rate = at(step, settings["rate"]) * rate_factor(step, expected, settings)
        for group in optimiser.param_groups:
            group["lr"] = rate
        batch = next(ready).to(device)
        x = batch.inputs()
        model.train()
        optimiser.zero_grad(set_to_none=True)
        seed = config["seed"] * 1_000_003 + step
        shown = descend(model, x, batch, settings, narrow, seed)
        if settings.get("sam"):
            added = climb(list(model.parameters()), settings["sam"])
            descend(model, x, batch, settings, narrow, seed)
            with torch.no_grad():
                for parameter, change in added:
                    parameter.sub_(change)
        if "clip" in settings:
            torch.nn.utils.clip_grad_norm_(model.parameters(), settings["clip"])
        optimiser.step()
        if average:
            average.decay = at(step, settings["ema"])
            average.update(model)
        step += 1
        sums, since = sums + shown, since + 1

        if step % LOG_EVERY == 0:
            means = (sums / since).tolist()
            seconds = (time.monotonic() - began) / since
            if not np.isfinite(means).all():
                raise FloatingPointError(f"the losses until step {step} are {means}")
            print(
                f"step {step}/{expected} loss {means[0]:.4f} mask {means[1]:.4f} rate {rate:.2e} "
                f"{seconds:.2f} s/step",
                flush=True,
            )
            row = {"step": step, "loss": f"{means[0]:.4f}", "mask_loss": f"{means[1]:.4f}"}
            runlog.write(
                run / "loss.csv", {**row, "rate": f"{rate:.3e}", "seconds_per_step": f"{seconds:.2f}"}
            )
            sums, since, began = torch.zeros(2, device=device), 0, time.monotonic()
            torch.set_num_threads(threads_now(settings["threads"]))
        if step % save_every == 0 or step % every == 0 or step in (total, args.stop_at):
            save(checkpoint, state_of(model, optimiser, average, step))
        if examiner and (step % every == 0 or step == total):
            examined.load_state_dict(average.state if average else model.state_dict())
            row = {
                "step": step,
                "epoch": f"{step / batches.steps_per_epoch:.2f}",
                **examiner(net.fold_batch_norm(examined), device),
            }
            print(row, flush=True)
            runlog.write(run / "val.csv", row)
            runlog.summarise(run, log)
            began = time.monotonic()
        if step == args.stop_at:
            return 0
    print(f"ended at step {step}", flush=True)
    save(checkpoint, state_of(model, optimiser, average, step))
    save(run / "final.pt", {"model": average.state if average else model.state_dict(), "step": step})
    runlog.summarise(run, log)
    return 0


if __name__ == "__main__":
    sys.exit(main())
