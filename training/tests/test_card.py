# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
from unmask_training import card, measure

CARDS = Path(__file__).resolve().parents[1] / "cards"


@pytest.mark.parametrize("file", sorted(CARDS.glob("*.toml")), ids=lambda file: file.name)
def test_our_cards_say_what_the_models_cannot_see(file):
    words = card.read(file)
    texts = [limit["text"] for limit in words["limits"]]
    for blind_spot in ("lip", "as a whole", "after its data", "groups"):
        assert any(blind_spot in text for text in texts)
    assert all(isinstance(limit, str | dict) for limit in card.limits_of(words))


@pytest.mark.parametrize(
    "change, complaint",
    [
        (('licence = "Apache-2.0"\n', ""), "licence"),
        (('when = ["card"]', 'when = ["never"]'), "never"),
        (("terms = ", "term = "), "terms"),
        (("[validation]", "[valid]"), "faces"),
    ],
)
def test_a_card_file_that_lacks_something_is_refused(tmp_path, change, complaint):
    (tmp_path / "card.toml").write_text((CARDS / "face-1.toml").read_text().replace(*change))
    with pytest.raises(ValueError, match=complaint):
        card.read(tmp_path / "card.toml")


def figure(value, reason=""):
    return (
        {"value": value, "interval": [value - 0.01, value + 0.01]}
        if value is not None
        else {"value": None, "reason": reason}
    )


def example() -> dict:
    verdicts = {key: figure(0.1) for key in card.VERDICTS}
    at = {rate: figure(0.1) for rate in ("fpr", "tpr", "precision")}
    validation = {key: figure(0.9) for key in card.NAMES} | {"tpr_at_fpr_01": figure(None, "too few")}
    validation |= {"data": "faces, split val", "real": 7, "fake": 8, "faces": 15, "verdicts": verdicts}
    validation |= {"thresholds": {"manipulated": at, "clear": at}}
    validation |= {"risk_coverage": [{"coverage": c, "risk": 0.05} for c in measure.COVERAGES]}
    degraded = {
        key: figure(0.8)
        for key in ("auc", "tpr_at_fpr_1", "real_called_manipulated", "flips", "opposite_flips")
    }
    rates = {"fpr": 0.01, "tpr": 0.8, "miss": 0.1}
    return {
        "name": "mine",
        "version": 3,
        "licence": "internal",
        "input": {"name": "image", "width": 160, "height": 160, "color": "RGB"},
        "output": {"name": "logit"},
        "mask": {"width": 20, "height": 20},
        "crop": {"scale": 0.97, "side_of": "geometric_mean", "dx": 0, "dy": 0.066},
        "calibration": {"slope": 0.9, "intercept": 0.2},
        "thresholds": {
            "manipulated": {"score": 0.91, "fpr": 0.01},
            "clear": {"score": 0.5, "fpr": 0.2, "miss": 0.1},
        },
        "quality": {
            "software": {"unmask": "0.1.0", "openvino": "2026.4"},
            "validation": validation,
            "degraded": {"jpeg_40": {"description": "JPEG, quality 40", **degraded}},
            "portraits": {
                "data": "portraits, split val",
                "faces": 9,
                "called_manipulated": figure(0.02),
                "inconclusive": figure(0.1),
                "groups": {"speakers": {"faces": 9, "called_manipulated": figure(0.02)}},
            },
            "tracks": {"points": [{"faces": 2, "own": rates, "of_one_face": rates}]},
            "mask": {"iou": 0.4, "ellipse_iou": 0.3},
        },
    }


def test_the_card_shows_every_figure_with_its_interval():
    words = card.read(CARDS / "face.toml")
    facts = {"date": "2026-11-21", "machine": "2 cores", "mib": 4.5, "difference": 0.002}
    text = card.render(example(), words, facts)
    for expected in (
        "# mine 3",
        "0.9000 (0.890 to 0.910)",
        "– (too few)",
        "JPEG, quality 40 | 0.8000 (0.790 to 0.810)",
        "of 9 real faces",
        "speakers | 9 | 2.0 %",
        "simulated",
        "keep the thresholds of one face",
        "at most 10% of the fakes",
    ):
        assert expected in text
    for limit in words["limits"]:
        assert limit["text"] in text


def test_the_risk_is_that_of_the_surest_files():
    curve = {
        "points": [
            {"coverage": 0.4, "risk": 0.01},
            {"coverage": 0.8, "risk": 0.05},
            {"coverage": 1.0, "risk": 0.1},
        ]
    }
    assert [measure.risk_at(curve, c) for c in (0.1, 0.4, 0.5, 1.0)] == [0.01, 0.01, 0.05, 0.1]
