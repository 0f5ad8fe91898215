# SPDX-License-Identifier: Apache-2.0
"""A server whose model runs elsewhere, where nobody is yet: it starts, says so, and serves once it can."""

import json
import shutil

import pytest
import requests
import tritonclient.http as triton
from engine_stand_in import closed_port, mean, stand_in
from making import PORTRAIT, ROOT

FACE = ROOT / "models" / "face" / "1"
SOON = {"connect_timeout": 1, "timeout": 1, "deadline": 3, "attempts": 1, "pause": 60}
LOGIT = 1.5  # what the engine of these tests says of every face


def tell(batch):
    return mean(batch) * 0 + LOGIT


def put_remote(models, url, version=1, type="kserve-v2", logit=LOGIT, **engine):
    """`face:version` runs at that address; its golden inputs expect this logit."""
    folder = models / "face" / f"{version}.part"
    folder.mkdir(parents=True)
    card = json.loads((FACE / "model.json").read_text()) | {"version": version}
    card["engine"] = {"type": type, "url": url, **SOON, **engine}
    del card["network"]
    (folder / "model.json").write_text(json.dumps(card))
    case = {"name": "a ramp", "source": "synthetic", "rect": [0, 0, 160, 160], "logit": logit}
    (folder / "golden.json").write_text(json.dumps({"tolerance": 0.02, "cases": [case]}))
    folder.rename(folder.with_suffix(""))
    return models


def status_of(server, version=1):
    versions = requests.get(server.url + "/v1/models/face", timeout=60).json()["versions"]
    return next((found for found in versions if found["version"] == version), {"tries": 0})


def is_ready(server):
    return requests.get(server.url + "/readyz", timeout=60).status_code == 200


def judge(server):
    with open(PORTRAIT, "rb") as file:
        return requests.post(server.url + "/v1/analyses?wait=60", files={"file": file}, timeout=120)


@pytest.mark.parametrize("protocol", ["kserve-v2", "tf-serving"])
def test_it_serves_once_the_engine_is_there(start_serving, tmp_path, until, protocol):
    port = closed_port()
    models = put_remote(tmp_path, f"http://127.0.0.1:{port}", type=protocol)
    server = start_serving("--models", models, model="face")
    client = triton.InferenceServerClient(server.kserve)

    assert requests.get(server.url + "/healthz", timeout=60).status_code == 200
    for answer in (requests.get(server.url + "/readyz", timeout=60), judge(server)):
        problem = answer.json()
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert problem["code"] == "overloaded"
        assert problem["detail"].startswith("no version of the model 'face' is available yet: face:1 waits")
        assert "cannot be reached" in problem["detail"]
        assert "/v1/models/face" in problem["hint"]
        assert str(port) not in answer.text, "the address is in the log alone"
    assert not client.is_model_ready("face")
    assert not client.is_server_ready()
    status = status_of(server)
    assert (status["state"], status["serving"]) == ("LOADING", False)
    assert "cannot be reached" in status["error"]["message"]
    until(lambda: status_of(server)["tries"] >= 2)
    metrics = requests.get(server.url + "/metrics", timeout=60).text
    assert 'unmask_model_state{model="face",version="1"} 20\n' in metrics
    assert 'unmask_model_failed_tries{model="face",version="1"} ' in metrics
    assert "face:1 waits for its engine" in server.log.read_text()
    assert f"127.0.0.1:{port}" in server.log.read_text()
    assert requests.get(server.url + "/version", timeout=60).json()["model"]["name"] == "face"
    assert not requests.get(server.url + "/v1/models", timeout=60).json()["models"][0]["serving"]

    with stand_in(port=port) as engine:
        engine.model = tell
        until(lambda: is_ready(server))
        assert judge(server).json()["report"]["tracks"][0]["logit"] == LOGIT
        status = status_of(server)
        assert (status["state"], status["serving"], status["error"]) == ("AVAILABLE", True, None)
        assert (status["tries"], status["retry_in"]) == (0, None)
        assert status["golden"]["cases"] == 1
        assert client.is_model_ready("face") and client.is_server_ready()
        metrics = requests.get(server.url + "/metrics", timeout=60).text
        assert 'unmask_model_state{model="face",version="1"} 30\n' in metrics
        assert 'unmask_model_failed_tries{model="face",version="1"} 0\n' in metrics


