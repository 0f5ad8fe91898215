# SPDX-License-Identifier: Apache-2.0
"""A running server for the tests beside this file."""

from functools import partial
from pathlib import Path

import pytest
import requests
from running import Server


class Served(Server):
    """One `unmask serve` and how to talk to it."""

    def get(self, path, **options):
        return requests.get(self.url + path, timeout=120, **options)

    def delete(self, path, **options):
        return requests.delete(self.url + path, timeout=120, **options)

    def post(self, file, query="", **options):
        """Uploads a file as the part `file`."""
        with open(file, "rb") as content:
            parts = {"file": (Path(file).name, content)}
            return requests.post(self.url + "/v1/analyses" + query, files=parts, timeout=300, **options)


@pytest.fixture(scope="session")
def start_server(start_unmask):
    """start_server(*flags) gives a Served; all end with the session."""
    return partial(start_unmask, kind=Served)


@pytest.fixture(scope="session")
def server(start_server) -> Served:
    """One server for all tests that leave it as it was."""
    return start_server()
