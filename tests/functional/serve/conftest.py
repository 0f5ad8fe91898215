# SPDX-License-Identifier: Apache-2.0
"""A running server for the tests beside this file."""

import re
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests


@dataclass
class Served:
    """One `unmask serve` and how to talk to it."""

    process: subprocess.Popen
    url: str
    data: Path
    log: Path

    def get(self, path, **options):
        return requests.get(self.url + path, timeout=120, **options)

    def delete(self, path, **options):
        return requests.delete(self.url + path, timeout=120, **options)

    def post(self, file, query="", **options):
        """Uploads a file as the part `file`."""
        with open(file, "rb") as content:
            parts = {"file": (Path(file).name, content)}
            return requests.post(self.url + "/v1/analyses" + query, files=parts, timeout=300, **options)

    def stop(self, sig=signal.SIGTERM) -> int:
        self.process.send_signal(sig)
        return self.process.wait(60)


@pytest.fixture(scope="session")
def start_server(unmask, clean_environment):
    """start_server(*flags) gives a Served; all end with the session."""
    started = []

    def start(*flags, listen="127.0.0.1:0") -> Served:
        data = Path(tempfile.mkdtemp(prefix="unmask-serve-"))
        log = data.with_suffix(".log")
        with open(log, "w") as errors:
            process = subprocess.Popen(
                [unmask, "serve", "--listen", listen, "--data", data, *map(str, flags)],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=clean_environment,
            )
        started.append(process)
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        if not found:
            pytest.fail(f"the server did not start: {line}{log.read_text()}")
        return Served(process, found.group(), data, log)

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def server(start_server) -> Served:
    """One server for all tests that leave it as it was."""
    return start_server()
