# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from sklearn import metrics as reference
from unmask_training import metrics


@pytest.fixture(params=["fine", "tied"])
def sample(request):
    rng = np.random.default_rng(3)
    labels = rng.random(700) < 0.4
    scores = rng.normal(size=700) + 1.2 * labels
    return labels, np.round(scores, 1) if request.param == "tied" else scores


def test_auc_agrees_with_scikit_learn(sample):
    assert metrics.auc(*sample) == pytest.approx(reference.roc_auc_score(*sample), abs=1e-12)


def test_average_precision_agrees_with_scikit_learn(sample):
    assert metrics.average_precision(*sample) == pytest.approx(
        reference.average_precision_score(*sample), abs=1e-12
    )


def test_roc_agrees_with_scikit_learn(sample):
    fpr, tpr, _ = reference.roc_curve(*sample, drop_intermediate=False)
    mine = metrics.roc(*sample)
    np.testing.assert_allclose(mine[0], fpr)
    np.testing.assert_allclose(mine[1], tpr)


def test_log_loss_and_brier_agree_with_scikit_learn(sample):
    labels, scores = sample
    p = 1 / (1 + np.exp(-scores))
    assert metrics.log_loss(labels, p) == pytest.approx(reference.log_loss(labels, p), abs=1e-12)
    assert metrics.brier(labels, p) == pytest.approx(reference.brier_score_loss(labels, p), abs=1e-12)


def test_equal_error_rate_is_where_both_errors_meet(sample):
    labels, scores = sample
    eer = metrics.equal_error_rate(labels, scores)
    fpr, tpr, _ = metrics.roc(labels, scores)
    # On a vertical piece of the curve the interpolated rate may be off by one face.
    assert np.interp(eer, fpr, tpr) == pytest.approx(1 - eer, abs=1.5 / labels.sum())


def test_a_perfect_detector():
    labels, scores = [0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]
    assert metrics.auc(labels, scores) == 1
    assert metrics.equal_error_rate(labels, scores) == 0
    assert metrics.tpr_at_fpr(labels, scores, 0.01) == 1


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.1, 0.5])
def test_the_threshold_keeps_its_false_positive_rate(sample, rate):
    labels, scores = sample
    threshold = metrics.threshold_at_fpr(labels, scores, rate)
    assert (scores[~labels] >= threshold).mean() <= rate
    fpr, tpr, _ = metrics.roc(labels, scores)
    assert metrics.tpr_at_fpr(labels, scores, rate) == pytest.approx(tpr[fpr <= rate + 1e-12].max())


def test_calibration_error_of_honest_and_of_overconfident_scores():
    labels = np.array([1] * 30 + [0] * 70)
    assert metrics.expected_calibration_error(labels, np.full(100, 0.3)) == pytest.approx(0)
    assert metrics.expected_calibration_error(labels, np.full(100, 0.9)) == pytest.approx(0.6)


def test_bootstrap_interval_holds_the_value_and_widens_with_groups(sample):
    labels, scores = sample
    low, high = metrics.bootstrap_interval(metrics.auc, labels, scores, rounds=200)
    assert low < metrics.auc(labels, scores) < high
    repeated = np.tile(np.arange(len(labels)), 4)
    wide = metrics.bootstrap_interval(
        metrics.auc, np.tile(labels, 4), np.tile(scores, 4), rounds=200, groups=repeated
    )
    naive = metrics.bootstrap_interval(metrics.auc, np.tile(labels, 4), np.tile(scores, 4), rounds=200)
    assert wide[1] - wide[0] > 1.5 * (naive[1] - naive[0])
