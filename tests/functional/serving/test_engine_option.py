# SPDX-License-Identifier: Apache-2.0
"""--engine: a model of the repository whose network runs elsewhere for one process, whatever its card says.

The golden inputs of most models here have the logit of a stand-in, not that of their own network.
"""

import json
import shutil

import pytest
import requests
from engine_stand_in import closed_port, mean, stand_in
from ensembles import member, put_ensemble
from making import PORTRAIT, ROOT

FACE = ROOT / "models" / "face" / "1"
LOGIT = 1.5  # what the engine of these tests says of every face, and the golden inputs of the model


@pytest.fixture
def engine():
    with stand_in() as engine:
        engine.model = lambda batch: mean(batch) * 0 + LOGIT
        yield engine


def expect_logit(folder, logit=LOGIT):
    case = {"name": "a ramp", "source": "synthetic", "rect": [0, 0, 160, 160], "logit": logit}
    (folder / "golden.json").write_text(json.dumps({"tolerance": 0.02, "cases": [case]}))


@pytest.fixture
def models(tmp_path):
    """A repository with face:1, whose network is here and gives other logits than its golden inputs have."""
    folder = tmp_path / "models" / "face" / "1"
    shutil.copytree(FACE, folder)
    expect_logit(folder)
    return folder.parents[1]


def change_card(models, **more):
    file = models / "face" / "1" / "model.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | more))


def logits_of(run, models, *flags, file=PORTRAIT, **how):
    flags = ("--models", models, "--model", "face:1", "--format", "json", "--faces", *flags)
    return [face["logit"] for face in json.loads(run("scan", *flags, file, code=0, **how).stdout)[0]["faces"]]


@pytest.mark.parametrize("protocol", ["kserve", "tf_serving"])
@pytest.mark.parametrize("name", ["face", "face:1"])
def test_a_scan_asks_the_engine_instead(run, models, engine, protocol, name):
    found = logits_of(run, models, "--engine", f"{name}={getattr(engine, protocol)}")
    assert found and set(found) == {LOGIT}
    path = {"kserve": "/v2/models/face/infer", "tf_serving": "/v1/models/face:predict"}[protocol]
    assert {asked for asked, _ in engine.asked} == {path}


@pytest.mark.parametrize("protocol", ["kserve", "tf-serving"])
def test_the_same_network_gives_the_same_scores(run, serving, protocol):
    version = {"kserve": "v2", "tf-serving": "v1"}[protocol]
    url = f"{serving.urls[protocol]}/{version}/models/face/versions/1"
    local = logits_of(run, ROOT / "models")
    assert logits_of(run, ROOT / "models", "--engine", f"face={url}") == pytest.approx(local, abs=1e-5)


def test_it_goes_before_the_card_and_keeps_its_settings(run, models, engine, media):
    elsewhere = {"type": "tf-serving", "url": f"http://127.0.0.1:{closed_port()}", "max_batch": 3}
    change_card(models, engine=elsewhere)
    flags = ("--fps", 8, "--no-stability")
    for url, most in ((engine.kserve, 3), (engine.kserve + "?max_batch=2", 2)):
        engine.asked.clear()
        assert logits_of(run, models, "--engine", f"face={url}", *flags, file=media / "clip.mp4")
        assert max(len(values) for _, values in engine.asked) == most


def test_the_environment_and_a_settings_file_can_say_it(run, models, engine, tmp_path):
    assert set(logits_of(run, models, env={"UNMASK_ENGINE": f"face={engine.kserve}"})) == {LOGIT}
    config = tmp_path / "unmask.toml"
    config.write_text(f'[scan]\nengine = ["face={engine.kserve}"]\n')
    assert set(logits_of(run, models, "--config", config)) == {LOGIT}


def test_another_network_is_refused(run, models, engine, tmp_path):
    """The golden inputs find it, in every command."""
    expect_logit(models / "face" / "1", LOGIT + 1)
    (tmp_path / "set").mkdir()
    shutil.copy(PORTRAIT, tmp_path / "set")
    flags = ("--models", models, "--model", "face:1", "--engine", f"face={engine.kserve}")
    for command in (("scan", PORTRAIT), ("evaluate", tmp_path / "set", "--label", "real")):
        done = run(*command, *flags, code=3)
        assert "the golden input 'a ramp' gives the logit 1.5" in done.stderr
    listen = ("--listen", "127.0.0.1:0", "--model", "face")
    done = run("serve", *flags[:2], *flags[4:], *listen, code=3)
    assert "the golden input 'a ramp' gives the logit 1.5" in done.stderr


