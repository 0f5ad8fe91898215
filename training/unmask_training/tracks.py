# SPDX-License-Identifier: Apache-2.0
"""Operating points of tracks, from simulated ones.

The validation data have one frame of each video. A track of n faces is simulated by n looks at that frame:
the codec, resolution and blur are drawn once for a track, as a video has them throughout; the box's place and
size, the light and the grain differ from look to look. Pose and expression do not change, as they would in a
video, so what the network gets wrong about this one frame does not average out: the thresholds are cautious.
"""

from dataclasses import replace

import numpy as np

from . import augment, calibrate, data
from .data import Face

COUNTS = (2, 4, 8, 16)

# As in src/analysis/judge.hpp.
MIN_FACES = PERSISTENT_FACES = 3
TOP_SHARE, TOP_MIN = 0.5, 10

# A detector's box differs from YuNet's by an IoU of 0.92 in the median and 0.85 in the worst tenth
# (docs/faces.md): a few per cent of its side in place and size. The degradations are milder than training's.
LOOK = augment.Ranges(crop=(0.92, 1.0), p_light=0.7, brightness=8, contrast=0.06, noise=(1.0, 4.0))
VIDEO = augment.Ranges(
    p_clean=0.3,
    p_scale=0.3,
    scale=(0.7, 1.0),
    p_blur=0.2,
    blur=(0.3, 0.8),
    p_noise=0.3,
    p_jpeg=0.5,
    jpeg=(60, 95),
)


def runs_above(scores, manipulated: float, clear: float) -> list[int]:
    """How many faces lie above in each run; a single dip that stays above `clear` does not end one."""
    runs, above, last = [], 0, 0
    for i, score in enumerate(scores):
        if score >= manipulated:
            above, last = above + 1, i
        elif above and (score < clear or i - last > 1):
            runs.append(above)
            above = 0
    return runs + [above] if above else runs


def logit_of(logits, scores, manipulated: float, clear: float) -> float:
    """A track's logit, from its usable faces in order of time: JudgeTrack() in src/analysis/judge.cpp."""
    logits = np.asarray(logits, float)
    needed = min(max(len(logits), 1), MIN_FACES)
    runs = runs_above(scores, manipulated, clear)
    if not any(above >= min(PERSISTENT_FACES, needed) for above in runs):
        return float(logits.mean())
    count = max(int(np.ceil(TOP_SHARE * len(logits))), TOP_MIN)
    return float(np.sort(logits)[::-1][:count].mean())


def looks(face: Face, seed: int, count: int, size: int) -> list[np.ndarray]:
    """`count` network inputs of one face."""
    rng, picture, inputs = np.random.default_rng(seed), face.pixels(), []
    video = augment.draw(rng, VIDEO)
    for _ in range(count):
        look = augment.draw(rng, LOOK)
        drawn = replace(
            video,
            crop=look.crop,
            left=look.left,
            top=look.top,
            flip=False,
            gain=look.gain,
            offset=look.offset,
            noise=look.noise,
            grey=False,
            seed=look.seed,
        )
        inputs.append(data.to_input(augment.apply(picture, drawn, size), size))
    return inputs


def simulate(network, faces: list[Face], count: int = max(COUNTS)) -> np.ndarray:
    """Logits [faces, count] of an OpenVinoModel."""
    rows = [network(np.stack(looks(f, i, count, network.size)))[:, 0] for i, f in enumerate(faces)]
    return np.array(rows)


def points(labels, simulated: np.ndarray, single: dict, limits_of) -> tuple[list[dict], list[dict]]:
    """The operating point for each of COUNTS, and how each compares with the single face's.

    `single` has the calibration and thresholds of one face; `limits_of(labels, scores)` gives thresholds.
    """
    labels = np.asarray(labels, bool)
    manipulated, clear = (single["thresholds"][name]["score"] for name in ("manipulated", "clear"))

    def scores_of(fitted: dict, logits) -> np.ndarray:
        return calibrate.sigmoid(fitted["slope"] * np.asarray(logits) + fitted["intercept"])

    def rates(scores, thresholds: dict) -> dict:
        reached = scores >= thresholds["manipulated"]["score"]
        return {
            "fpr": round(float(reached[~labels].mean()), 4),
            "tpr": round(float(reached[labels].mean()), 4),
            "miss": round(float((scores[labels] < thresholds["clear"]["score"]).mean()), 4),
        }

    of_faces = scores_of(single["calibration"], simulated)
    found, compared = [], []
    for count in COUNTS:
        logits = np.array(
            [
                logit_of(row[:count], scores[:count], manipulated, clear)
                for row, scores in zip(simulated, of_faces, strict=True)
            ]
        )
        slope, intercept = calibrate.fit_platt(labels, logits)
        fitted = {"slope": round(slope, 6), "intercept": round(intercept, 6)}
        scores = scores_of(fitted, logits)
        point = {"faces": count, "calibration": fitted, "thresholds": limits_of(labels, scores)}
        found.append(point)
        compared.append(
            {
                "faces": count,
                "own": rates(scores, point["thresholds"]),
                "of_one_face": rates(scores_of(single["calibration"], logits), single["thresholds"]),
            }
        )
    return found, compared


# Below these the difference is what a few faces at a threshold make, and one set of thresholds is simpler.
MAX_FPR, MIN_GAIN = 0.015, 0.05


def worth_it(compared: list[dict]) -> bool:
    """Whether tracks need operating points of their own: one face's give many alarms, or find much less."""
    return any(
        row["of_one_face"]["fpr"] > MAX_FPR or row["own"]["tpr"] - row["of_one_face"]["tpr"] >= MIN_GAIN
        for row in compared
    )
