# SPDX-License-Identifier: Apache-2.0
"""The way through docs/models.md, every command of it: from a notebook's .h5 to a canary at 5 %."""

import os
import re
import shutil
import socket
import subprocess

import pytest
from keras_models import fill, quick_keras
from making import PORTRAIT, ROOT, ffmpeg

keras = quick_keras()

PAGE = (ROOT / "docs" / "models.md").read_text()
MARK = "\x01"  # in the output after each command, with its exit status


def steps(page):
    """(command, expected output) of each console block, in order."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        lines = iter(block.splitlines())
        for line in lines:
            if not line.startswith("$ "):
                found[-1][1].append(line)
                continue
            command = line[2:]
            while command.endswith("\\"):
                command += "\n" + next(lines)
            if heredoc := re.search(r"<<'(\w+)'$", command):
                for more in lines:
                    command += "\n" + more
                    if more == heredoc[1]:
                        break
            found.append((command, []))
    return found


def fits(expected, printed):
    """Whether lines are as expected; a line `...` stands for any lines, `...` in a line for any text."""
    pattern = ""
    for line in expected:
        if line == "...":
            pattern += r"(.*\n)*"
        else:
            pattern += ".*".join(map(re.escape, line.split("..."))) + r" *\n"
    return re.fullmatch(pattern, printed) is not None


def test_the_page_has_no_command_that_is_not_run():
    outside = re.sub(r"^```.*?^```$", "", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert not re.findall(r"^    (?:unmask|curl|python|cp|mkdir) .*", outside, re.MULTILINE)
    assert len(steps(PAGE)) > 15


@pytest.fixture
def desk(tmp_path):
    """What the reader has: two files of a notebook, a picture, and labelled ones."""
    for name in ("notebook.h5", "notebook2.h5"):
        image = keras.Input((32, 32, 3))
        x = keras.layers.Conv2D(8, 3, strides=2, activation="relu")(image)
        x = keras.layers.Dropout(0.5)(keras.layers.GlobalAveragePooling2D()(x))
        model = fill(keras.Model(image, keras.layers.Dense(1, activation="sigmoid")(x)))
        model.save(tmp_path / name)
    shutil.copy(PORTRAIT, tmp_path / "holiday.png")
    for label in ("real", "fake"):
        (tmp_path / "labelled" / label).mkdir(parents=True)
        for i in range(4):
            change = f"eq=brightness={0.02 * i}" + (",gblur=2" if label == "fake" else "")
            ffmpeg("-i", PORTRAIT, "-vf", change, tmp_path / "labelled" / label / f"{i}.png")
    return tmp_path


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_the_way_from_a_notebook_to_a_canary(desk, unmask, clean_environment):
    address = f"127.0.0.1:{free_port()}"
    commands = steps(PAGE)
    script = "exec 2>&1\n"
    for command, _ in commands:
        run = command.replace("127.0.0.1:8080", address)
        run = run.replace("unmask serve ", f"unmask serve --listen {address} --model-interval 0.1 ")
        script += f"{run}\nprintf '{MARK}%d\\n' $?\n"
    path = f"{unmask.parent}{os.pathsep}{os.environ['PATH']}"
    (desk / "page.sh").write_text(script)
    shell = subprocess.Popen(
        ["bash", "page.sh"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        cwd=desk,
        env=clean_environment | {"PATH": path},
        start_new_session=True,
    )
    try:
        output, _ = shell.communicate(timeout=300)
    finally:
        if shell.poll() is None:
            os.killpg(shell.pid, 9)
    printed = re.split(f"{MARK}(\\d+)\n", output)
    assert len(printed) == 2 * len(commands) + 1, output
    for (command, expected), text, status in zip(commands, printed[::2], printed[1::2], strict=False):
        assert status == "0", (command, text)
        assert fits(expected, text), f"$ {command}\n{text}expected:\n" + "\n".join(expected)
