# SPDX-License-Identifier: Apache-2.0
"""An ensemble as a new version of a model that is served: canary, shadow, taken back."""

import json
import shutil

import pytest
import requests
from engine_stand_in import mean, stand_in
from ensembles import MEAN, golden_of, member, pair, put_ensemble, put_face
from making import PORTRAIT

TOKEN = "a-token-for-these-tests"
ADMIN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def served(start_serving, models, tmp_path):
    """A server that follows `face`, of which versions 1 and 2 are there, and judges a canary by few files."""
    (tmp_path / "token").write_text(TOKEN)
    flags = ("--models", models, "--admin-token-file", tmp_path / "token", "--model-interval", 0.1)
    # Two networks take longer than one: by the usual limit a busy machine takes it back for that.
    limits = ("--canary-min-analyses", 10, "--canary-max-latency", 1000)
    served = start_serving(*flags, *limits, listeners=1, model="face")
    yield served.urls["unmask"]
    served.process.terminate()
    served.process.wait(60)


def model_of(url):
    return requests.get(url + "/v1/models/face", timeout=60).json()


def status_of(url, version):
    found = (v for v in model_of(url)["versions"] if v["version"] == version)
    return next(found, {"state": None})


def change(url, action, body):
    answer = requests.post(f"{url}/v1/models/face/{action}", json=body, headers=ADMIN, timeout=60)
    assert answer.status_code == 200, answer.text


def judge(url, number=0):
    """Pictures of different numbers look alike and have different contents."""
    content = PORTRAIT.read_bytes() + b"%d" % number
    answer = requests.post(url + "/v1/analyses?wait=120", files={"file": content}, timeout=300)
    assert answer.status_code == 200, answer.text
    return answer.json()


def count_of(url, metric, **labels):
    """The sum of a metric over those of its lines that have these labels."""
    wanted = [f'{name}="{value}"' for name, value in labels.items()]
    lines = requests.get(url + "/metrics", timeout=60).text.splitlines()
    values = [
        line.rpartition(" ")[2]
        for line in lines
        if line.startswith(metric + "{") and all(label in line for label in wanted)
    ]
    return sum(map(float, values))


def begin_with_one(url, until):
    change(url, "promote", {"version": 1})
    until(lambda: status_of(url, 1).get("serving"))


def try_out(url, until, **how):
    until(lambda: status_of(url, 3)["state"] == "AVAILABLE")
    change(url, "route", {"version": 3, "percent": 100, **how})


def test_it_rolls_out_like_any_version(served, models, until):
    """face:3 is an ensemble of face:1 and face:2: canary, stable, taken back."""
    begin_with_one(served, until)
    put_ensemble(models, pair(models), "face", version=3)
    until(lambda: status_of(served, 3)["state"] == "AVAILABLE")
    assert judge(served)["report"]["model"]["version"] == 1
    change(served, "route", {"version": 3, "percent": 100})
    answer = judge(served)
    facts = answer["report"]["model"]
    assert (facts["version"], facts["label"]) == (3, "canary")
    assert [m["version"] for m in facts["members"]] == [1, 2]
    faces = requests.get(f"{served}/v1/analyses/{answer['id']}/faces", timeout=60).json()["faces"]
    assert [m["model"] for m in faces[0]["members"]] == ["face:1", "face:2"]
    listed = requests.get(served + "/v1/models", timeout=60).json()["models"]
    assert [m["version"] for m in listed[-1]["members"]] == [1, 2]
    change(served, "promote", {})
    assert judge(served)["report"]["model"]["label"] == "stable"
    change(served, "rollback", {})  # 1 was unloaded: 3 answers until it is there again
    until(lambda: judge(served)["report"]["model"]["version"] == 1)


def test_it_waits_for_its_members(served, models, until):
    """It is END while a member is absent, and loaded when that has changed, without a touch of its own."""
    source = put_face(models, "late")
    members = [member(models, "face", 1), member(models, "late")]
    golden = golden_of(models, members, MEAN)
    aside = models.parent / "late"
    shutil.move(source.parent, aside)
    put_ensemble(models, members, "face", version=3, golden=golden)
    until(lambda: status_of(served, 3)["state"] == "END" and status_of(served, 3)["error"])
    assert "face:3 needs late:1" in status_of(served, 3)["error"]["message"]
    assert judge(served)["report"]["model"]["version"] == 2
    shutil.move(aside, source.parent)
    until(lambda: status_of(served, 3)["state"] == "AVAILABLE")
    until(lambda: judge(served)["report"]["model"]["version"] == 3)


