# SPDX-License-Identifier: Apache-2.0
"""Platt's calibration: score = sigmoid(slope * logit + intercept)."""

import numpy as np


def sigmoid(x) -> np.ndarray:
    x = np.asarray(x, float)
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def fit_platt(labels, logits, rounds: int = 100) -> tuple[float, float]:
    """Slope and intercept of highest likelihood, by Newton's method, with Platt's (1999) softened targets."""
    labels, x = np.asarray(labels, bool), np.asarray(logits, float)
    positives, negatives = int(labels.sum()), int((~labels).sum())
    if not positives or not negatives:
        raise ValueError("calibration needs both classes")
    target = np.where(labels, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    design = np.stack([x, np.ones_like(x)], axis=1)
    theta = np.array([0.0, np.log(positives / negatives)])

    def loss(t):
        z = design @ t
        return float((np.logaddexp(0, z) - target * z).sum())

    for _ in range(rounds):
        p = sigmoid(design @ theta)
        gradient = design.T @ (p - target)
        hessian = (design * (p * (1 - p))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        size, before = 1.0, loss(theta)
        while loss(theta - size * step) > before and size > 1e-6:
            size /= 2
        theta = theta - size * step
        if np.abs(size * step).max() < 1e-9:
            break
    return float(theta[0]), float(theta[1])


def out_of_fold(labels, logits, groups, folds: int = 5, seed: int = 1) -> np.ndarray:
    """Each face's calibrated score from a fit that has seen neither it nor its group."""
    labels, logits = np.asarray(labels), np.asarray(logits, float)
    _, place = np.unique(np.asarray(groups), return_inverse=True)
    fold = np.random.default_rng(seed).permutation(place.max() + 1)[place] % folds
    scores = np.empty(len(logits))
    for i in range(folds):
        slope, intercept = fit_platt(labels[fold != i], logits[fold != i])
        scores[fold == i] = sigmoid(slope * logits[fold == i] + intercept)
    return scores
