# SPDX-License-Identifier: Apache-2.0
"""Pictures and clips that lie on their side, without a note of it."""

import json

import pytest
from making import PORTRAIT, ffmpeg


def scanned(run, *files):
    lines = run("scan", "--format", "jsonl", "--faces", *files, code=0).stdout.splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize(("turn", "roll"), [("clock", 90), ("cclock", -90)])
def test_a_turned_picture_is_judged_as_the_upright_one(run, tmp_path, turn, roll):
    ffmpeg("-i", PORTRAIT, "-vf", f"transpose={turn}", "-frames:v", 1, tmp_path / "turned.png")
    upright, turned = scanned(run, PORTRAIT, tmp_path / "turned.png")
    (expected,), (face,) = upright["faces"], turned["faces"]
    assert abs(expected["quality"]["roll"]) < 20
    assert face["quality"]["roll"] == roll
    assert face["logit"] == pytest.approx(expected["logit"], abs=0.8)
    assert turned["verdict"] == upright["verdict"] == "no_manipulation_found"


def test_a_clip_on_its_side_is_judged_upright(run, media, tmp_path):
    turned = tmp_path / "turned.mp4"
    ffmpeg("-i", media / "clip.mp4", "-vf", "transpose=clock", "-t", 2, "-c:v", "libx264", turned)
    (report,) = scanned(run, turned)
    assert report["faces"] and all(face["quality"]["roll"] == 90 for face in report["faces"])
    assert report["verdict"] == "no_manipulation_found"
