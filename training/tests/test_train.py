# SPDX-License-Identifier: Apache-2.0
import sys
from pathlib import Path

import pytest
import torch
import train
from test_data import folder  # noqa: F401
from unmask_training import runlog


def test_one_cycle_rises_to_its_peak_and_ends_at_nothing():
    settings = {"warmup": 0.1}
    assert train.rate_factor(0, 100, settings) == pytest.approx(0.04)
    assert train.rate_factor(10, 100, settings) == pytest.approx(1)
    assert train.rate_factor(100, 100, settings) == pytest.approx(0)


def test_an_open_schedule_stays_at_its_peak_until_it_is_cooled_down():
    settings = {"warmup_steps": 10, "cool": 0}
    assert [train.rate_factor(s, 100, settings) for s in (0, 9, 99)] == pytest.approx([0.1, 1, 1])
    settings["cool"] = 50
    assert [train.rate_factor(s, 100, settings) for s in (50, 75, 100)] == pytest.approx([1, 0.5, 0])


def test_the_average_follows_the_weights():
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(model.weight)
    average = train.Average(model, 0.5)
    torch.nn.init.ones_(model.weight)
    found = []
    for _ in range(3):
        average.update(model)
        found.append(average.state["weight"].item())
    # 2/11 and 1/4 of the old weight at first, so that it does not hang on how training began.
    assert found == pytest.approx([1 - 2 / 11, 1 - 2 / 11 * 3 / 12, 1 - 2 / 11 * 3 / 12 * 4 / 13])
    assert model.weight.item() == 1


def test_only_new_parts_may_be_missing_from_the_weights_of_another_run():
    from unmask_training import net

    old, new = net.PlainNet(), net.FaceNet()
    train.begin_from(new, old.state_dict())
    assert (new.head.weight == old.head.weight).all()
    weights = old.state_dict()
    del weights["head.bias"]
    with pytest.raises(ValueError, match="head.bias"):
        train.begin_from(new, weights)


def test_a_run_goes_on_from_where_another_ended_or_was_packed(tmp_path):
    with pytest.raises(FileNotFoundError, match="train this run first"):
        train.weights_of(tmp_path)
    (tmp_path / "last.pt").touch()
    assert train.weights_of(tmp_path).name == "last.pt"
    (tmp_path / "final.pt").touch()
    assert train.weights_of(tmp_path).name == "final.pt"


TINY = """
name = "tiny"
seed = 1
[train]
network = "mask"
norm = "frozen"
steps = 3
warmup_steps = 2
cool = 1
pairs = 1
portraits = 1
rate = 1e-3
ema = 0.9
freeze = [[0, 0], [2, 4]]
mask_weight = 0.5
weight_decay = 0.01
label_smoothing = 0.05
dropout = 0.2
threads = 1
sizes = [[0, 64]]
"""
PLAIN = TINY.replace('network = "mask"\nnorm = "frozen"\n', "").replace("ema = 0.9\n", "")


@pytest.fixture
def tiny_run(folder, tmp_path, monkeypatch):  # noqa: F811
    """Runs train.py on little data: tiny_run(settings, name, *options) gives the run's folder."""
    from unmask_training import net, networks

    def start(settings, *_):
        model = networks.BY_NAME[settings.get("network", "plain")](settings["dropout"])
        net.freeze_norms(model, "norm" in settings)
        return model

    def run(settings: str, name: str, *options: str) -> Path:
        config = tmp_path / "tiny.toml"
        config.write_text(settings)
        arguments = [
            "train.py",
            "--config",
            str(config),
            "--data",
            str(folder),
            "--run",
            str(tmp_path / name),
        ]
        monkeypatch.setattr(sys, "argv", [*arguments, "--log", str(tmp_path / f"{name}.csv"), *options])
        assert train.main() == 0
        return tmp_path / name

    monkeypatch.setattr(train, "start", start)
    monkeypatch.setattr(train.validate, "Examiner", lambda *_: lambda *_: {"val_auc": "0.5"})
    return run


@pytest.mark.parametrize("settings", [TINY, PLAIN])
def test_training_stops_and_resumes(settings, tiny_run):
    straight = tiny_run(settings, "straight")
    tiny_run(settings, "broken", "--stop-at", "2")
    broken = tiny_run(settings, "broken")
    a, b = (torch.load(run / "final.pt", weights_only=True)["model"] for run in (straight, broken))
    torch.testing.assert_close(a["head.weight"], b["head.weight"])
    assert straight.with_suffix(".svg").read_text().startswith("<svg")


@pytest.mark.parametrize("settings", [TINY, PLAIN])
def test_training_goes_on_from_a_packed_checkpoint(settings, tiny_run, tmp_path):
    stopped = tiny_run(settings, "stopped", "--stop-at", "2")
    tiny_run(settings, "stopped", "--pack", str(tmp_path / "far/last.pt"))
    packed = tmp_path / "far/last.pt"
    assert packed.stat().st_size < (stopped / "last.pt").stat().st_size / 3
    assert (tiny_run(settings, "far") / "final.pt").exists()
    assert [row["step"] for row in runlog.read(tmp_path / "far/val.csv")] == ["3"]


def test_a_run_may_end_by_the_clock(tiny_run, monkeypatch):
    now = iter(range(1000))
    monkeypatch.setattr(train.time, "monotonic", lambda: float(next(now)))
    run = tiny_run(TINY.replace("steps = 3", "steps = 500"), "timed", "--seconds", "9", "--unexamined")
    state = torch.load(run / "last.pt", weights_only=True)
    assert 1 <= state["step"] < 9 and (run / "final.pt").exists() and not (run / "val.csv").exists()


def test_sam_climbs_the_gradient_by_rho_and_can_be_taken_back():
    weights = [torch.nn.Parameter(torch.tensor([1.0, 2.0])), torch.nn.Parameter(torch.tensor([3.0]))]
    unused = torch.nn.Parameter(torch.ones(2))
    (weights[0].square().sum() + weights[1].sum()).backward()
    before = [w.detach().clone() for w in weights]
    added = train.climb([*weights, unused], 0.5)
    moved = torch.cat([w.detach() - b for w, b in zip(weights, before, strict=True)])
    assert moved.norm() == pytest.approx(0.5) and (moved > 0).all()
    assert all(w.grad is None for w in weights)
    with torch.no_grad():
        for parameter, change in added:
            parameter.sub_(change)
    torch.testing.assert_close([w.detach() for w in weights], before)
