# SPDX-License-Identifier: Apache-2.0
"""A server that stands in for the original services, and small media for it."""

import shutil
from pathlib import Path

import pytest
import requests
from making import PORTRAIT, avif, ffmpeg, heic, png_header_of
from running import Server

# What the originals read from their environment: set by a test, or not at all.
SETTINGS = {
    "PORT", "MODEL_NAME", "MODEL_VERSION", "TF_SERVING_URL", "DEFAULT_FPS", "MAX_FRAMES", "THRESHOLD",
    "REQUEST_TIMEOUT", "REQUIRE_AUTH", "JWT_SECRET", "MODEL_PATH", "LABEL_PATH", "MESONET_LABELS",
    "MESONET_CHANNELS", "FACE_DETECTION_MODELS",
}  # fmt: skip


class Contracts(Server):
    """One `unmask serve` with contracts on listeners of their own, under the contracts' names."""

    def analyses(self, limit=100):
        """What the native interface knows, newest first."""
        return requests.get(f"{self.urls['unmask']}/v1/analyses?limit={limit}", timeout=60).json()["analyses"]

    def faces(self, report_id):
        answer = requests.get(f"{self.urls['unmask']}/v1/analyses/{report_id}/faces?limit=1000", timeout=60)
        return answer.json()["faces"]


@pytest.fixture(scope="session")
def start_contracts(start_unmask, clean_environment):
    """start_contracts("web-upload", ..., flags=[...], env={...}) gives Contracts."""
    plain = {k: v for k, v in clean_environment.items() if k not in SETTINGS}

    def start(*names, flags=(), env=None) -> Contracts:
        listeners = [word for name in names for word in ("--contract", f"{name}=127.0.0.1:0")]
        return start_unmask(
            *listeners, *flags, kind=Contracts, listeners=len(names) + 1, env=plain | (env or {})
        )

    return start


@pytest.fixture(scope="session")
def server(start_contracts) -> Contracts:
    """One server for all tests that leave it as it was.

    It believes X-Forwarded-For, so that each test has an address of its own at web-upload, whose limits
    outlast a test."""
    flags = ["--trusted-proxy", "127.0.0.1"]
    return start_contracts("microservice-v1", "microservice-v2", "web-upload", flags=flags)


@pytest.fixture(scope="session")
def media(tmp_path_factory) -> Path:
    """A folder of small good and bad files, made once."""
    if not PORTRAIT.exists():
        pytest.fail(f"{PORTRAIT} is missing: run tools/setup.sh --tests", pytrace=False)
    folder = tmp_path_factory.mktemp("compat-media")
    x264 = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"]
    shutil.copy(PORTRAIT, folder / "portrait.png")
    ffmpeg("-i", PORTRAIT, "-frames:v", 1, folder / "portrait.jpg")
    ffmpeg("-i", PORTRAIT, "-frames:v", 1, "-vf", "format=gray", folder / "grey.png")
    heic(PORTRAIT, folder / "portrait.heic")
    avif(PORTRAIT, folder / "portrait.avif")
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=320x240", "-frames:v", 1, folder / "no_face.png")
    zoom = "scale=1024:1024,zoompan=z='1+0.2*on/75':d=1:s=512x512:fps=25"
    ffmpeg("-loop", 1, "-i", PORTRAIT, "-vf", zoom, "-t", 3, *x264, "-g", 25, folder / "clip.mp4")
    ffmpeg("-i", folder / "clip.mp4", "-frames:v", 1, *x264, folder / "one_frame.mp4")
    ffmpeg("-i", folder / "clip.mp4", "-t", 1, "-c:v", "libvpx", "-deadline", "realtime", folder / "vp8.webm")
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=320x240:rate=25", "-t", 2, *x264, folder / "no_face.mp4")
    halves = ["-i", folder / "clip.mp4", "-i", folder / "no_face.mp4"]
    joined = "[1]scale=512:512,setsar=1[b];[0]setsar=1[a];[a][b]concat"
    ffmpeg(*halves, "-filter_complex", joined, *x264, folder / "half_face.mp4")
    ffmpeg("-i", folder / "clip.mp4", "-t", 1, "-c:v", "mpeg4", "-q:v", 3, folder / "clip.avi")
    ffmpeg("-f", "lavfi", "-i", "sine", "-t", 1, folder / "audio.mp4")
    (folder / "empty.mp4").touch()
    data = (folder / "clip.mp4").read_bytes()
    (folder / "truncated.mp4").write_bytes(data[: len(data) // 2])  # the index is at the end
    # Long enough to be seen at work: decoding it takes seconds. Six seconds, ten times.
    zoom = "scale=1280:1280,zoompan=z='1+0.2*on/150':d=1:s=1280x1280:fps=25"
    ffmpeg(
        "-loop", 1, "-i", PORTRAIT, "-vf", zoom, "-t", 6,
        "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", folder / "six.mp4",
    )  # fmt: skip
    ffmpeg("-stream_loop", 9, "-i", folder / "six.mp4", "-c", "copy", folder / "long.mp4")
    (folder / "huge.png").write_bytes(png_header_of(60_000, 60_000))
    (folder / "text.png").write_text("This is no picture, whatever its name says.\n" * 10)
    (folder / "text.mp4").write_text("This is no video, whatever its name says.\n" * 10)
    return folder
