# SPDX-License-Identifier: Apache-2.0
"""What the measuring programs beside this file ask of the machine (Linux's /proc)."""

import os
import platform
from pathlib import Path


def processor():
    """The processor's name, for reports."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"


def tree(pid):
    """The process and its descendants that still live."""
    yield pid
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from tree(int(child))
    except OSError:
        return


def cpu_seconds(pid):
    """User and system time of the process and of all that it has started."""
    return sum(map(_ticks, tree(pid))) / os.sysconf("SC_CLK_TCK")


def _ticks(pid):
    """Of a process and of its children that have ended."""
    try:
        return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
    except OSError:
        return 0
