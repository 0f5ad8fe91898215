# SPDX-License-Identifier: Apache-2.0
import sys
from pathlib import Path

import numpy as np
import pytest
import train
from test_data import folder  # noqa: F401
from unmask_training import augment, data


def batches(folder, seed=1):  # noqa: F811
    pairs = data.pairs(data.dfdc_faces(folder, "train")) * 4
    return train.Batches(
        pairs, data.portraits(folder, "train"), {"pairs": 2, "portraits": 1}, augment.Ranges(), seed
    )


def test_a_batch_holds_pairs_and_portraits(folder):  # noqa: F811
    images, labels = batches(folder).batch(0)
    assert images.shape == (5, 3, 160, 160)
    assert labels.tolist() == [0, 1, 0, 1, 0]


def test_a_step_draws_the_same_batch_again(folder):  # noqa: F811
    assert np.array_equal(batches(folder).batch(3)[0], batches(folder).batch(3)[0])
    assert not np.array_equal(batches(folder).batch(3)[0], batches(folder).batch(4)[0])
    assert not np.array_equal(batches(folder).batch(3)[0], batches(folder, seed=2).batch(3)[0])


def test_the_rate_rises_to_its_peak_and_ends_at_nothing():
    assert train.rate_factor(0, 0.1) == pytest.approx(0.04)
    assert train.rate_factor(0.1, 0.1) == pytest.approx(1)
    assert train.rate_factor(1, 0.1) == pytest.approx(0)


def test_an_unknown_augmentation_is_refused():
    with pytest.raises(ValueError, match="p_zoom"):
        train.ranges({"p_zoom": 0.5})
    assert train.ranges({"jpeg": [30, 95]}).jpeg == (30, 95)


def test_training_stops_and_resumes(folder, tmp_path, monkeypatch):  # noqa: F811
    import torch
    from unmask_training import net

    monkeypatch.setattr(train, "start", lambda settings, *_: net.MobileNetV2(settings["dropout"]))
    config = tmp_path / "tiny.toml"
    config.write_text(
        'name = "tiny"\nseed = 1\n[train]\nsteps = 3\npairs = 1\nportraits = 1\nrate = 1e-3\nwarmup = 0.1\n'
        "weight_decay = 0.01\nlabel_smoothing = 0.05\ndropout = 0.2\nthreads = 1\n"
    )
    arguments = ["train.py", "--config", str(config), "--data", str(folder), "--run"]
    for name, stops in (("straight", [None]), ("broken", ["2", None])):
        for stop in stops:
            extra = ["--stop-at", stop] if stop else []
            log = ["--log", str(tmp_path / f"{name}.csv")]
            monkeypatch.setattr(sys, "argv", [*arguments, str(tmp_path / name), *log, *extra])
            assert train.main() == 0
    a, b = (
        torch.load(Path(tmp_path / n / "final.pt"), weights_only=True)["model"]
        for n in ("straight", "broken")
    )
    torch.testing.assert_close(a["head.weight"], b["head.weight"])


def test_a_resumed_log_forgets_what_will_be_done_again(tmp_path):
    file = tmp_path / "loss.csv"
    for step in (20, 40, 60):
        train.write_row(file, {"step": step, "loss": "0.5", "rate": "1e-4"})
    train.forget_after(file, 40)
    assert [row["step"] for row in train.read_log(file)] == ["20", "40"]


def test_the_summary_holds_losses_and_validation(tmp_path):
    for step in range(20, 260, 20):
        train.write_row(tmp_path / "loss.csv", {"step": step, "loss": f"{step / 1000}", "rate": "1e-4"})
    row = {"epoch": "1.00", "step": 150, "val_auc": "0.8", "val_tpr_at_fpr_1": "0.1"}
    train.write_row(tmp_path / "val.csv", row)
    train.summarise(tmp_path, tmp_path / "out.csv")
    rows = train.read_log(tmp_path / "out.csv")
    assert [(r["step"], r["loss"], r["val_auc"]) for r in rows] == [
        ("100", "0.0600", ""),
        ("150", "", "0.8"),
        ("200", "0.1600", ""),
    ]


def test_some_steps_use_smaller_pictures(folder):  # noqa: F811
    few = batches(folder)
    few.config.update(small_size=128, small_steps=[1, 2])
    assert [few.batch(step)[0].shape[-1] for step in range(3)] == [160, 128, 160]
