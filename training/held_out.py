#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Leaves each family of pseudo-manipulation out of training in turn, and measures how well it is found then.

All runs begin with the same weights and have the same number of steps: on DFDC's pairs alone ("none"), with
every family ("all"), and with every family but one. Each is measured on the same fakes, made from validation
faces, against the real sides of the same pairs (DFDC's and portraits). Stopped, it goes on where it was; what
is done is kept in runs/held-out. `--write` puts the table into EXPERIMENTS.md.
"""

import argparse
import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent
TITLE = "## Held-out families"
DFDC = "DFDC"  # stands beside the families in the tables: DFDC's own validation faces


def toml(config: dict) -> str:
    """A configuration of numbers, texts and lists, in tables one deep, as TOML."""

    def value(v):
        if isinstance(v, bool):
            return str(v).lower()
        if isinstance(v, list):
            return "[" + ", ".join(value(x) for x in v) + "]"
        return f'"{v}"' if isinstance(v, str) else repr(v)

    lines = [f"{k} = {value(v)}" for k, v in config.items() if not isinstance(v, dict)]
    for table, entries in config.items():
        if isinstance(entries, dict):
            lines += ["", f"[{table}]", *(f"{k} = {value(v)}" for k, v in entries.items())]
    return "\n".join(lines) + "\n"


def conditions(families: list[str]) -> list[str]:
    return ["none", "all", *(f"without-{name}" for name in families)]


def configured(base: dict, condition: str, after: str, steps: int | None) -> dict:
    """The configuration of one run."""
    config = {k: dict(v) if isinstance(v, dict) else v for k, v in base.items()}
    config["name"], config["after"] = f"held-out-{condition}", after
    train = config["train"]
    train["steps"] = steps or train["steps"]
    train["cool"] = min(train.get("cool", 0), train["steps"] // 2)
    train["validate_every"] = train["steps"]
    if condition == "none":
        # As many pairs as the others have, so that they differ in nothing but what the pairs are.
        train["pairs"], train["families"] = train["pairs"] + train["families"], 0
        config.pop("families")
    elif condition != "all":
        config["families"][condition.removeprefix("without-")] = 0
    return config


def train(run: Path, config: dict, data: Path, landmarks: Path) -> None:
    """Trains until the checkpoint run/last.pt has all steps but the last, in a process of its own.

    With its last step train.py would measure all that matters of a model to be shipped: as long again.
    """
    run.mkdir(parents=True, exist_ok=True)
    file = run / "config.toml"
    text = toml(config)
    if file.exists() and file.read_text() != text:
        raise ValueError(f"{run} belongs to a run with other settings; delete it to begin again")
    file.write_text(text)
    command = [sys.executable, str(ROOT / "train.py"), "--config", str(file), "--run", str(run)]
    command += ["--data", str(data), "--landmarks", str(landmarks), "--log", str(run / "log.csv")]
    command += ["--stop-at", str(config["train"]["steps"] - 1)]
    subprocess.run(command, check=True)


def steps_done(checkpoint: Path) -> int:
    import torch

    return torch.load(checkpoint, map_location="cpu", weights_only=True)["step"] if checkpoint.exists() else 0


def auc_of(checkpoint: Path, network: str, sets: dict, size: int, threads: int) -> dict[str, float]:
    """The AUC on each of the sets of faces, with the averaged weights where there are some."""
    import torch
    from unmask_training import metrics, net, networks
    from unmask_training.infer import torch_outputs

    torch.set_num_threads(threads)
    model = networks.BY_NAME[network](0.0)
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    # The weights that the runs begin with may have no mask head; a fresh one does not change the logit.
    model.load_state_dict(state.get("average", state["model"]), strict=False)
    model = net.fold_batch_norm(model)
    found = {}
    for name, faces in sets.items():
        labels = np.array([face.fake for face in faces])
        found[name] = metrics.auc(labels, torch_outputs(model, faces, size=size)[0])
    return found


def read_results(file: Path) -> dict[str, dict[str, float]]:
    """AUC by condition and family."""
    results: dict[str, dict[str, float]] = {}
    if file.exists():
        with open(file, newline="") as handle:
            for row in csv.DictReader(handle):
                results.setdefault(row["trained"], {})[row["measured"]] = float(row["auc"])
    return results


def write_results(file: Path, results: dict[str, dict[str, float]]) -> None:
    with open(file, "w", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(("trained", "measured", "auc"))
        for condition, found in results.items():
            writer.writerows((condition, name, f"{auc:.4f}") for name, auc in found.items())


def table(results: dict[str, dict[str, float]], families: list[str]) -> str:
    """The results in Markdown; what is not measured yet is empty."""

    def cell(condition: str, measured: str) -> str:
        auc = results.get(condition, {}).get(measured)
        return "" if auc is None else f"{auc:.3f}"

    columns = ("before", "none", "left out", "all")
    lines = ["| family | before | no family | left out | all families |", "|---|---|---|---|---|"]
    kept: dict[str, list[float]] = {column: [] for column in columns}
    for name in families:
        cells = []
        for column in columns:
            condition = f"without-{name}" if column == "left out" else column
            cells.append(cell(condition, name))
            if cells[-1]:
                kept[column].append(results[condition][name])
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    means = [f"{np.mean(v):.3f}" if len(v) == len(families) else "" for v in kept.values()]
    lines.append("| mean | " + " | ".join(means) + " |")
    left = [results.get(f"without-{name}", {}).get(DFDC) for name in families]
    measured = [auc for auc in left if auc is not None]
    span = f"{min(measured):.3f} to {max(measured):.3f}" if measured else ""
    cells = [cell("before", DFDC), cell("none", DFDC), span, cell("all", DFDC)]
    lines.append("| DFDC itself | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def with_section(text: str, section: str) -> str:
    """The text with its last section, if that is the one of held-out families, replaced; else one more."""
    start = text.find("\n" + TITLE)
    kept = text if start < 0 else text[:start]
    return f"{kept.rstrip()}\n\n{TITLE}\n\n{section.strip()}\n"


def section(results: dict, families: list[str], settings: dict, pairs: int, weights: str) -> str:
    size, steps = settings["sizes"][-1][1], settings["steps"]
    return f"""`held_out.py`: AUC of real validation faces (DFDC's and portraits) against fakes of one family
made of them, {pairs} pairs each, at {size} pixels. Every run has {steps} steps from the weights of {weights}
("before"); "no family" goes on with DFDC's pairs alone, "left out" with all families but the row's.

{table(results, families)}
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, default=ROOT / "configs/holdout.toml")
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("UNMASK_DATA", ROOT.parent / "../shared/data"))
    )
    parser.add_argument("--landmarks", type=Path, default=ROOT / "runs/landmarks.npz")
    parser.add_argument("--weights", type=Path, help="to begin with; default: runs/NAME/final.pt of `after`")
    parser.add_argument("--run", type=Path, default=ROOT / "runs/held-out")
    parser.add_argument("--steps", type=int, help="of each run; default: the configuration's")
    parser.add_argument("--pairs", type=int, default=250, help="pairs on which a family is measured")
    parser.add_argument(
        "--only", nargs="+", metavar="RUN", help="before, none, all, without-FAMILY; default: each"
    )
    parser.add_argument("--write", action="store_true", help="put the table into EXPERIMENTS.md")
    args = parser.parse_args()

    from unmask_training import data, pseudo
    from unmask_training.config import load

    base = load(args.config)
    families, settings = list(base["families"]), base["train"]
    known = ["before", *conditions(families)]
    unknown = set(args.only or ()) - set(known)
    if unknown:
        print(f"error: no such runs: {sorted(unknown)}; there are {known}", file=sys.stderr)
        return 2
    start = args.weights or ROOT / "runs" / base["after"] / "final.pt"
    if not start.is_file():
        print(f"error: {start}: not found; give the weights to begin with (--weights)", file=sys.stderr)
        return 2
    # train.py takes weights by the name of their run.
    args.run = args.run.resolve()
    after = args.run / "before"
    after.mkdir(parents=True, exist_ok=True)
    if not (after / "final.pt").exists():
        (after / "final.pt").symlink_to(start.resolve())
    elif (after / "final.pt").resolve() != start.resolve():
        print(
            f"error: {args.run} began with other weights; choose another --run",
            file=sys.stderr,
        )
        return 2

    real = data.dfdc_faces(args.data, "val")
    made = pseudo.load(real + data.portraits(args.data, "val"), args.landmarks, dict.fromkeys(families, 1.0))
    sets = {name: made.faces_of(name, args.pairs) for name in families} | {DFDC: real}
    file = args.run / "results.csv"
    results = read_results(file)
    size, network = settings["sizes"][-1][1], settings["network"]
    for condition in args.only or known:
        if condition not in results:
            checkpoint = after / "final.pt"
            if condition != "before":
                checkpoint = args.run / condition / "last.pt"
                config = configured(base, condition, str(after), args.steps)
                if steps_done(checkpoint) < config["train"]["steps"] - 1:
                    train(checkpoint.parent, config, args.data, args.landmarks)
            results[condition] = auc_of(checkpoint, network, sets, size, settings["threads"])
            write_results(file, results)
        print(condition, {k: round(v, 4) for k, v in results[condition].items()}, flush=True)
    settings = {**settings, "steps": args.steps or settings["steps"]}
    text = section(results, families, settings, args.pairs, f"`{start.resolve().parent.name}`")
    print(text)
    if args.write:
        experiments = ROOT / "EXPERIMENTS.md"
        experiments.write_text(with_section(experiments.read_text(), text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
