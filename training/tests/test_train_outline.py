# SPDX-License-Identifier: Apache-2.0
"""train_outline.py on a few made faces: it sees, learns, stops and resumes."""

import sys

import numpy as np
import pytest
import torch
import train_outline
from test_data import folder  # noqa: F401
from test_outline import SMALL, worn
from unmask_training import net, networks, outline

CONFIG = """
name = "small"
after = "trunk"
seed = 4

[train]
network = "small"
precision = "float32"
pairs = 1
families = 0
portraits = 0
threads = 1
sizes = [[0, 64]]

[outline]
faces = 6
steps = 4
batch = 3
rate = 1e-3
block_rate = 1e-4
warmup_steps = 1
weight_decay = 0.02
real = 0.5
save_every = 2
validate_every = 50
"""


@pytest.fixture
def run(folder, tmp_path, monkeypatch):  # noqa: F811
    """Runs it: run(name, *options) gives the exit code."""
    monkeypatch.setitem(networks.BY_NAME, "small", lambda _: outline.OutlinedNet(0.0, SMALL))
    (tmp_path / "small.toml").write_text(CONFIG)
    torch.manual_seed(2)
    trunk = worn(net.KindsNet(0.0, SMALL))
    torch.save({"model": trunk.state_dict()}, tmp_path / "trunk.pt")

    def start(name: str, *options: str) -> int:
        arguments = [
            "--config",
            tmp_path / "small.toml",
            "--data",
            folder,
            "--weights",
            tmp_path / "trunk.pt",
        ]
        arguments += ["--run", tmp_path / name, "--log", tmp_path / f"{name}.csv", *options]
        monkeypatch.setattr(sys, "argv", ["train_outline.py", *map(str, arguments)])
        return train_outline.main()

    return start


def weights(file) -> dict:
    return torch.load(file, weights_only=True)["model"]


def test_only_the_outline_changes(run, tmp_path):
    assert run("run") == 0
    before, after = weights(tmp_path / "trunk.pt"), weights(tmp_path / "run/final.pt")
    assert all(torch.equal(after[key], value) for key, value in before.items())
    assert not torch.equal(after["outline.blocks.7.layers.0.0.weight"], before["blocks.7.layers.0.0.weight"])
    changed = np.load(tmp_path / "run/masks.npy")
    assert len(changed) == 6 and changed.any()


def test_a_stopped_run_ends_as_one_that_did_not_stop(run, tmp_path):
    assert run("whole") == 0
    assert run("stopped", "--stop-at", "2") == 0
    assert not (tmp_path / "stopped/final.pt").exists()
    assert run("stopped") == 0
    whole, resumed = weights(tmp_path / "whole/final.pt"), weights(tmp_path / "stopped/final.pt")
    for key, value in whole.items():
        assert torch.allclose(resumed[key], value, atol=1e-6), key


def test_what_was_seen_is_kept(run, tmp_path, monkeypatch):
    assert run("run", "--stop-at", "1") == 0
    first = np.load(tmp_path / "run/fine.npy")

    def again(*_):
        raise AssertionError("the trunk was asked again")

    monkeypatch.setattr(train_outline.Seen, "add", again)
    assert run("run") == 0
    assert np.array_equal(np.load(tmp_path / "run/fine.npy"), first)


def test_missing_weights_are_named(run, tmp_path, capsys):
    assert run("run", "--weights", tmp_path / "absent.pt") == 2
    assert "absent.pt" in capsys.readouterr().err