@pytest.mark.parametrize(
    "choice, words, code",
    [
        ("face=grpc://127.0.0.1:8001/v2/models/face", "expected the address of an engine", 2),
        ("face=http://127.0.0.1:8000", "/v2/models/MODEL (KServe v2, Triton)", 2),
        ("http://127.0.0.1:8000/v2/models/face", "expected NAME=URL", 2),
        ("face=http://127.0.0.1:8000/v2/models/face?max_batch=0", "engine.max_batch is 0", 2),
        ("fcae=http://127.0.0.1:8000/v2/models/face", "no model 'fcae' (there is: face)", 3),
        ("face:7=http://127.0.0.1:8000/v2/models/face", "no version '7'", 3),
    ],
)
@pytest.mark.parametrize("command", ["scan", "serve"])
def test_what_makes_no_sense_is_said_at_the_start(run, models, command, choice, words, code):
    more = (PORTRAIT,) if command == "scan" else ("--listen", "127.0.0.1:0")
    done = run(command, "--models", models, "--engine", choice, *more, code=code)
    assert words in done.stderr
    assert "hint: " in done.stderr


@pytest.mark.parametrize("kind", ["media", "crops"])
def test_an_evaluation_asks_it(run, models, engine, tmp_path, kind):
    for label in ("real", "fake"):
        (tmp_path / "set" / label).mkdir(parents=True)
        shutil.copy(PORTRAIT, tmp_path / "set" / label / f"{label}.png")
    flags = ("--models", models, "--model", "face:1", "--engine", f"face={engine.kserve}")
    run("evaluate", tmp_path / "set", "--input", kind, "--bootstrap", 0, *flags, code=0)
    assert len(engine.asked) >= 3, "the golden input and two faces"


def test_a_server_waits_for_it_and_follows_new_versions(start_serving, models, until):
    port = closed_port()
    flags = ("--models", models, "--engine", f"face=http://127.0.0.1:{port}/v2/models/face")
    flags += ("--model-interval", 0.1)
    server = start_serving(*flags, listeners=1, model="face")

    def status_of(version):
        versions = requests.get(server.url + "/v1/models/face", timeout=60).json()["versions"]
        return next((found for found in versions if found["version"] == version), {})

    assert status_of(1)["state"] == "LOADING"
    with stand_in(port=port) as engine:
        engine.model = lambda batch: mean(batch) * 0 + LOGIT
        until(lambda: status_of(1)["state"] == "AVAILABLE")
        change_card(models, version=2)
        shutil.copytree(models / "face" / "1", models / "face" / "2.part")
        change_card(models, version=1)
        (models / "face" / "2.part").rename(models / "face" / "2")
        until(lambda: status_of(2).get("serving"))
        with open(PORTRAIT, "rb") as file:
            answer = requests.post(server.url + "/v1/analyses?wait=60", files={"file": file}, timeout=120)
        assert answer.json()["report"]["model"]["version"] == 2
        assert answer.json()["report"]["tracks"][0]["logit"] == LOGIT


@pytest.fixture
def duo(models):
    """The flags of a scan with duo:1, of near:1, which runs here, and face:1, which is to run elsewhere."""
    shutil.copytree(FACE, models / "near" / "1")
    card = json.loads((models / "near" / "1" / "model.json").read_text()) | {"name": "near"}
    (models / "near" / "1" / "model.json").write_text(json.dumps(card))
    near = next(
        case["logit"]
        for case in json.loads((FACE / "golden.json").read_text())["cases"]
        if case["source"] == "synthetic" and case["rect"] == [0, 0, 160, 160]
    )
    expected = {"name": "a ramp", "source": "synthetic", "rect": [0, 0, 160, 160]}
    golden = {"tolerance": 0.05, "cases": [expected | {"logit": (near + LOGIT) / 2}]}
    put_ensemble(models, [member(models, "near"), member(models, "face")], golden=golden)
    return ("--models", models, "--model", "duo", "--format", "json", "--faces")


def test_a_member_of_an_ensemble_can_go_there_and_the_ensemble_cannot(run, duo, engine):
    done = run("scan", "--engine", f"duo={engine.kserve}", *duo, PORTRAIT, code=3)
    assert "expected a model with a network of its own, found an ensemble" in done.stderr
    assert "name its members instead: near:1, face:1" in done.stderr
    done = run("scan", "--engine", f"face={engine.kserve}", *duo, PORTRAIT, code=0)
    said = json.loads(done.stdout)[0]["faces"][0]["members"]
    assert said[1]["logit"] == LOGIT != said[0]["logit"]


def test_a_member_elsewhere_gets_as_many_faces_as_a_model_alone(run, duo, engine, media):
    """Although the first member computes here, one face at a time."""
    flags = ("--fps", 8, "--no-stability", media / "clip.mp4")
    run("scan", "--engine", f"face={engine.kserve}?max_batch=16", *duo, *flags, code=0)
    assert max(len(values) for _, values in engine.asked) == 16
