# SPDX-License-Identifier: Apache-2.0
"""The committed model on clips of known origin: it accuses nobody, and it is not blind."""

import json
import subprocess

import pytest


@pytest.fixture(scope="module")
def reports(samples, unmask, clean_environment):
    done = subprocess.run(
        [unmask, "scan", "--format", "json", samples],
        capture_output=True,
        encoding="utf-8",
        env=clean_environment,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def of(reports, kind):
    return [report for report in reports if f"/{kind}/" in report["media"]["name"]]


def test_no_real_clip_is_called_manipulated(reports):
    assert of(reports, "real")
    assert [r["media"]["name"] for r in of(reports, "real") if r["verdict"] == "manipulated"] == []


def test_no_fake_clip_is_cleared(reports):
    assert of(reports, "fake")
    for report in of(reports, "fake"):
        assert report["verdict"] != "no_manipulation_found", report["media"]["name"]
        assert report["verdict"] == "manipulated" or report["reasons"], report["media"]["name"]


def test_a_fake_scores_far_above_the_clip_that_it_was_made_from(reports):
    score = {report["media"]["name"].rpartition("/")[2]: report["score"] for report in reports}
    assert score["ffpp_FaceSwap_634_660.mp4"] > 10 * score["ffpp_634.mp4"]


def test_every_clip_has_its_tracks(reports):
    for report in reports:
        assert report["tracks"], report["media"]["name"]
        for track in report["tracks"]:
            assert 0 <= track["start"] <= track["end"] <= report["media"]["duration"] + 0.1
