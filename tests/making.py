# SPDX-License-Identifier: Apache-2.0
"""What fixtures and tests make media from, in a module of its own: a conftest cannot be imported by name."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PORTRAIT = ROOT / "third_party" / "test_media" / "astronaut.png"


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True, timeout=120)
