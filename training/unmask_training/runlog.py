# SPDX-License-Identifier: Apache-2.0
"""A run's logs: CSV files to which rows are added while it runs, and the short one that is kept."""

import csv
from pathlib import Path

from . import plot


def write(file: Path, row: dict) -> None:
    """Appends a row; columns that the file does not have yet are empty in the rows before."""
    rows = read(file)
    columns = list(dict.fromkeys([*row, *(rows[0] if rows else {})]))
    if rows and list(rows[0]) == list(row):
        with open(file, "a", newline="") as handle:
            csv.DictWriter(handle, columns, lineterminator="\n").writerow(row)
        return
    with open(file, "w", newline="") as handle:
        writer = csv.DictWriter(handle, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows([*rows, row])


def read(file: Path) -> list[dict]:
    if not file.exists():
        return []
    with open(file, newline="") as handle:
        return list(csv.DictReader(handle))


def forget_after(file: Path, step: int) -> None:
    """Drops the rows of steps that a resumed run will do again."""
    rows = [row for row in read(file) if int(row["step"]) <= step]
    file.unlink(missing_ok=True)
    for row in rows:
        write(file, row)


def summarise(run: Path, file: Path, every: int = 100) -> None:
    """The run's log in short: mean losses of `every` steps, and the validations; a plot beside it."""
    losses = read(run / "loss.csv")
    val = {int(row["step"]): row for row in read(run / "val.csv")}
    measures = list(dict.fromkeys(key for row in val.values() for key in row if key != "step"))
    columns = [c for c in ("loss", "mask_loss") if losses and c in losses[-1]]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    last = int(losses[-1]["step"]) if losses else 0
    rows = []
    for end in sorted({*range(every, last + 1, every), *val}):
        span = [row for row in losses if end - every < int(row["step"]) <= end] if end % every == 0 else []
        means = {c: f"{sum(float(r[c]) for r in span) / len(span):.4f}" if span else "" for c in columns}
        at = val.get(end, {})
        rows.append(
            {
                "step": end,
                **means,
                "rate": span[-1]["rate"] if span else "",
                **{key: at.get(key, "") for key in measures},
            }
        )
        write(file, rows[-1])
    if rows:
        file.with_suffix(".svg").write_text(plot.svg(rows))
