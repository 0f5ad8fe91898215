#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Goes on with a served version: feedback and replayed old data in, a candidate version out.

    retrain.py --served ../models/face/4 --feedback SET --replay DATA --out ../candidates/face/5

Stops and resumes at any step; the same seed and data give the same draws.
"""

import argparse
import datetime
import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

import cv2
import export as export_step
import numpy as np
import torch
import train
from unmask_training import (
    batches,
    calibrate,
    data,
    export,
    losses,
    net,
    networks,
    pseudo,
    quantise,
    replay,
    report,
)
from unmask_training.config import load as load_config
from unmask_training.infer import OpenVinoModel

ROOT = Path(__file__).resolve().parent
TINY = net.Backbone(((1, 8, 1, 2, 3), (2, 16, 1, 2, 3)), ())


def tiny(dropout: float = 0.0) -> net.PlainNet:
    """For trials. It begins by suspecting everybody, so that what it learns shows in every figure."""
    model = net.PlainNet(dropout, TINY)
    torch.nn.init.constant_(model.head.bias, 1.5)
    return model


NETWORKS = networks.BY_NAME | {"tiny": tiny}
SERVED_DIFFERENCE = 0.05  # logits: packed weights are in half precision, golden logits come from full ones
LEAST_FOR_FIT = 20  # validation faces of each class below which the served calibration is kept


def load(config: dict, checkpoint: Path | None, seed: int) -> torch.nn.Module:
    """The network with the weights to go on from; without a checkpoint seeded random ones."""
    torch.manual_seed(seed)
    model = NETWORKS[config["network"]]()
    if checkpoint is not None:
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        weights = state.get("average", state["model"])
        model.load_state_dict(train.unpacked(weights))
    net.freeze_norms(model)
    return model


def check_served(model: torch.nn.Module, served: Path, size: int) -> None:
    """The weights must be those of the served version, or the candidate would go on from something else."""
    file = next(f for f in (served / "golden-fp32.json", served / "golden.json") if f.exists())
    stored = {c["name"]: c["logit"] for c in json.loads(file.read_text())["cases"]}
    computed = {
        c["name"]: c["logit"] for c in export.golden(model.eval(), export.golden_cases(), size)["cases"]
    }
    common = stored.keys() & computed.keys()
    worst = max((abs(stored[name] - computed[name]) for name in common), default=float("inf"))
    if worst > SERVED_DIFFERENCE:
        raise ValueError(
            f"the weights are not those of {served}: a golden logit differs by {worst:.3f} "
            f"(at most {SERVED_DIFFERENCE}); name its checkpoint with --checkpoint"
        )


def go_on(model, source: replay.Batches, settings: dict, run: Path, stop_at: int | None):
    """Trains, or resumes; gives the averaged weights, or nothing when it stopped before the end."""
    if settings.get("keep_masks"):
        for name, parameter in model.named_parameters():
            if name.split(".")[0] in ("lateral", "mask", "outline"):
                parameter.requires_grad_(False)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=settings["rate"], weight_decay=settings["weight_decay"])
    average, step, last = train.Average(model, settings["ema"]), 0, run / "last.pt"
    if last.exists():
        state = torch.load(last, map_location="cpu", weights_only=True)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        average.state, average.count, step = state["average"], state["average_count"], state["step"]
        print(f"resumed at step {step}", flush=True)
    total = settings["steps"]
    model.train()
    while step < total:
        for group in optimiser.param_groups:
            group["lr"] = settings["rate"] * train.rate_factor(step, total, settings)
        images, labels = source.batch(step)
        logits = net.logits_of(model(torch.from_numpy(images))).float()
        loss, _ = losses.logit_loss(logits, torch.from_numpy(labels), settings["label_smoothing"])
        if not torch.isfinite(loss):
            raise FloatingPointError(f"the loss of step {step} is {loss.item()}")
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, settings["clip"])
        optimiser.step()
        average.update(model)
        step += 1
        if step % settings["save_every"] == 0 or step in (total, stop_at):
            train.save(last, train.state_of(model, optimiser, average, step))
            print(f"step {step}/{total} loss {loss.item():.4f}", flush=True)
        if step == stop_at:
            return None
    return average.state


def pseudo_of(old: replay.Source, landmarks: Path, config: dict, settings: dict) -> pseudo.Pseudo | None:
    """Pseudo-manipulations of the replayed faces, as training had them, where their landmarks are known."""
    if not settings.get("families"):
        return None
    try:
        return pseudo.load(old.faces(), landmarks, config["families"])
    except (FileNotFoundError, ValueError) as error:
        print(
            f"warning: {error}\nhint: no pseudo-manipulations are replayed without landmarks, and what the "
            "model knows of them may be lost: run training/landmarks.py",
            file=sys.stderr,
        )
        return None


def fitted(stated: dict, network: OpenVinoModel, faces: list[data.Face]) -> None:
    """Calibration and thresholds on the validation faces; with too few of them the served ones stay."""
    labels = np.array([face.fake for face in faces], bool)
    if min(labels.sum(), (~labels).sum()) < LEAST_FOR_FIT:
        print(f"kept calibration and thresholds: fewer than {LEAST_FOR_FIT} validation faces of a class")
        return
    logits = network.logits(faces)
    slope, intercept = calibrate.fit_platt(labels, logits)
    if slope <= 0:
        print("kept calibration and thresholds: on the validation faces fakes score no higher than real ones")
        return
    stated["calibration"] = report.calibration(labels, logits)
    stated["thresholds"] = report.thresholds(labels, report.scores_of(logits, stated["calibration"]))
    stated.pop("tracks", None)  # they belong to the calibration before


def digest(faces: list[data.Face]) -> str:
    """Of labelled pictures, in any order."""
    each = sorted(hashlib.sha256(face.jpeg).hexdigest() + str(face.fake) for face in faces)
    return hashlib.sha256("\n".join(each).encode()).hexdigest()


def write_version(
    model, out: Path, served: Path | None, size: int, val: list[data.Face], facts: dict, inputs=None
) -> None:
    """The folder of a version, whole or not at all; in int8 where `inputs` are given to set its ranges."""
    unfinished = out.with_name(f".{out.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    part = unfinished / out.name
    part.mkdir(parents=True)
    export.write_networks(model, part, size, inputs)
    (part / "face.onnx").unlink()
    network = OpenVinoModel(part / "face.xml", size)
    today = datetime.date.today().isoformat()
    mask = np.zeros((1, size // 8, size // 8)) if network.has_mask else None
    stated = export_step.describe(part, size, mask, today) | {
        "name": out.parent.name,
        "version": int(out.name),
    }
    if served is not None:
        before = json.loads((served / "model.json").read_text())
        keep = ("description", "licence", "crop", "calibration", "thresholds", "tracks", "data", "limits")
        stated |= {key: before[key] for key in keep if key in before}
    else:
        stated |= {"description": "A network for trying out how a model learns from feedback", "data": []}
        stated |= {"licence": "Apache-2.0", "limits": [{"text": "It finds nothing: it is for trials."}]}
    fitted(stated, network, val)
    stated["retrained"] = facts
    (part / "model.json").write_text(json.dumps(stated, indent=2) + "\n")
    part.rename(out)
    unfinished.rmdir()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--config", type=Path, default=ROOT / "configs/retrain.toml")
    parser.add_argument("--served", type=Path, help="folder of the version to go on from, NAME/VERSION")
    parser.add_argument("--checkpoint", type=Path, help="its weights; default: the configuration's")
    parser.add_argument("--feedback", type=Path, help="set of unmask faces export-feedback")
    parser.add_argument("--replay", type=Path, help="data directory, or set of unmask faces extract")
    parser.add_argument(
        "--landmarks",
        type=Path,
        default=ROOT / "runs/landmarks.npz",
        help="of the replayed faces (landmarks.py)",
    )
    parser.add_argument("--out", type=Path, required=True, help="NAME/VERSION, which must not exist")
    parser.add_argument("--run", type=Path, help="checkpoints; default: runs/NAME of the configuration")
    parser.add_argument(
        "--steps", type=int, help="overrides the configuration's; 0: write the weights as they are"
    )
    parser.add_argument("--stop-at", type=int, help="stop after this step, with a checkpoint (for trials)")
    args = parser.parse_args()
    config = load_config(args.config)
    settings = config["train"] | ({} if args.steps is None else {"steps": args.steps})
    begin, out = config["from"], args.out.resolve()
    run = args.run or ROOT / "runs" / config["name"]
    if out.exists() or not out.name.isdecimal():
        what = "exists" if out.exists() else "is no folder NAME/VERSION"
        print(f"error: {out} {what}\nhint: choose another --out", file=sys.stderr)
        return 2
    cv2.setNumThreads(0)
    torch.set_num_threads(settings["threads"])
    try:
        checkpoint = args.checkpoint or (ROOT / begin["checkpoint"] if begin["checkpoint"] else None)
        model = load(begin, checkpoint, config["seed"])
        if args.served:
            check_served(model, args.served, settings["size"])
        nothing = replay.Source([], [], [])
        new, old = (
            {s: replay.read(path, s) if path else nothing for s in ("train", "val")}
            for path in (args.feedback, args.replay)
        )
        facts = {"seed": config["seed"], "steps": settings["steps"], "feedback_share": settings["feedback"]}
        if args.served:
            before = json.loads((args.served / "model.json").read_text())
            facts["from"] = {"version": before["version"], "files": before["network"]["files"]}
        for name, found in (("feedback", new), ("replay", old)):
            faces = found["train"].faces()
            facts[name] = {"faces": len(faces), "fake": sum(f.fake for f in faces), "sha256": digest(faces)}
        if settings["steps"]:
            run.mkdir(parents=True, exist_ok=True)
            ranges = batches.ranges(config.get("augment", {}))
            made = pseudo_of(old["train"], args.landmarks, config, settings)
            facts["families"] = settings["families"] if made else 0
            source = replay.Batches(new["train"], old["train"], settings, ranges, config["seed"], made)
            weights = go_on(model, source, settings, run, args.stop_at)
            if weights is None:
                return 0
            model.load_state_dict(weights)
        out.parent.mkdir(parents=True, exist_ok=True)
        val = new["val"].faces() + old["val"].faces()
        inputs = None
        if begin.get("precision") == "int8":
            inputs = quantise.examples(old["train"].faces() + new["train"].faces(), config, settings["size"])
        write_version(model.eval(), out, args.served, settings["size"], val, facts, inputs)
        run.mkdir(parents=True, exist_ok=True)
        train.save(run / "final.pt", {"model": model.state_dict(), "step": settings["steps"]})
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{out}: {facts['feedback']['faces']} faces of feedback, {facts['replay']['faces']} replayed")
    return 0


if __name__ == "__main__":
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    sys.exit(main())
