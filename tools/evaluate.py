#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the shipped model on the validation data and prints its figures beside the aims.

    tools/evaluate.py build/release/unmask [--data DIR] [--samples DIR] [--out DIR] [--quick]

DFDC validation faces as crops, under every degradation; the validation portraits and the sample clips as
whole media. Everything runs in `unmask evaluate`; this only asks and compares. JSON, page and scores of each
run go to --out. What is not there is said and left out. Exit status 0 also when an aim is missed.
"""

import argparse
import csv
import json
import subprocess
import sys
from pathlib import Path

from shipped import newest_card

ROOT = Path(__file__).resolve().parent.parent


def run(binary, out, name, arguments):
    """One evaluation; its JSON."""
    files = {kind: out / f"{name}.{kind}" for kind in ("json", "html", "csv")}
    command = [binary, "evaluate", "--json", files["json"], "--html", files["html"], "--scores", files["csv"]]
    command += [*arguments]
    print("$", *(str(word) for word in command), file=sys.stderr)
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    if done.returncode not in (0, 3) or not files["json"].exists():
        sys.exit(f"error: unmask evaluate ended with {done.returncode}")
    (out / f"{name}.txt").write_text(done.stdout)
    return json.loads(files["json"].read_text())


def percent(value):
    return "–" if value is None else f"{value * 100:.1f} %"


def number(value, digits=4):
    return "–" if value is None else f"{value:.{digits}f}"


def within(figure, show):
    interval = figure.get("interval")
    return "" if not interval else f"{show(interval[0])} – {show(interval[1])}"


class Table:
    def __init__(self):
        self.rows = [("figure", "aim", "measured", "95 % interval", "")]

    def add(self, name, aim, figure, show, reached):
        value = figure["value"]
        verdict = "–" if value is None else "reached" if reached(value) else "missed"
        self.rows.append((name, aim, show(value), within(figure, show), verdict))

    def say(self, name, aim, text, verdict=""):
        self.rows.append((name, aim, text, "", verdict))

    def print(self):
        widths = [max(len(row[i]) for row in self.rows) for i in range(5)]
        for i, row in enumerate(self.rows):
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
            if i == 0:
                print("  ".join("-" * width for width in widths))


def faces(table, result):
    figures = result["figures"]
    degraded = {d["name"]: d for d in result["degraded"]}
    table.add("AUC, clean", "0.975 or more", figures["auc"], number, lambda v: v >= 0.975)
    table.add("TPR at FPR 1 %", "75 % or more", figures["tpr_at_fpr_1"], percent, lambda v: v >= 0.75)
    table.add("ECE after calibration", "0.03 or less", figures["ece"], number, lambda v: v <= 0.03)
    for name, words in (("jpeg_40", "JPEG 40"), ("scale_0.5", "x0.5 scaling"), ("h264_crf_32", "crf 32")):
        if name in degraded:
            change = degraded[name]["auc_change"]
            table.add(f"AUC change, {words}", "-0.015 or better", change, number, lambda v: v >= -0.015)
    for name, words in (("jpeg_60", "JPEG 60"), ("h264_crf_32", "crf 32")):
        if name in degraded:
            flips = degraded[name]["flips"]
            table.add(f"verdicts flipped, {words}", "5 % or less", flips, percent, lambda v: v <= 0.05)


def portraits(table, result):
    accused = result["figures"]["verdicts"]["real_called_manipulated"]
    table.add(
        "real portraits called manipulated", "2 % or less", accused, percent, lambda value: value <= 0.02
    )


def samples(table, scores):
    rows = list(csv.DictReader(scores.open(newline="")))
    accused = [r["path"] for r in rows if r["label"] == "real" and r["verdict"] == "manipulated"]
    missed = [
        r["path"]
        for r in rows
        if r["label"] == "fake"
        and not (r["verdict"] == "manipulated" or (r["verdict"] == "inconclusive" and r["reasons"]))
    ]
    aim = "no real clip accused, no fake cleared"
    text = f"{len(rows)} clips: {len(accused)} real accused, {len(missed)} fake cleared"
    table.say("sample clips", aim, text, "missed" if accused or missed else "reached")


def stated_iou(table):
    """The heat map's overlap as the newest card states it: training/card.py measures it."""
    mask = newest_card().get("quality", {}).get("mask")
    if mask is None:
        table.say("heat-map IoU", "1.5 x ellipse", "none stated in the card")
        return
    times = mask["iou"] / mask["ellipse_iou"]
    text = f"{mask['iou']:.3f}, {times:.2f} x {mask['ellipse_iou']:.3f} (from the card)"
    table.say("heat-map IoU", "1.5 x ellipse", text, "reached" if times >= 1.5 else "missed")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("binary", type=Path)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--samples", type=Path, default=ROOT.parent / "shared/samples")
    parser.add_argument("--out", type=Path, default=ROOT / "build/evaluation")
    parser.add_argument("--quick", action="store_true", help="leave out the degradations")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    table, done = Table(), 0

    tars = sorted(args.data.glob("dfdc-faces-*.tar"))
    if tars:
        arguments = ["--input", "crops", "--split", "val", "--list", args.data / "dfdc-faces.csv"]
        arguments += ["--cluster-column", "original", *([] if args.quick else ["--degrade"])]
        faces(table, run(args.binary, args.out, "dfdc-val", [*arguments, *tars]))
        done += 1
    else:
        print(f"skipped: no dfdc-faces-*.tar in {args.data}; name the folder with DATA=", file=sys.stderr)

    tars = sorted(args.data.glob("portraits-*.tar"))
    if tars:
        arguments = ["--label", "real", "--split", "val", "--list", args.data / "portraits.csv"]
        arguments += ["--cluster-column", "person", "--group-column", "source"]
        portraits(table, run(args.binary, args.out, "portraits-val", [*arguments, *tars]))
        done += 1
    else:
        print(f"skipped: no portraits-*.tar in {args.data}; name the folder with DATA=", file=sys.stderr)

    if args.samples.is_dir():
        run(args.binary, args.out, "samples", [args.samples])
        samples(table, args.out / "samples.csv")
        done += 1
    else:
        print(f"skipped: no sample clips ({args.samples})", file=sys.stderr)

    if done == 0:
        print("nothing was measured: the data are not there")
        return
    table.say("AUC, held-out families", "0.80 or more", "not measured here: training/EXPERIMENTS.md")
    stated_iou(table)
    table.print()
    print(f"\nEvery figure, page and score: {args.out}")


if __name__ == "__main__":
    main()
