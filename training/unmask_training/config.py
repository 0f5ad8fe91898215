# SPDX-License-Identifier: Apache-2.0
"""Configuration files of runs: TOML, where `extends = "NAME"` takes over NAME.toml, table by table."""

import tomllib
from pathlib import Path


def load(file: Path) -> dict:
    own = tomllib.loads(file.read_text())
    if "extends" not in own:
        return own
    merged = load(file.with_name(f"{own.pop('extends')}.toml"))
    for key, value in own.items():
        merged[key] = {**merged.get(key, {}), **value} if isinstance(value, dict) else value
    return merged
