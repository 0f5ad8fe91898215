# SPDX-License-Identifier: Apache-2.0
"""Fixtures for tests of the real program: where it is, how to run it, and media to run it on.

The media are made with ffmpeg from one public-domain portrait (NASA's astronaut, fetched by tools/setup.sh),
whose only face lies at about x = 175..270, y = 65..190.
"""

import os
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PORTRAIT = ROOT / "third_party" / "test_media" / "astronaut.png"
SAMPLES = ROOT.parent / "shared" / "samples"


@pytest.fixture(scope="session")
def unmask() -> Path:
    """The program: $UNMASK_BINARY or the release build."""
    binary = Path(os.environ.get("UNMASK_BINARY", ROOT / "build" / "release" / "unmask")).resolve()
    if not binary.exists():
        pytest.fail(f"{binary} is missing: build it (make build) or set UNMASK_BINARY", pytrace=False)
    return binary


@pytest.fixture(scope="session")
def clean_environment() -> dict[str, str]:
    """The environment without what would change the program's output."""
    drop = {"NO_COLOR", "COLUMNS", "UNMASK_BINARY"}
    return {k: v for k, v in os.environ.items() if k not in drop and not k.startswith("UNMASK_")}


@pytest.fixture
def run(unmask, clean_environment):
    """Runs the program to its end: run("scan", file, code=3, env={...})."""

    def run(*arguments, code=None, env=None, cwd=None, timeout=120):
        done = subprocess.run(
            [unmask, *map(str, arguments)],
            capture_output=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            env=clean_environment | (env or {}),
            cwd=cwd,
            timeout=timeout,
        )
        if code is not None:
            assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return run


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True, timeout=120)


def png_header_of(width: int, height: int) -> bytes:
    """A PNG that claims to be large and holds nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")


@pytest.fixture(scope="session")
def media(tmp_path_factory) -> Path:
    """A folder of good and bad files, made once. Read only: copy what a test changes."""
    if not PORTRAIT.exists():
        pytest.fail(f"{PORTRAIT} is missing: run tools/setup.sh --tests", pytrace=False)
    folder = tmp_path_factory.mktemp("media")
    still = ["-loop", 1, "-i", PORTRAIT]
    zoom = "scale=1024:1024,zoompan=z='1+0.2*on/75':d=1:s=512x512:fps=25"
    x264 = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"]

    shutil.copy(PORTRAIT, folder / "portrait.png")
    for name in ("portrait.jpg", "portrait.webp", "portrait.bmp", "portrait.gif"):
        ffmpeg("-i", PORTRAIT, "-frames:v", 1, folder / name)
    ffmpeg(*still, "-vf", zoom, "-t", 3, *x264, "-g", 25, folder / "clip.mp4")
    clip = folder / "clip.mp4"
    for name in ("clip.mov", "clip.mkv"):
        ffmpeg("-i", clip, "-c", "copy", folder / name)
    ffmpeg("-i", clip, "-t", 1, "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", 8, folder / "vp9.webm")
    ffmpeg("-i", clip, "-t", 1, "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", 8, folder / "vp8.webm")
    ffmpeg("-i", clip, "-t", 1, "-c:v", "mpeg4", "-q:v", 3, folder / "mpeg4.avi")
    ffmpeg("-i", clip, "-t", 1, "-c:v", "mjpeg", "-q:v", 3, folder / "mjpeg.avi")
    ffmpeg("-i", clip, "-t", 1, "-c:v", "libx264", "-pix_fmt", "yuv420p10le", folder / "ten_bit.mp4")
    ffmpeg("-i", clip, "-t", 1, "-c:v", "libx265", "-x265-params", "log-level=error", folder / "hevc.mp4")
    ffmpeg("-i", clip, "-vf", "split[a][b];[b]hflip[c];[a][c]hstack", "-t", 2, *x264, folder / "two_people.mp4")
    ffmpeg("-i", clip, "-vf", "crop=511:509:0:0", "-t", 1, "-c:v", "libx264", "-pix_fmt", "yuv444p", folder / "odd.mp4")
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=320x240:rate=25", "-t", 2, *x264, folder / "no_face.mp4")

    bad = folder / "bad"
    bad.mkdir()
    (bad / "empty.mp4").touch()
    (bad / "text.mp4").write_text("This is no video, whatever its name says.\n" * 100)
    (bad / "noise.mp4").write_bytes(bytes((i * 7919 + i // 251) % 256 for i in range(50_000)))
    data = clip.read_bytes()
    (bad / "truncated.mp4").write_bytes(data[: len(data) // 2])  # the index is at the end
    (bad / "huge.png").write_bytes(png_header_of(60_000, 60_000))
    ffmpeg("-f", "lavfi", "-i", "sine", "-t", 1, bad / "audio_only.mp4")
    ffmpeg("-f", "lavfi", "-i", "testsrc", "-frames:v", 0, "-c:v", "mpeg4", "-f", "avi", bad / "zero_frames.avi")
    return folder


@pytest.fixture(scope="session")
def samples() -> Path:
    """Clips of known origin that are not part of the repository."""
    if not SAMPLES.is_dir():
        pytest.skip(f"the sample clips are not there ({SAMPLES})")
    return SAMPLES
