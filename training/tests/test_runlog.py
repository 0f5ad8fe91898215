# SPDX-License-Identifier: Apache-2.0
from unmask_training import runlog


def test_a_resumed_log_forgets_what_will_be_done_again(tmp_path):
    file = tmp_path / "loss.csv"
    for step in (20, 40, 60):
        runlog.write(file, {"step": step, "loss": "0.5", "rate": "1e-4"})
    runlog.forget_after(file, 40)
    assert [row["step"] for row in runlog.read(file)] == ["20", "40"]


def test_a_log_may_get_a_new_column(tmp_path):
    file = tmp_path / "val.csv"
    runlog.write(file, {"step": 1, "auc": "0.5"})
    runlog.write(file, {"step": 2, "iou": "0.3", "auc": "0.6"})
    runlog.write(file, {"step": 3, "iou": "0.4", "auc": "0.7"})
    assert [(r["step"], r["iou"], r["auc"]) for r in runlog.read(file)] == [
        ("1", "", "0.5"),
        ("2", "0.3", "0.6"),
        ("3", "0.4", "0.7"),
    ]


def test_the_summary_holds_losses_and_validation(tmp_path):
    for step in range(20, 260, 20):
        runlog.write(tmp_path / "loss.csv", {"step": step, "loss": f"{step / 1000}", "rate": "1e-4"})
    row = {"epoch": "1.00", "step": 150, "val_auc": "0.8", "val_tpr_at_fpr_1": "0.1"}
    runlog.write(tmp_path / "val.csv", row)
    runlog.summarise(tmp_path, tmp_path / "out.csv")
    rows = runlog.read(tmp_path / "out.csv")
    assert [(r["step"], r["loss"], r["val_auc"]) for r in rows] == [
        ("100", "0.0600", ""),
        ("150", "", "0.8"),
        ("200", "0.1600", ""),
    ]
