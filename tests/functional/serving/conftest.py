# SPDX-License-Identifier: Apache-2.0
"""A server that offers the face model to programs that ask TensorFlow Serving or a KServe v2 server."""

import shutil
import subprocess

import numpy as np
import pytest
from making import ROOT
from running import Server

MODELS = ROOT / "models"


class Serving(Server):
    """One `unmask serve` and its listeners: unmask, tf-serving, kserve."""

    @property
    def kserve(self):
        """As tritonclient wants it."""
        return self.urls["kserve"].removeprefix("http://")

    @property
    def tf(self):
        return self.urls["tf-serving"]


@pytest.fixture(scope="session")
def start_serving(start_unmask):
    """start_serving(*flags, listeners=3, model="face:1") gives a Serving; all end with the session."""

    def start(*flags, listeners=3, model="face:1") -> Serving:
        addresses = ["--tf-serving", "127.0.0.1:0", "--kserve", "127.0.0.1:0"] if listeners == 3 else []
        return start_unmask("--model", model, *addresses, *flags, kind=Serving, listeners=listeners)

    return start


@pytest.fixture(scope="session")
def serving(start_serving) -> Serving:
    """One server for all tests that leave it as it was."""
    return start_serving()


@pytest.fixture(scope="session")
def faces() -> np.ndarray:
    """Three inputs of the face model: no pictures of anybody, but within its range."""
    random = np.random.default_rng(11)
    return random.uniform(-1, 1, (3, 3, 160, 160)).astype(np.float32)


@pytest.fixture(scope="session")
def logits(unmask, faces) -> np.ndarray:
    """What the model gives for them in a process of its own, one by one."""
    probe = unmask.parent / "network-probe"
    if not probe.exists():
        pytest.fail(f"{probe} is missing: build it (make build)", pytrace=False)
    file = MODELS / "face" / "1" / "face.xml"
    command = [probe, file, "1", "3", "160", "160"]
    done = [
        subprocess.run(command, input=face.tobytes(), capture_output=True, check=True, timeout=120).stdout
        for face in faces
    ]
    return np.array([np.frombuffer(out[-4:], np.float32)[0] for out in done])


@pytest.fixture
def models(tmp_path):
    """A repository with face:1 and face:2."""
    for version in ("1", "2"):
        shutil.copytree(MODELS / "face" / version, tmp_path / "models" / "face" / version)
    return tmp_path / "models"