def test_an_engine_that_still_loads_is_waited_for(start_serving, tmp_path, until):
    """It listens and answers 500, as servers do that load their models."""
    with stand_in() as engine:
        engine.model, engine.mode = tell, "starting"
        server = start_serving("--models", put_remote(tmp_path, engine.url), listeners=1, model="face")
        assert "is not there (status 500)" in status_of(server)["error"]["message"]
        engine.mode = "ok"
        until(lambda: is_ready(server))


@pytest.mark.parametrize("lie", ["golden", "shape"])
def test_an_engine_that_comes_and_is_wrong_is_not_waited_for(start_serving, tmp_path, until, lie):
    port = closed_port()
    models = put_remote(tmp_path, f"http://127.0.0.1:{port}", logit=LOGIT + (lie == "golden"))
    server = start_serving("--models", models, listeners=1, model="face")
    assert status_of(server)["state"] == "LOADING"
    with stand_in(port=port, shape=(-1, 3, 224 if lie == "shape" else 160, 160)) as engine:
        engine.model = tell
        until(lambda: status_of(server)["state"] == "END")
    words = {"golden": "the golden input 'a ramp' gives the logit 1.5", "shape": "[-1,3,224,160]"}
    assert words[lie] in status_of(server)["error"]["message"]
    assert status_of(server)["retry_in"] is None
    assert not is_ready(server)
    logged = requests.get(server.url + "/v1/models/face/log", timeout=60).json()["events"]
    assert [event["action"] for event in logged] == ["failed"]


def test_a_wrong_engine_ends_the_start(run, tmp_path):
    with stand_in() as engine:
        engine.model = tell
        models = put_remote(tmp_path, engine.url, logit=LOGIT + 1)
        done = run("serve", "--listen", "127.0.0.1:0", "--models", models, "--model", "face", code=3)
    assert "the golden input 'a ramp' gives the logit 1.5" in done.stderr


def test_the_version_before_serves_meanwhile(start_serving, tmp_path, until):
    port = closed_port()
    shutil.copytree(FACE, tmp_path / "face" / "1")
    flags = ("--models", tmp_path, "--model-interval", 0.1)
    server = start_serving(*flags, listeners=1, model="face")
    put_remote(tmp_path, f"http://127.0.0.1:{port}", version=2)
    until(lambda: status_of(server, 2)["tries"] >= 1)
    assert is_ready(server)
    assert judge(server).json()["report"]["model"]["version"] == 1
    with stand_in(port=port) as engine:
        engine.model = tell
        until(lambda: status_of(server, 2)["serving"])
        assert judge(server).json()["report"]["model"]["version"] == 2


def test_a_shutdown_ends_the_wait(start_serving, tmp_path):
    models = put_remote(tmp_path, f"http://127.0.0.1:{closed_port()}")
    server = start_serving("--models", models, listeners=1, model="face")
    assert status_of(server)["state"] == "LOADING"
    assert server.stop() == 0


def test_a_shutdown_ends_the_start_itself(start_unmask, tmp_path, until):
    """The engine takes the first call and holds it: nothing is served yet when the signal comes."""
    with stand_in() as engine:
        engine.mode = "hang"
        models = put_remote(tmp_path, engine.url, timeout=600, deadline=600)
        server = start_unmask("--models", models, "--model", "face", listeners=0)
        until(lambda: engine.asked)
        assert server.stop() == 0
        assert not engine.release.is_set()
