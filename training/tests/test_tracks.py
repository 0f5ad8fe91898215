# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from unmask_training import augment, calibrate, data, report, tracks

# src/analysis/judge_test.cpp has the same tracks: with thresholds 0.95 and 0.3 on sigmoid(logit).
GOLDEN = [
    ([1.0], 1.0),
    ([4.0, -1.0], 1.5),
    ([4.0, 3.5, -2.0, 0.0], 1.375),
    ([4.0, 0.0, 3.5, 0.0, 5.0, -3.0, -3.0, -3.0, -3.0, -3.0, -3.0, -3.0], -0.25),
    ([4.0, -1.0, 3.5, -1.0, 5.0, -3.0, -3.0, -3.0, -3.0, -3.0, -3.0, -3.0], -0.875),
    ([4.0] * 3 + [-4.0] * 21, -2.0),
    ([-2.0] * 9 + [6.0], -1.2),
]


@pytest.mark.parametrize("logits, expected", GOLDEN)
def test_a_tracks_logit_is_the_programs(logits, expected):
    assert tracks.logit_of(logits, calibrate.sigmoid(logits), 0.95, 0.3) == pytest.approx(expected)


def face(seed: int, fake: bool) -> data.Face:
    rng = np.random.default_rng(seed)
    import cv2

    picture = cv2.GaussianBlur(rng.integers(0, 256, (64, 64, 3), np.uint8), (0, 0), 2)
    return data.Face(str(seed), cv2.imencode(".jpg", picture)[1].tobytes(), fake, str(seed))


def test_looks_at_one_face_differ_a_little_and_repeat():
    one = tracks.looks(face(1, False), 7, 4, 32)
    other = tracks.looks(face(1, False), 7, 4, 32)
    np.testing.assert_array_equal(one, other)
    assert all(look.shape == (3, 32, 32) for look in one)
    assert np.abs(one[0] - one[1]).mean() > 0
    assert tracks.VIDEO.jpeg[0] > augment.Ranges().jpeg[0]


def test_points_rise_in_faces_and_have_thresholds_in_order():
    rng = np.random.default_rng(1)
    labels = np.arange(400) % 2 == 1
    logits = rng.normal(0, 1.5, (400, 1)) + np.where(labels, 2, -2)[:, None]
    simulated = logits + rng.normal(0, 0.5, (400, max(tracks.COUNTS)))
    fitted = report.calibration(labels, simulated[:, 0])
    single = {
        "calibration": fitted,
        "thresholds": report.thresholds(labels, report.scores_of(simulated[:, 0], fitted)),
    }
    points, compared = tracks.points(labels, simulated, single, report.thresholds)
    assert [p["faces"] for p in points] == list(tracks.COUNTS) == [c["faces"] for c in compared]
    for point in points:
        limits = point["thresholds"]
        assert 0 < limits["clear"]["score"] <= limits["manipulated"]["score"] < 1
    assert all(row["own"]["fpr"] <= 0.01 for row in compared)


def test_tracks_keep_one_faces_thresholds_when_that_is_as_good():
    good = {"own": {"fpr": 0.01, "tpr": 0.8}, "of_one_face": {"fpr": 0.012, "tpr": 0.79}}
    assert not tracks.worth_it([good])
    assert tracks.worth_it([good, {**good, "of_one_face": {"fpr": 0.02, "tpr": 0.8}}])
    assert tracks.worth_it([good, {**good, "of_one_face": {"fpr": 0.0, "tpr": 0.7}}])


def test_clear_is_where_the_stated_share_of_fakes_is_missed():
    labels = np.repeat([False, True], 100)
    scores = np.concatenate([np.linspace(0, 0.6, 100), np.linspace(0.3, 1, 100)])
    limits = report.thresholds(labels, scores)
    assert (scores[labels] < limits["clear"]["score"]).mean() == pytest.approx(report.MISS_CLEAR)
    assert limits["clear"]["fpr"] == pytest.approx(
        (scores[~labels] >= limits["clear"]["score"]).mean(), abs=1e-4
    )
    assert limits["clear"]["score"] <= limits["manipulated"]["score"]
