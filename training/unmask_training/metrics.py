# SPDX-License-Identifier: Apache-2.0
"""Detection metrics. Labels are 1 for manipulated; a higher score means more likely manipulated."""

import numpy as np


def auc(labels, scores) -> float:
    """Area under the ROC curve by ranks; tied scores count half."""
    labels, scores = np.asarray(labels, bool), np.asarray(scores, float)
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
    positives = int(labels.sum())
    negatives = len(labels) - positives
    return float((rank[labels].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def average_precision(labels, scores) -> float:
    """Sum over thresholds of precision times the gain in recall."""
    labels, scores = np.asarray(labels, bool), np.asarray(scores, float)
    order = np.argsort(-scores, kind="stable")
    labels, scores = labels[order], scores[order]
    last = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    hits = np.cumsum(labels)[last]
    recall = hits / labels.sum()
    return float(np.sum(np.diff(recall, prepend=0.0) * hits / (last + 1)))


def roc(labels, scores) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """False-positive rates, true-positive rates, thresholds (score >= threshold); from (0, 0) to (1, 1)."""
    labels, scores = np.asarray(labels, bool), np.asarray(scores, float)
    order = np.argsort(-scores, kind="stable")
    labels, scores = labels[order], scores[order]
    last = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    hits = np.cumsum(labels)[last]
    fpr = np.concatenate([[0.0], (last + 1 - hits) / (~labels).sum()])
    tpr = np.concatenate([[0.0], hits / labels.sum()])
    return fpr, tpr, np.concatenate([[np.inf], scores[last]])


def equal_error_rate(labels, scores) -> float:
    """Where the miss rate equals the false-positive rate; the curve is straight between thresholds."""
    fpr, tpr, _ = roc(labels, scores)
    gap = fpr - (1 - tpr)
    i = int(np.argmax(gap >= 0))
    if gap[i] == 0 or i == 0:
        return float(fpr[i])
    share = gap[i - 1] / (gap[i - 1] - gap[i])
    return float(fpr[i - 1] + share * (fpr[i] - fpr[i - 1]))


def threshold_at_fpr(labels, scores, fpr: float) -> float:
    """The lowest score at which at most `fpr` of the reals are called manipulated (score >= threshold).

    It is put halfway to the highest real score below it, so that rounding moves no picture across.
    """
    labels, scores = np.asarray(labels, bool), np.asarray(scores, float)
    reals = np.sort(scores[~labels])[::-1]
    allowed = int(np.floor(fpr * len(reals) + 1e-9))
    if allowed >= len(reals):
        return float(-np.inf)
    excluded = reals[allowed]
    above = scores[scores > excluded]
    return (
        float(excluded + (above.min() - excluded) / 2)
        if len(above)
        else float(np.nextafter(excluded, np.inf))
    )


def tpr_at_fpr(labels, scores, fpr: float) -> float:
    """Share of the manipulated that is found when at most `fpr` of the reals are called manipulated."""
    labels, scores = np.asarray(labels, bool), np.asarray(scores, float)
    return float((scores[labels] >= threshold_at_fpr(labels, scores, fpr)).mean())


def log_loss(labels, probabilities) -> float:
    labels, p = np.asarray(labels, float), np.clip(np.asarray(probabilities, float), 1e-12, 1 - 1e-12)
    return float(-(labels * np.log(p) + (1 - labels) * np.log(1 - p)).mean())


def brier(labels, probabilities) -> float:
    return float(((np.asarray(probabilities, float) - np.asarray(labels, float)) ** 2).mean())


def expected_calibration_error(labels, probabilities, bins: int = 10) -> float:
    """Mean gap between score and share of manipulated, over `bins` bins of equal width, weighted by size."""
    labels, p = np.asarray(labels, float), np.asarray(probabilities, float)
    place = np.minimum((p * bins).astype(int), bins - 1)
    gaps = [
        abs(p[place == b].mean() - labels[place == b].mean()) * (place == b).sum() for b in np.unique(place)
    ]
    return float(sum(gaps) / len(p))


def bootstrap_interval(
    metric, labels, scores, rounds: int = 2000, seed: int = 1, groups=None
) -> tuple[float, float]:
    """Percentile interval (95 %) of metric(labels, scores).

    With `groups`, whole groups are drawn: a real face and its fakes are not independent.
    """
    labels, scores = np.asarray(labels), np.asarray(scores, float)
    groups = np.arange(len(labels)) if groups is None else np.asarray(groups)
    _, place = np.unique(groups, return_inverse=True)
    order = np.argsort(place, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(place[order])) + 1)
    rng, values = np.random.default_rng(seed), []
    while len(values) < rounds:
        drawn = np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
        if 0 < labels[drawn].sum() < len(drawn):
            values.append(metric(labels[drawn], scores[drawn]))
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
