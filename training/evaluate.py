#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures a committed model on the validation data, and compares with what its model.json states.

Exit status 1 when a figure differs by more than rounding and a face or two at the threshold explain.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from unmask_training import measure, report

ROOT = Path(__file__).resolve().parent

# A JPEG decoder or processor that rounds differently moves a few faces across a threshold.
TOLERANCE = {"auc": 0.002, "average_precision": 0.002, "auc_change": 0.002, "brier": 0.002, "log_loss": 0.005}
OTHERWISE = 0.01


def measured(model: Path, folder: Path, degrade: bool) -> dict:
    stated = json.loads((model / "model.json").read_text())
    for name, digest in stated["network"]["files"].items():
        if report.sha256(model / name) != digest:
            raise ValueError(
                f"{name}: its sha256 is not the one in model.json; restore the file or export again"
            )
    names = {"faces": "", "portraits": ""}
    return measure.quality(model, folder, names, degrade)


def differences(stated, found, path: str = "") -> list[str]:
    """The figures, {"value": ...}, that differ."""
    if not isinstance(stated, dict) or not isinstance(found, dict):
        return []
    if "value" in stated:
        one, other = stated["value"], found.get("value")
        if one is None or other is None:
            same = one is other
        else:
            same = abs(one - other) <= TOLERANCE.get(path.rsplit(".", 1)[-1], OTHERWISE)
        return [] if same else [f"{path}: stated {one}, measured {other}"]
    lists = [
        differences(stated[key], found[key], f"{path}.{key}" if path else key)
        for key in stated
        if key in found
    ]
    return sum(lists, [])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    newest = max((ROOT.parent / "models/face").glob("[0-9]*"), key=lambda folder: int(folder.name))
    parser.add_argument("--model", type=Path, default=newest, help="default: the newest face model")
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("UNMASK_DATA", ROOT.parent / "../shared/data"))
    )
    parser.add_argument("--quick", action="store_true", help="leave out the degradations")
    args = parser.parse_args()
    began = time.monotonic()
    stated = json.loads((args.model / "model.json").read_text())["quality"]
    if not isinstance(stated["validation"]["auc"], dict):
        print(
            f"error: {args.model}: figures without intervals\nhint: write them anew with training/card.py",
            file=sys.stderr,
        )
        return 2
    try:
        found = measured(args.model.resolve(), args.data, not args.quick)
    except (FileNotFoundError, RuntimeError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps(found, indent=2))
    wrong = differences(stated, found)
    for line in wrong:
        print(f"differs: {line}", file=sys.stderr)
    print(
        f"{'the figures differ' if wrong else 'the figures of model.json are reproduced'} "
        f"({time.monotonic() - began:.0f} s)",
        file=sys.stderr,
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
