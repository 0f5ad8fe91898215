# SPDX-License-Identifier: Apache-2.0
"""What a decoding process does to the system, seen by strace: nothing but read its one file.

The sandbox itself is tested from inside by src/media/decoder/sandbox_test.cpp.
"""

import re
import shutil
import subprocess
from collections import defaultdict

import pytest
from making import PORTRAIT, avif, ffmpeg, heic

# What may not be tried, not even in vain, once the media has arrived.
FORBIDDEN = re.compile(
    r"^(open|openat|openat2|creat|stat|newfstatat|access|readlink|socket|connect|bind|sendto|execve|fork|vfork|"
    r"clone|clone3|ptrace|kill|mount|unshare|setns)\("
)


@pytest.fixture(scope="module")
def strace():
    program = shutil.which("strace")
    if (
        not program
        or subprocess.run([program, "-o", "/dev/null", "true"], capture_output=True).returncode != 0
    ):
        pytest.skip("strace is missing or ptrace is not permitted")
    return program


@pytest.fixture(scope="module")
def probe(unmask):
    """Decodes as `unmask scan` does, but needs no model."""
    program = unmask.parent / "decode-probe"
    if not program.exists():
        pytest.skip(f"{program} is missing: build with tests")
    return program


def calls_of_decoders(log):
    """For each process that locked itself in and got a file, its system calls from then on."""
    calls = defaultdict(list)
    for line in log.read_text(errors="replace").splitlines():
        pid, call = line.split(None, 1)
        calls[pid].append(call)
    for lines in calls.values():
        locked = [i for i, line in enumerate(lines) if "PR_SET_NO_NEW_PRIVS" in line]
        got_file = [i for i, line in enumerate(lines) if "recvmsg" in line and "SCM_RIGHTS" in line]
        if locked and got_file[-1:] > locked:
            yield lines[min(i for i in got_file if i > locked[0]) + 1 :]


CLIPS = {
    "clip.mp4": ["-c:v", "libx264", "-bf", "2", "-pix_fmt", "yuv420p"],
    "clip.webm": ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"],
    "clip.avi": ["-c:v", "mjpeg"],
}


@pytest.mark.parametrize(
    "name",
    ["portrait.png", "picture.jpg", "picture.webp", "picture.gif", "picture.heic", "picture.avif", *CLIPS],
)
def test_a_decoder_opens_nothing_once_it_has_its_file(name, probe, clean_environment, strace, tmp_path):
    media = tmp_path / name
    if name == "portrait.png":
        shutil.copy(PORTRAIT, media)
    elif name in CLIPS:
        ffmpeg("-loop", 1, "-framerate", 25, "-i", PORTRAIT, "-t", 1, *CLIPS[name], media)
    elif name == "picture.heic":
        heic(PORTRAIT, media)
    elif name == "picture.avif":
        avif(PORTRAIT, media, "-g", "2x2")
    else:
        ffmpeg("-i", PORTRAIT, media)
    log = tmp_path / "strace"
    command = [strace, "-f", "-o", log, probe, media]
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environment, timeout=120)
    assert done.returncode == 0, done.stdout
    decoders = list(calls_of_decoders(log))
    assert len(decoders) == 1
    assert any(call.startswith(("pread64", "mmap")) for call in decoders[0]), "read nothing"
    assert [call for call in decoders[0] if FORBIDDEN.match(call)] == []


@pytest.mark.parametrize(
    "content",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://CANARY\n",
        "ffconcat version 1.0\nfile CANARY\n",
        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nm=video 5004 RTP/AVP 96\r\n",
        '<svg xmlns="http://www.w3.org/2000/svg"><image href="file://CANARY"/></svg>',
    ],
)
def test_a_playlist_in_disguise_is_refused_and_nothing_in_it_is_opened(
    content, probe, clean_environment, strace, tmp_path
):
    canary = tmp_path / "canary.ts"
    canary.write_bytes(b"G" + bytes(187))
    media = tmp_path / "clip.mp4"
    media.write_text(content.replace("CANARY", str(canary)))
    log = tmp_path / "strace"
    command = [strace, "-f", "-o", log, probe, media]
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environment, timeout=120)
    assert done.returncode == 3
    assert "unsupported_media" in done.stdout
    assert f'"{canary}"' not in log.read_text(errors="replace")
    assert [call for calls in calls_of_decoders(log) for call in calls if FORBIDDEN.match(call)] == []
