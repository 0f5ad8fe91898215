#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the generators of the family `resynth` on real training faces, one after the other.

Cheap on purpose: a few minutes of one core each. What is there already is not trained again; a stopped run
goes on with the generator that it was at, from its last checkpoint.
"""

import argparse
import math
import os
import sys
import time
import tomllib
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402
from unmask_training import data, net  # noqa: E402
from unmask_training.families import generators  # noqa: E402

ROOT = Path(__file__).resolve().parent
SAVE_EVERY = 200
NOISE = (4.0, 60.0)  # spread of the noise that the denoiser learns to take away, of 255


class Patches:
    """Random patches of real faces at random scales; those of any step come from the seed alone."""

    def __init__(self, faces: list[data.Face], batch: int, side: int, seed: int):
        self.faces, self.batch, self.side, self.seed = faces, batch, side, seed

    def __call__(self, step: int) -> torch.Tensor:
        rng = np.random.default_rng((self.seed, step))
        patches = []
        for i in rng.integers(len(self.faces), size=self.batch):
            size = int(rng.integers(96, 225))
            image = data.resize(self.faces[i].pixels(), max(size, self.side))
            x, y = rng.integers(image.shape[0] - self.side + 1, size=2)
            patch = image[y : y + self.side, x : x + self.side]
            patches.append(patch[:, ::-1] if rng.random() < 0.5 else patch)
        rgb = np.stack(patches)[..., ::-1].transpose(0, 3, 1, 2)
        return torch.from_numpy(np.ascontiguousarray(rgb, np.float32) / 127.5 - 1)


def ssim(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Mean structural similarity over windows of 7 x 7, of pictures in -1..1 (Wang et al., 2004)."""

    def mean(x):
        return F.avg_pool2d(x, 7, 1)

    ma, mb = mean(a), mean(b)
    va, vb, both = mean(a * a) - ma * ma, mean(b * b) - mb * mb, mean(a * b) - ma * mb
    c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2
    return (((2 * ma * mb + c1) * (2 * both + c2)) / ((ma * ma + mb * mb + c1) * (va + vb + c2))).mean()


class Features(nn.Module):
    """The first stages of MobileNetV2 with ImageNet weights, fixed."""

    def __init__(self, imagenet: Path):
        super().__init__()
        model = net.PlainNet()
        net.load_folded(model, net.read_folded(imagenet))
        self.stages = nn.ModuleList([model.blocks[:2], model.blocks[2:4]]).eval().requires_grad_(False)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found


def critic() -> nn.Module:
    """Tells patches from reconstructions, place by place."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(16, 32, 4, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(32, 1, 3, 1, 1),
    )


def train(
    spec: dict,
    config: dict,
    faces: list[data.Face],
    imagenet: Path,
    checkpoint: Path,
    stop_at: int | None = None,
) -> nn.Module:
    """Trains one generator, from its checkpoint on if there is one; `stop_at` ends early."""
    weights = spec["losses"]
    unknown = weights.keys() - {"l1", "l2", "ssim", "features", "patch"}
    if unknown:
        raise ValueError(f"{spec['name']}: unknown losses {sorted(unknown)}")
    torch.manual_seed(config["seed"])
    model, features = generators.network(spec), Features(imagenet) if "features" in weights else None
    optimiser = torch.optim.Adam(model.parameters(), config["rate"], betas=(0.8, 0.99))
    judge = critic() if "patch" in weights else None
    judged = torch.optim.Adam(judge.parameters(), 4e-4, betas=(0.5, 0.99)) if judge else None
    start = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        if state["name"] == spec["name"]:
            model.load_state_dict(state["model"])
            optimiser.load_state_dict(state["optimiser"])
            if judge:
                judge.load_state_dict(state["judge"])
                judged.load_state_dict(state["judged"])
            start = state["step"]
    patches = Patches(faces, config["batch"], config["patch"], config["seed"])
    began, steps, mean = time.process_time(), spec["steps"], 0.0
    for step in range(start, steps):
        fall = 0.02 + 0.98 * (1 + math.cos(math.pi * step / steps)) / 2
        rate = config["rate"] * min(1, (step + 1) / 50) * fall
        for group in optimiser.param_groups:
            group["lr"] = rate
        truth = patches(step)
        given = truth
        if spec.get("kind") == "denoiser":
            torch.manual_seed(config["seed"] * 1_000_003 + step)
            spread = torch.empty(len(truth), 1, 1, 1).uniform_(*NOISE) / 127.5
            given = truth + spread * torch.randn_like(truth)
        drawn = model(given)
        plain = (drawn - truth).abs().mean()
        loss = weights.get("l1", 0) * plain + weights.get("l2", 0) * F.mse_loss(drawn, truth)
        if "ssim" in weights:
            loss = loss + weights["ssim"] * (1 - ssim(drawn, truth))
        if features:
            with torch.no_grad():
                wanted = features(truth)
            for got, want in zip(features(drawn), wanted, strict=True):
                loss = loss + weights["features"] * (got - want).abs().mean() / want.abs().mean()
        if judge and step > 200:  # first something to judge
            judged.zero_grad(set_to_none=True)
            real, fake = judge(truth), judge(drawn.detach())
            (F.relu(1 - real).mean() + F.relu(1 + fake).mean()).backward()
            judged.step()
            loss = loss - weights["patch"] * judge(drawn).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        mean += (plain.item() - mean) * 0.02 if step > start else plain.item()
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == steps:
            state = {"name": spec["name"], "step": step + 1, "model": model.state_dict()}
            state["optimiser"] = optimiser.state_dict()
            if judge:
                state |= {"judge": judge.state_dict(), "judged": judged.state_dict()}
            part = checkpoint.with_suffix(".part")
            torch.save(state, part)
            os.replace(part, checkpoint)
            spent = time.process_time() - began
            error = f"mean error {mean * 127.5:.2f} of 255"
            print(f"{spec['name']}: step {step + 1}, {error}, {spent:.0f} CPU-s", flush=True)
        if step + 1 == stop_at:
            break
    return model.eval()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=ROOT / "configs/generators.toml")
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("UNMASK_DATA", ROOT.parent / "../shared/data"))
    )
    parser.add_argument("--imagenet", type=Path, help="ImageNet weights, ONNX")
    parser.add_argument("--out", type=Path, default=generators.FOLDER)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    imagenet = (
        args.imagenet
        or args.data / "../third_party_models/mobilenetv2-imagenet/mobilenetv2_imagenet_dequant_fp32.onnx"
    )
    config = tomllib.loads(args.config.read_text())
    cv2.setNumThreads(0)
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    runs = ROOT / "runs/generators"
    runs.mkdir(parents=True, exist_ok=True)
    faces = [f for f in data.dfdc_faces(args.data, "train") if not f.fake]
    faces += data.portraits(args.data, "train")
    for entry in config["generator"]:
        spec = {"kind": "auto-encoder", **entry}
        file = args.out / f"{spec['name']}.npz"
        if file.exists():
            continue
        model = train(spec, config, faces, imagenet, runs / "last.pt")
        generators.store(file, spec, model.state_dict())
        count = sum(p.numel() for p in model.parameters())
        print(f"{file}: {count} weights, {file.stat().st_size // 1000} kB", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
