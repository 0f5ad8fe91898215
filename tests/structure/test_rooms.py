# SPDX-License-Identifier: Apache-2.0
"""The rooms of src/ depend on each other in one direction, and every file says its licence."""

import itertools
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
ORDER = ["base", "client", "media", "model", "face", "analysis", "render", "evaluation", "extract"]
ORDER += ["feedback", "http", "socketio", "api", "compat", "serving", "cli"]


def source_files():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.cpp", "*.hpp"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    names = listed.stdout.splitlines() if listed.returncode == 0 else []
    files = [ROOT / name for name in names] or [
        path for folder in ("src", "include", "fuzz") for path in (ROOT / folder).rglob("*.?pp")
    ]
    return [path for path in files if path.exists() and "third_party" not in path.parts]


def includes(path):
    return re.findall(r'^\s*#\s*include\s*"([^"]+)"', path.read_text(), flags=re.MULTILINE)


def rooms_used(room):
    """The rooms whose headers the room's files include."""
    used = {}
    for path in source_files():
        if path.is_relative_to(SRC / room):
            for header in includes(path):
                first = header.split("/")[0]
                if first in ORDER and first != room:
                    used.setdefault(first, []).append(path.relative_to(ROOT).as_posix())
    return used


def rooms_declared(room):
    """USES of the room's CMakeLists."""
    text = (SRC / room / "CMakeLists.txt").read_text()
    call = re.search(r"unmask_room\(\s*" + room + r"\b([^)]*)\)", text)
    assert call, f"src/{room}/CMakeLists.txt does not call unmask_room({room} ...)"
    words = call.group(1).split()
    if "USES" not in words:
        return []
    rest = words[words.index("USES") + 1 :]
    names = itertools.takewhile(lambda word: not word.isupper(), rest)
    return [name for name in names if name in ORDER]  # others are parts of the room itself


def test_every_room_has_its_place():
    rooms = {path.name for path in SRC.iterdir() if path.is_dir() and any(path.rglob("*.?pp"))}
    assert rooms <= set(ORDER), "put the new room into ORDER and into CMakeLists.txt"
    order_in_cmake = re.search(r"foreach\(room ([a-z ]+)\)", (ROOT / "CMakeLists.txt").read_text()).group(1)
    assert order_in_cmake.split() == ORDER


@pytest.mark.parametrize("room", ORDER)
def test_room_includes_only_rooms_above_it(room):
    above = ORDER[: ORDER.index(room)]
    below = {used: files for used, files in rooms_used(room).items() if used not in above}
    assert not below, f"{room} may include only {above}"


@pytest.mark.parametrize("room", [room for room in ORDER if (SRC / room / "CMakeLists.txt").exists()])
def test_cmake_declares_what_a_room_includes(room):
    declared = rooms_declared(room)
    allowed, todo = set(), list(declared)
    while todo:  # a room may include what the rooms that it uses use: CMake passes them on
        used = todo.pop()
        if used not in allowed:
            allowed.add(used)
            todo += rooms_declared(used)
    above = ORDER[: ORDER.index(room)]
    assert set(declared) <= set(above), f"USES of {room} may name only {above}"
    missing = {used: files for used, files in rooms_used(room).items() if used not in allowed}
    assert not missing, f"USES of src/{room}/CMakeLists.txt lacks them"


def test_public_headers_include_no_room():
    for path in source_files():
        if path.is_relative_to(ROOT / "include"):
            assert all(header.startswith("unmask/") for header in includes(path)), path


def test_every_file_says_its_licence():
    lacking = [
        path.relative_to(ROOT).as_posix()
        for path in source_files()
        if not path.read_text().startswith("// SPDX-License-Identifier: Apache-2.0\n")
    ]
    assert not lacking


def test_headers_are_guarded():
    lacking = [
        path.relative_to(ROOT).as_posix()
        for path in source_files()
        if path.suffix == ".hpp" and "#pragma once" not in path.read_text()
    ]
    assert not lacking
