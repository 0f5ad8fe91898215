# SPDX-License-Identifier: Apache-2.0
import tomllib
from pathlib import Path

import held_out
import pytest
from unmask_training.config import load

BASE = load(Path(__file__).resolve().parents[1] / "configs/holdout.toml")
FAMILIES = list(BASE["families"])


def test_a_configuration_written_is_the_one_read():
    assert tomllib.loads(held_out.toml(BASE)) == BASE
    odd = {"a": "x", "b": True, "t": {"c": [[0, 1.5], [2, 3]], "d": 5e-4}}
    assert tomllib.loads(held_out.toml(odd)) == odd


def test_there_is_a_run_for_each_family():
    assert held_out.conditions(["a", "b"]) == ["none", "all", "without-a", "without-b"]


def test_runs_differ_in_their_families_alone():
    everything = held_out.configured(BASE, "all", "x", None)
    without = held_out.configured(BASE, "without-warp", "x", None)
    nothing = held_out.configured(BASE, "none", "x", None)
    assert everything["families"] == BASE["families"]
    assert without["families"] == {**BASE["families"], "warp": 0}
    assert "families" not in nothing and nothing["train"]["families"] == 0
    count = BASE["train"]["pairs"] + BASE["train"]["families"]
    assert nothing["train"]["pairs"] == count
    for config in (everything, without, nothing):
        assert config["after"] == "x" and config["seed"] == BASE["seed"]
        assert config["augment"] == BASE["augment"]
    assert BASE["families"]["warp"] > 0  # the base is left alone


def test_fewer_steps_cool_down_in_time():
    train = held_out.configured(BASE, "all", "x", 10)["train"]
    assert train["steps"] == 10 and train["cool"] <= 5


def test_a_run_is_not_taken_up_with_other_settings(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(held_out.subprocess, "run", lambda command, check: calls.append(command))
    config = held_out.configured(BASE, "all", "x", 10)
    held_out.train(tmp_path / "all", config, Path("data"), Path("points"))
    held_out.train(tmp_path / "all", config, Path("data"), Path("points"))
    assert len(calls) == 2 and calls[0] == calls[1]
    assert calls[0][-2:] == ["--stop-at", "9"]
    with pytest.raises(ValueError, match="other settings"):
        held_out.train(tmp_path / "all", {**config, "seed": 99}, Path("data"), Path("points"))


def test_results_are_kept(tmp_path):
    file = tmp_path / "results.csv"
    assert held_out.read_results(file) == {}
    held_out.write_results(file, {"none": {"warp": 0.5, "DFDC": 0.9}, "all": {"warp": 0.75}})
    assert held_out.read_results(file) == {"none": {"warp": 0.5, "DFDC": 0.9}, "all": {"warp": 0.75}}


def test_the_table_shows_each_family_where_it_was_left_out_and_gaps_as_gaps():
    results = {
        "none": {"a": 0.5, "b": 0.6, "DFDC": 0.9},
        "all": {"a": 0.9},
        "without-a": {"a": 0.7, "b": 0.99, "DFDC": 0.91},
        "without-b": {"a": 0.99, "b": 0.8, "DFDC": 0.93},
    }
    lines = held_out.table(results, ["a", "b"]).splitlines()
    assert lines[2] == "| a |  | 0.500 | 0.700 | 0.900 |"
    assert lines[3] == "| b |  | 0.600 | 0.800 |  |"
    assert lines[4] == "| mean |  | 0.550 | 0.750 |  |"
    assert lines[5] == "| DFDC itself |  | 0.900 | 0.910 to 0.930 |  |"


def test_the_section_is_added_once_and_replaced_after():
    once = held_out.with_section("# Experiments\n\nwords\n", "first")
    assert once == f"# Experiments\n\nwords\n\n{held_out.TITLE}\n\nfirst\n"
    assert held_out.with_section(once, "second") == once.replace("first", "second")


def test_the_steps_of_a_checkpoint(tmp_path):
    import torch

    assert held_out.steps_done(tmp_path / "last.pt") == 0
    torch.save({"step": 7}, tmp_path / "last.pt")
    assert held_out.steps_done(tmp_path / "last.pt") == 7


def test_averaged_weights_are_measured(tmp_path):
    import torch
    from test_data import jpeg
    from unmask_training import data, net

    torch.manual_seed(0)
    model = net.FaceNet()
    plain = {k: v.clone() for k, v in model.state_dict().items()}
    turned = {**plain, "head.weight": -plain["head.weight"]}
    sets = {"a": [data.Face(str(i), jpeg(i), i % 2 == 1, str(i)) for i in range(8)]}
    torch.save({"model": plain}, tmp_path / "a.pt")
    torch.save({"model": plain, "average": turned}, tmp_path / "b.pt")
    first = held_out.auc_of(tmp_path / "a.pt", "mask", sets, 64, 1)["a"]
    assert held_out.auc_of(tmp_path / "b.pt", "mask", sets, 64, 1)["a"] == pytest.approx(1 - first)
