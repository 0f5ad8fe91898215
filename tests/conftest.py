# SPDX-License-Identifier: Apache-2.0
"""Where the real program is, for all tests that run it."""

import os
import time
from pathlib import Path

import pytest
from making import ROOT


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


@pytest.fixture
def until():
    """until(condition) waits for what another process does, and fails when it does not."""

    def until(condition, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.02)

    return until
