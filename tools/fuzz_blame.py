#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whose fault are a fuzzer's crashes: tools/fuzz_blame.py FUZZER FOLDER LIBRARY

Runs FUZZER again on each file of FOLDER and looks at the stack of what stops it. Of the innermost frames
that lie in LIBRARY (a part of its file's name) or in our sources, the first has the blame. Exit code 1 when a
fault is ours or nobody's: one without such a frame, as an input that fills the memory bit by bit."""

import argparse
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

FRAME = re.compile(r"^\s*#\d+ 0x[0-9a-f]+ +\((?P<module>[^()]+)\+(?P<offset>0x[0-9a-f]+)\)", re.MULTILINE)
LIMITS = ["-timeout=10", "-rss_limit_mb=1024", "-malloc_limit_mb=1024"]


def source_of(program: str, offset: str) -> str:
    """The source file of a place in a program; ?? where there is none, as in a sanitizer's runtime."""
    command = ["addr2line", "-e", program, offset]
    return subprocess.run(command, capture_output=True, text=True).stdout


def blame(report: str, fuzzer: str, library: str, source=source_of) -> str:
    """ "library", "ours" or "nobody", of what a sanitizer or libFuzzer wrote without symbols."""
    for frame in FRAME.finditer(report):
        if library in Path(frame["module"]).name:
            return "library"
        if frame["module"] == fuzzer and re.search(r"(^|/)(src|fuzz)/", source(fuzzer, frame["offset"])):
            return "ours"
    return "nobody"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fuzzer", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("library")
    arguments = parser.parse_args()
    fuzzer = str(arguments.fuzzer.resolve())
    plain = os.environ | {"ASAN_OPTIONS": "symbolize=0", "UBSAN_OPTIONS": "symbolize=0"}
    count = Counter()
    for file in sorted(arguments.folder.iterdir()):
        command = [fuzzer, *LIMITS, file]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=plain)
        fault = "not again" if done.returncode == 0 else blame(done.stderr, fuzzer, arguments.library)
        count[fault] += 1
        if fault in ("ours", "nobody"):
            print(f"{file}: {fault}\n{done.stderr}", file=sys.stderr)
    print(
        f"{arguments.fuzzer.name}: {count['library']} faults of {arguments.library}, {count['ours']} of "
        f"ours, {count['nobody']} of nobody's, {count['not again']} that did not come again"
    )
    return 1 if count["ours"] + count["nobody"] > 0 else 0


if __name__ == "__main__":
    sys.exit(main())