def test_in_the_shadow_it_judges_and_never_answers(served, models, until):
    begin_with_one(served, until)
    put_ensemble(models, pair(models), "face", version=3)
    try_out(served, until, shadow=True)
    for number in range(6):
        facts = judge(served, number)["report"]["model"]
        assert (facts["version"], facts["label"]) == (1, "stable")
        assert "members" not in facts
        # One at a time: under load the shadow may leave files out.
        until(lambda n=number: count_of(served, "unmask_model_analyses_total", label="shadow") == n + 1)
    shadowed = {"label": "shadow", "version": 3, "outcome": "ok"}
    assert count_of(served, "unmask_model_analyses_total", **shadowed) == 6
    assert count_of(served, "unmask_canary_verdicts_total", version=3) == 6
    assert count_of(served, "unmask_model_analyses_total", label="stable", version=1) == 6
    assert status_of(served, 3)["in_flight"] == 0
    change(served, "rollback", {})
    assert judge(served)["report"]["model"]["version"] == 1
    assert count_of(served, "unmask_model_analyses_total", label="shadow") == 6


def test_as_canary_it_gets_the_same_files_each_time(served, models, until):
    begin_with_one(served, until)
    put_ensemble(models, pair(models), "face", version=3)
    try_out(served, until)
    change(served, "route", {"percent": 50})
    first, second = ([judge(served, number)["report"]["model"] for number in range(12)] for _ in range(2))
    assert first == second
    assert {facts["version"] for facts in first} == {1, 3}
    for facts in first:
        assert ("members" in facts) == (facts["version"] == 3)


@pytest.mark.parametrize("shadow", [True, False])
def test_it_is_taken_back_when_it_drifts(served, models, until, shadow):
    begin_with_one(served, until)
    drift = {"calibration": {"slope": 1, "intercept": 8}}
    put_ensemble(models, pair(models), "face", version=3, **drift)
    try_out(served, until, shadow=shadow)
    if not shadow:
        change(served, "route", {"percent": 50})
    numbers = iter(range(100))

    def is_taken_back():
        facts = judge(served, next(numbers))["report"]["model"]
        assert not shadow or facts["version"] == 1
        return model_of(served)["labels"]["canary"] is None

    until(is_taken_back)
    event = model_of(served)["log"][-1]
    assert (event["actor"], event["action"]) == ("automatic", "rollback")
    assert "score drift" in event["reason"]
    assert count_of(served, "unmask_canary_rollbacks_total", version=3) == 1
    assert judge(served)["report"]["model"]["version"] == 1


def put_half_remote(models, engine):
    """face:3 asks face:1 and an engine, which gives every face the logit 1 while it is well."""
    engine.model = lambda batch: mean(batch) * 0 + 1
    put_face(models, "far", engine=engine.url)
    case = {"name": "a ramp", "source": "synthetic", "rect": [0, 0, 160, 160], "logit": 0}
    for found in json.loads((models / "face" / "1" / "golden.json").read_text())["cases"]:
        if found["source"] == "synthetic" and found["rect"] == case["rect"]:
            case["logit"] = (found["logit"] + 1) / 2
    golden = {"tolerance": 0.05, "cases": [case]}
    members = [member(models, "face", 1), member(models, "far")]
    put_ensemble(models, members, "face", version=3, golden=golden)


@pytest.mark.parametrize("shadow", [True, False])
@pytest.mark.parametrize("mode, code", [("nan", "internal"), ("close", "overloaded")])
def test_it_is_taken_back_when_a_member_fails(served, models, until, shadow, mode, code):
    """In the shadow no client sees any of it; as the canary it fails the files that meet it.

    After five failures the engine is left alone, and files that are refused for that count as well.
    """
    begin_with_one(served, until)
    with stand_in() as engine:
        put_half_remote(models, engine)
        try_out(served, until, shadow=shadow)
        engine.mode = mode
        codes = set()
        numbers = iter(range(1000))

        def is_taken_back():
            content = PORTRAIT.read_bytes() + b"%d" % next(numbers)
            answer = requests.post(served + "/v1/analyses?wait=120", files={"file": content}, timeout=300)
            if answer.status_code != 200:
                assert answer.json()["detail"].startswith("far:1, a member of face:3: ")
                codes.add(answer.json()["code"])
            return model_of(served)["labels"]["canary"] is None

        until(is_taken_back)
    assert codes == (set() if shadow else {code, "overloaded"})
    event = model_of(served)["log"][-1]
    assert (event["actor"], event["action"]) == ("automatic", "rollback")
    assert "errors: " in event["reason"]
    failed = {"label": "shadow" if shadow else "canary", "version": 3, "outcome": "failed"}
    assert count_of(served, "unmask_model_analyses_total", **failed) >= 10
    assert judge(served)["report"]["model"]["version"] == 1
