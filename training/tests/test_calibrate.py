# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from unmask_training import calibrate


def sample(n=4000, slope=1.7, intercept=-0.6):
    rng = np.random.default_rng(5)
    logits = rng.normal(scale=2, size=n)
    return rng.random(n) < calibrate.sigmoid(slope * logits + intercept), logits


def test_platt_finds_the_line_that_made_the_data():
    slope, intercept = calibrate.fit_platt(*sample())
    assert slope == pytest.approx(1.7, abs=0.15)
    assert intercept == pytest.approx(-0.6, abs=0.15)


def test_platt_agrees_with_logistic_regression():
    labels, logits = sample()
    fit = LogisticRegression(C=1e9, tol=1e-10).fit(logits[:, None], labels)
    slope, intercept = calibrate.fit_platt(labels, logits)
    assert slope == pytest.approx(fit.coef_[0, 0], rel=0.02)
    assert intercept == pytest.approx(fit.intercept_[0], rel=0.02)


def test_platt_stays_finite_on_separable_data():
    slope, intercept = calibrate.fit_platt([0, 0, 1, 1], [-2.0, -1.0, 1.0, 2.0])
    assert 0 < slope < 100 and np.isfinite(intercept)


def test_platt_refuses_one_class():
    with pytest.raises(ValueError, match="both classes"):
        calibrate.fit_platt([1, 1], [0.0, 1.0])


def test_sigmoid_takes_extreme_logits():
    np.testing.assert_allclose(calibrate.sigmoid([-1000.0, 0.0, 1000.0]), [0, 0.5, 1])


def test_out_of_fold_scores_do_not_see_their_own_group():
    labels, logits = sample(400)
    groups = np.arange(400) // 2
    first = calibrate.out_of_fold(labels, logits, groups)
    turned = labels.copy()
    turned[:2] = ~turned[:2]
    second = calibrate.out_of_fold(turned, logits, groups)
    np.testing.assert_array_equal(first[:2], second[:2])
    assert not np.array_equal(first, second)
