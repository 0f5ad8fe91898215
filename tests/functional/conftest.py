# SPDX-License-Identifier: Apache-2.0
"""Fixtures for tests of the real program: how to run it, and media to run it on.

The media are made with ffmpeg from one public-domain portrait (NASA's astronaut, fetched by tools/setup.sh),
whose only face lies at about x = 175..270, y = 65..190.
"""

import shutil
import subprocess
from pathlib import Path

import pytest
from making import PORTRAIT, ROOT, avif, ffmpeg, heic, png_header_of

SAMPLES = ROOT.parent / "shared" / "samples"


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


@pytest.fixture(scope="session")
def media(tmp_path_factory) -> Path:
    """A folder of good and bad files, made once. Read only: copy what a test changes."""
    if not PORTRAIT.exists():
        pytest.fail(f"{PORTRAIT} is missing: run tools/setup.sh --tests", pytrace=False)
    folder = tmp_path_factory.mktemp("media")
    x264 = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"]
    realtime = ["-deadline", "realtime", "-cpu-used", 8]

    shutil.copy(PORTRAIT, folder / "portrait.png")
    for name in ("portrait.jpg", "portrait.webp", "portrait.bmp", "portrait.gif"):
        ffmpeg("-i", PORTRAIT, "-frames:v", 1, folder / name)
    heic(PORTRAIT, folder / "portrait.heic")
    avif(PORTRAIT, folder / "portrait.avif", "-d", "10", "-g", "2x2")
    clip = folder / "clip.mp4"
    zoom = "scale=1024:1024,zoompan=z='1+0.2*on/75':d=1:s=512x512:fps=25"
    ffmpeg("-loop", 1, "-i", PORTRAIT, "-vf", zoom, "-t", 3, *x264, "-g", 25, clip)
    for name in ("clip.mov", "clip.mkv"):
        ffmpeg("-i", clip, "-c", "copy", folder / name)
    for name, codec in {
        "vp9.webm": ["libvpx-vp9", *realtime],
        "vp8.webm": ["libvpx", *realtime],
        "mpeg4.avi": ["mpeg4", "-q:v", 3],
        "mjpeg.avi": ["mjpeg", "-q:v", 3],
        "ten_bit.mp4": ["libx264", "-pix_fmt", "yuv420p10le"],
        "hevc.mp4": ["libx265", "-x265-params", "log-level=error"],
    }.items():
        ffmpeg("-i", clip, "-t", 1, "-c:v", *codec, folder / name)
    odd = ["-vf", "crop=511:509:0:0", "-pix_fmt", "yuv444p"]
    ffmpeg("-i", clip, "-t", 1, *odd, "-c:v", "libx264", folder / "odd.mp4")
    twice = "split[a][b];[b]hflip[c];[a][c]hstack"
    ffmpeg("-i", clip, "-vf", twice, "-t", 2, *x264, folder / "two_people.mp4")
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=320x240:rate=25", "-t", 2, *x264, folder / "no_face.mp4")

    bad = folder / "bad"
    bad.mkdir()
    (bad / "empty.mp4").touch()
    (bad / "text.mp4").write_text("This is no video, whatever its name says.\n" * 100)
    (bad / "noise.mp4").write_bytes(bytes((i * 7919 + i // 251) % 256 for i in range(50_000)))
    data = clip.read_bytes()
    (bad / "truncated.mp4").write_bytes(data[: len(data) // 2])  # the index is at the end
    (bad / "huge.png").write_bytes(png_header_of(60_000, 60_000))
    data = (folder / "portrait.heic").read_bytes()
    (bad / "truncated.heic").write_bytes(data[: len(data) // 2])
    size = data.index(b"ispe") + 8
    (bad / "huge.heic").write_bytes(data[:size] + bytes.fromhex("0000ea60") * 2 + data[size + 8 :])
    (bad / "noise.heic").write_bytes(data[:200] + (bad / "noise.mp4").read_bytes())
    (bad / "picture.jxl").write_bytes(bytes.fromhex("0000000c4a584c200d0a870a") + bytes(100))
    ffmpeg("-f", "lavfi", "-i", "sine", "-t", 1, bad / "audio_only.mp4")
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc", "-frames:v", 0, "-c:v", "mpeg4", "-f", "avi", bad / "zero_frames.avi"
    )
    return folder


@pytest.fixture(scope="session")
def samples() -> Path:
    """Clips of known origin that are not part of the repository."""
    if not SAMPLES.is_dir():
        pytest.skip(f"the sample clips are not there ({SAMPLES})")
    return SAMPLES
