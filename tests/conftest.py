# SPDX-License-Identifier: Apache-2.0
"""Where the real program is, for all tests that run it."""

import os
import subprocess
import time
from pathlib import Path

import pytest
from making import ROOT
from running import Server, await_listeners


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


@pytest.fixture(scope="session")
def start_unmask(unmask, clean_environment, tmp_path_factory):
    """start_unmask(*flags) gives a Server, or what `kind` says, once all its listeners are there.

    `env` replaces the environment. All servers end with the session."""
    started = []

    def start(*flags, kind=Server, listen="127.0.0.1:0", listeners=1, env=None, cwd=None):
        data = tmp_path_factory.mktemp("serve")
        log = data.with_suffix(".log")
        with open(log, "w") as errors:
            process = subprocess.Popen(
                [unmask, "serve", "--listen", listen, "--data", data, *map(str, flags)],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=env or clean_environment,
                cwd=cwd or data,
            )
        started.append(process)
        server = kind(process, data, log)
        await_listeners(server, listeners)
        return server

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.fixture
def until():
    """until(condition) waits for what another process does, and fails when it does not."""

    def until(condition, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.02)

    return until
