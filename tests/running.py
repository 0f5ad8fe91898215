# SPDX-License-Identifier: Apache-2.0
"""A running `unmask serve`, in a module of its own: a conftest cannot be imported by name."""

import re
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Server:
    """The process, its folder for uploads, its log, and its listeners by name: "unmask" is the main one."""

    process: subprocess.Popen
    data: Path
    log: Path
    urls: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.urls["unmask"]

    def stop(self, sig=signal.SIGTERM) -> int:
        self.process.send_signal(sig)
        return self.process.wait(60)


def await_listeners(server: Server, count: int):
    """Reads the addresses that the server announces; AssertionError with its log when it does not."""
    for _ in range(count):
        line = server.process.stdout.readline()
        found = re.fullmatch(r"(\S+) is listening on (http://\S+)\n", line)
        assert found, f"the server did not start: {line}{server.log.read_text()}"
        server.urls[found[1]] = found[2]
