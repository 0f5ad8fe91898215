# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
from unmask_training import config

CONFIGS = sorted((Path(__file__).resolve().parents[1] / "configs").glob("*.toml"))


def test_a_configuration_takes_over_what_it_does_not_say(tmp_path):
    (tmp_path / "base.toml").write_text('name = "base"\nseed = 1\n[train]\nsteps = 5\nrate = 1e-3\n')
    (tmp_path / "more.toml").write_text('extends = "base"\nname = "more"\n[train]\nsteps = 9\n')
    found = config.load(tmp_path / "more.toml")
    assert found == {"name": "more", "seed": 1, "train": {"steps": 9, "rate": 1e-3}}


def test_a_missing_base_is_named(tmp_path):
    (tmp_path / "more.toml").write_text('extends = "nothing"\n')
    with pytest.raises(FileNotFoundError, match="nothing.toml"):
        config.load(tmp_path / "more.toml")


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_every_configuration_can_be_read_and_has_its_files_name(file):
    found = config.load(file)
    if file.stem != "generators":
        assert found["name"] == file.stem and "train" in found
