# SPDX-License-Identifier: Apache-2.0
"""A training log as a small SVG: losses above, validation below."""

WIDTH, HEIGHT, LEFT, GAP = 640, 170, 46, 34
INK = (
    "#1f5fa8",
    "#c2571a",
    "#2d7d46",
    "#8a3fa0",
    "#a08a1f",
    "#5a5a5a",
    "#b03060",
    "#00808a",
    "#7a5230",
    "#4b4bd0",
    "#90a000",
    "#d04b90",
)


def panel(rows: list[dict], columns: list[str], top: int) -> str:
    """One diagram of some columns against `step`; empty cells are skipped."""
    points = {c: [(int(r["step"]), float(r[c])) for r in rows if r.get(c) not in ("", None)] for c in columns}
    values = [v for line in points.values() for _, v in line]
    if not values:
        return ""
    low, high = min(values), max(values)
    span, last = (high - low) or 1.0, int(rows[-1]["step"])
    parts = [
        f'<rect x="{LEFT}" y="{top}" width="{WIDTH - LEFT - 150}" height="{HEIGHT}" '
        'fill="none" stroke="#999"/>',
        f'<text x="{LEFT - 4}" y="{top + 10}" text-anchor="end">{high:.3f}</text>',
        f'<text x="{LEFT - 4}" y="{top + HEIGHT}" text-anchor="end">{low:.3f}</text>',
        f'<text x="{WIDTH - 150}" y="{top + HEIGHT + 14}" text-anchor="end">step {last}</text>',
    ]
    for i, (name, line) in enumerate(points.items()):
        path = " ".join(
            f"{LEFT + x / last * (WIDTH - LEFT - 150):.1f},{top + HEIGHT - (y - low) / span * HEIGHT:.1f}"
            for x, y in line
        )
        ink = INK[i % len(INK)]
        parts.append(f'<polyline points="{path}" fill="none" stroke="{ink}" stroke-width="1.5"/>')
        parts.append(f'<text x="{WIDTH - 142}" y="{top + 14 + 16 * i}" fill="{ink}">{name}</text>')
    return "\n".join(parts)


def svg(rows: list[dict]) -> str:
    losses = [c for c in rows[0] if c.endswith("loss")]
    measures = [c for c in rows[0] if c.startswith(("val_", "auc_", "family_"))]
    high = 2 * HEIGHT + 2 * GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {high}" font-family="sans-serif" '
        f'font-size="11">\n<rect width="100%" height="100%" fill="#fff"/>\n'
        f"{panel(rows, losses, 8)}\n{panel(rows, measures, HEIGHT + GAP)}\n</svg>\n"
    )
