# SPDX-License-Identifier: Apache-2.0
"""What fixtures and tests make media from, in a module of its own: a conftest cannot be imported by name."""

import struct
import subprocess
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PORTRAIT = ROOT / "third_party" / "test_media" / "astronaut.png"


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True, timeout=120)


def heic(source, target):
    """A HEIC picture, as phones write them but for its tiles."""
    command = ["heif-enc", "-q", "90", source, "-o", target]
    subprocess.run(command, check=True, timeout=120, capture_output=True)


def avif(source, target, *options):
    command = ["avifenc", "-s", "10", "--min", "5", "--max", "10", *options, source, target]
    subprocess.run(command, check=True, timeout=120, capture_output=True)


def png_header_of(width: int, height: int) -> bytes:
    """A PNG that claims to be large and holds nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 64))
        + chunk(b"IEND", b"")
    )
