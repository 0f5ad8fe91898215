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


def test_figures_are_those_of_the_program(sample):
    labels, scores = sample
    found = metrics.figures(labels, scores)
    assert found["auc"]["value"] == pytest.approx(reference.roc_auc_score(labels, scores), abs=1e-6)
    assert found["log_loss"]["value"] is None  # these scores are no probabilities
    assert found["log_loss"]["reason"]
    probabilities = 1 / (1 + np.exp(-scores))
    found = metrics.figures(labels, probabilities)
    assert found["brier"]["value"] == pytest.approx(
        reference.brier_score_loss(labels, probabilities), abs=1e-6
    )


def test_auc_ranks_by_every_digit():
    assert metrics.auc([0, 1], [0.3, np.nextafter(0.3, 1)]) == 1


def test_an_interval_holds_the_value_and_widens_with_groups(sample):
    labels, scores = sample
    found = metrics.figures(labels, scores, rounds=200)["auc"]
    low, high = found["interval"]
    assert low < found["value"] < high
    labels, scores = np.tile(labels, 4), np.tile(scores, 4)
    repeated = np.tile(np.arange(len(labels) // 4), 4)
    wide = metrics.figures(labels, scores, groups=repeated, rounds=200)["auc"]["interval"]
    naive = metrics.figures(labels, scores, rounds=200)["auc"]["interval"]
    assert wide[1] - wide[0] > 1.5 * (naive[1] - naive[0])


def test_a_figure_of_one_class_says_why_there_is_none():
    with pytest.raises(ValueError, match="auc: "):
        metrics.auc([1, 1], [0.1, 0.2])


def test_the_program_is_named_when_it_is_missing(monkeypatch):
    monkeypatch.setenv("UNMASK", "/nonexistent/unmask")
    with pytest.raises(FileNotFoundError, match="/nonexistent/unmask"):
        metrics.auc([0, 1], [0.1, 0.2])


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.1, 0.5])
def test_the_threshold_keeps_its_false_positive_rate(sample, rate):
    labels, scores = sample
    threshold = metrics.threshold_at_fpr(labels, scores, rate)
    assert (scores[~labels] >= threshold).mean() <= rate
    fpr, tpr, _ = reference.roc_curve(labels, scores, drop_intermediate=False)
    assert (scores[labels] >= threshold).mean() == pytest.approx(tpr[fpr <= rate + 1e-12].max())
