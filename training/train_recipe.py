#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the network of a replaced service by its own recipe, on honestly divided faces, and exports it.

Writes to --run: model.keras, model.onnx (with PyTorch), log.csv (epochs), data.csv (what went where) and
figures.json (on the split val, which training never saw). Needs `make build`: the figures are the program's.
"""

import argparse
import csv
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")
# PyTorch's threads spin while they wait, which is dear on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

from unmask_training import memory  # noqa: E402

if __name__ == "__main__":
    memory.keep()

import cv2  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
from unmask_training import metrics, recipe_data, recipe_networks  # noqa: E402
from unmask_training.data import CROP  # noqa: E402
from unmask_training.recipe import Recipe, load  # noqa: E402

ROOT = Path(__file__).resolve().parent
FIGURES = ("auc", "tpr_at_fpr_1", "average_precision", "ece", "accuracy")


class Epochs(keras.utils.PyDataset):
    """The training part, oversampled, shuffled and changed anew for each epoch; the same for the same seed.

    `steps`: an epoch ends after so many batches, for machines on which the whole part takes too long.
    """

    def __init__(self, samples, recipe: Recipe, steps: int | None = None):
        super().__init__()
        self.samples, self.recipe, self.limit, self.epoch = samples, recipe, steps, 0
        self.order = self.draw()

    def draw(self) -> list[recipe_data.Sample]:
        rng = np.random.default_rng((self.recipe.seed, 0, self.epoch))
        drawn = recipe_data.oversample(self.samples, rng) if self.recipe.data.oversample else self.samples
        return [drawn[i] for i in rng.permutation(len(drawn))]

    def __len__(self) -> int:
        whole = -(-len(self.order) // self.recipe.train.batch)
        return min(whole, self.limit) if self.limit else whole

    def __getitem__(self, index: int):
        batch, recipe = self.recipe.train.batch, self.recipe
        rng = np.random.default_rng((recipe.seed, 1, self.epoch, index))
        samples = self.order[index * batch : (index + 1) * batch]
        return recipe_data.batch(samples, recipe.input, recipe.real_is_one, recipe.augment, rng)

    def on_epoch_end(self) -> None:
        self.epoch += 1
        self.order = self.draw()


class Fixed(keras.utils.PyDataset):
    """Faces as they are, in order."""

    def __init__(self, samples, recipe: Recipe, batch: int = 32):
        super().__init__()
        self.samples, self.recipe, self.batch = samples, recipe, batch

    def __len__(self) -> int:
        return -(-len(self.samples) // self.batch)

    def __getitem__(self, index: int):
        samples = self.samples[index * self.batch : (index + 1) * self.batch]
        return recipe_data.batch(samples, self.recipe.input, self.recipe.real_is_one)


class Log(keras.callbacks.Callback):
    """One line an epoch: the file is complete up to the last finished one."""

    def __init__(self, file: Path):
        super().__init__()
        self.file, self.began = file, 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self.began = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        row = {"epoch": epoch + 1, "steps": int(self.model.optimizer.iterations)}
        row |= {key: f"{logs[key]:.4f}" for key in ("loss", "accuracy", "val_loss", "val_accuracy")}
        row["rate"] = f"{float(self.model.optimizer.learning_rate):.3e}"
        row["seconds"] = f"{time.monotonic() - self.began:.0f}"
        with open(self.file, "a" if epoch else "w", newline="") as handle:
            writer = csv.DictWriter(handle, list(row), lineterminator="\n")
            if not epoch:
                writer.writeheader()
            writer.writerow(row)
        print(" ".join(f"{key} {value}" for key, value in row.items()), flush=True)


def examine(model: keras.Model, samples, recipe: Recipe) -> dict:
    """Figures of P(fake) on faces that training did not see, with intervals by whole groups."""
    given = model.predict(Fixed(samples, recipe), verbose=0)[:, 0].astype(float)
    scores = 1 - given if recipe.real_is_one else given
    found = metrics.figures([s.fake for s in samples], scores, [s.group for s in samples], rounds=1000)
    return {name: found[name] for name in FIGURES if name in found} | {"faces": len(samples)}


def export(model: keras.Model, run: Path) -> list[Path]:
    """model.keras for Keras and `unmask model import`; with PyTorch also model.onnx, for everything else."""
    model.save(run / "model.keras")
    if keras.backend.backend() != "torch":
        return [run / "model.keras"]
    from unmask_training.export import forget_origin

    model.export(run / "model.onnx", format="onnx", verbose=False)
    forget_origin(run / "model.onnx")
    return [run / "model.keras", run / "model.onnx"]


def import_command(file: Path, recipe: Recipe) -> str:
    return (
        f"unmask model import {file} --name {recipe.name} --colour {recipe.input.channels} "
        f"--scale {recipe.input.scale:g} --output {recipe.meaning} --crop {CROP['scale']}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--config", type=Path, required=True, help="configs/recipe-*.toml")
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("UNMASK_DATA", ROOT.parent / "../shared/data"))
    )
    parser.add_argument(
        "--backbone", type=Path, help="the backbone's ImageNet weights, Keras' *_notop.h5; default: random"
    )
    parser.add_argument("--run", type=Path, help="folder of the results; default: runs/NAME")
    parser.add_argument("--epochs", type=int, help="overrides the recipe's number")
    parser.add_argument("--epoch-steps", type=int, help="end an epoch after so many batches")
    parser.add_argument(
        "--held-out", type=int, help="look at so many held-out faces after an epoch, drawn once; default: all"
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    args = parser.parse_args()

    try:
        recipe = load(args.config)
        faces = recipe_data.read(args.data, "train")
        training, held_out = recipe_data.divide(faces, recipe.data.held_out, recipe.seed)
        if recipe.data.most_fakes is not None:
            training = recipe_data.limit_fakes(training, recipe.data.most_fakes, recipe.seed)
        watched = recipe_data.some(held_out, args.held_out, recipe.seed)
        val = recipe_data.read(args.data, "val")
        keras.utils.set_random_seed(recipe.seed)
        model, frozen = recipe_networks.build(recipe, args.backbone)
        metrics.program()
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    cv2.setNumThreads(0)
    if keras.backend.backend() == "torch":
        import torch

        torch.set_num_threads(args.threads)
    if recipe.network.frozen and not frozen:
        print("no --backbone: the backbone starts at random weights, so all of it is trained", flush=True)
    run = args.run or ROOT / "runs" / recipe.name
    run.mkdir(parents=True, exist_ok=True)
    epochs = Epochs(training, recipe, args.epoch_steps)
    parts = {
        "training": training,
        "one epoch": epochs.order,
        "held out": held_out,
        "watched": watched,
        "val": val,
    }
    recipe_data.write_counts(run / "data.csv", parts)

    model.compile(recipe_networks.optimizer(recipe), loss=recipe.train.loss, metrics=["accuracy"])
    began = time.process_time()
    model.fit(
        epochs,
        validation_data=Fixed(watched, recipe),
        epochs=args.epochs or recipe.train.epochs,
        callbacks=[*recipe_networks.callbacks(recipe), Log(run / "log.csv")],
        shuffle=False,  # Epochs does that
        verbose=0,
    )
    cpu = time.process_time() - began
    files = export(model, run)
    figures = {
        "val": examine(model, val, recipe),
        "parameters": model.count_params(),
        "steps": int(model.optimizer.iterations),
        "cpu_seconds": round(cpu),
        "backbone": args.backbone.name if args.backbone else "random",
    }
    (run / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures["val"]), flush=True)
    print(import_command(files[-1], recipe))
    return 0


if __name__ == "__main__":
    sys.exit(main())
