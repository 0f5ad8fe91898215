# SPDX-License-Identifier: Apache-2.0
"""A model whose network runs elsewhere: on our own serving side, and on a stand-in that fails in each way."""

import json
import shutil
import threading

import pytest
import requests
from engine_stand_in import closed_port, mean, stand_in
from making import PORTRAIT, ROOT

FACE = ROOT / "models" / "face" / "1"


@pytest.fixture
def remote_model(tmp_path):
    """remote_model(url, type=..., **engine) gives a repository whose `face:1` runs at that address."""

    def make(url, type="kserve-v2", keep=False, card=None, **engine):
        folder = tmp_path / "models" / "face" / "1"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        stated = json.loads((FACE / "model.json").read_text())
        stated["engine"] = {"type": type, "url": url, **engine}
        stated |= card or {}
        if keep:
            for name in ("face.xml", "face.bin"):
                shutil.copy(FACE / name, folder)
        else:
            del stated["network"]
        (folder / "model.json").write_text(json.dumps(stated))
        return folder.parents[1]

    return make


@pytest.fixture
def engine():
    with stand_in() as engine:
        yield engine


def report_of(run, *flags, file=PORTRAIT, code=0):
    done = run("scan", "--model", "face:1", "--format", "json", "--faces", *flags, file, code=code)
    return json.loads(done.stdout)[0]


def logits(report):
    return [face["logit"] for face in report["faces"]]


FAST = {"connect_timeout": 1, "timeout": 1, "deadline": 3, "pause": 60}


@pytest.mark.parametrize("protocol", ["kserve-v2", "tf-serving"])
def test_scores_are_those_of_the_local_network(run, serving, remote_model, protocol):
    url = serving.urls["kserve" if protocol == "kserve-v2" else "tf-serving"]
    local = report_of(run)
    remote = report_of(run, "--models", remote_model(url, protocol, version="1"))
    assert logits(local)
    assert logits(remote) == pytest.approx(logits(local), abs=1e-5)
    assert remote["score"] == pytest.approx(local["score"], abs=1e-5)
    assert remote["verdict"] == local["verdict"]


@pytest.mark.parametrize("protocol", ["kserve-v2", "tf-serving"])
def test_the_server_gets_the_crops_and_calibration_stays_here(run, engine, remote_model, protocol):
    engine.model = lambda batch: mean(batch) * 0 + 5
    report = report_of(run, "--models", remote_model(engine.url, protocol))
    assert logits(report) and all(logit == 5 for logit in logits(report))
    assert report["score"] > 0.9
    path, values = engine.asked[0]
    assert path in ("/v2/models/face/infer", "/v1/models/face:predict")
    assert values.shape[1:] == (3, 160, 160)
    assert -1 <= values.min() < -0.5 and 0.5 < values.max() <= 1


def test_faces_of_a_video_share_requests_and_connections(run, engine, remote_model, media):
    models = remote_model(engine.url, max_batch=3)
    report = report_of(run, "--models", models, "--fps", 8, file=media / "clip.mp4")
    counts = [len(values) for _, values in engine.asked]
    assert max(counts) == 3
    assert sum(counts) >= len(report["faces"]) > 8
    assert engine.connections <= 5  # four calls at a time, and the first question
    assert engine.described == 1


@pytest.mark.parametrize("setting, most", [({}, 4), ({"max_batch": 16}, 16)])
def test_scans_fill_the_requests_that_the_engine_takes(run, engine, remote_model, media, setting, most):
    models = remote_model(engine.url, **setting)
    report_of(run, "--models", models, "--fps", 8, "--no-stability", file=media / "clip.mp4")
    counts = [len(values) for _, values in engine.asked]
    assert max(counts) == most
    assert len(counts) == -(-sum(counts) // most)


@pytest.mark.parametrize("datatype, output", [("FP16", "FP32"), ("FP32", "FP16"), ("FP32", "FP64")])
def test_other_types_are_converted(run, remote_model, datatype, output):
    with stand_in(datatype=datatype, output=output) as engine:
        found = logits(report_of(run, "--models", remote_model(engine.url), "--no-stability"))
        assert str(engine.asked[0][1].dtype) == {"FP16": "float16", "FP32": "float32"}[datatype]
        expected = mean(engine.asked[0][1]).reshape(-1)
        assert found == pytest.approx(list(map(float, expected)), abs=2e-3)


@pytest.mark.parametrize("protocol", ["kserve-v2", "tf-serving"])
def test_bytes_are_sent_where_the_server_takes_them(run, remote_model, protocol):
    raw = json.loads((FACE / "model.json").read_text())["input"] | {"mean": [0, 0, 0], "scale": [1, 1, 1]}
    with stand_in(datatype="UINT8") as engine:
        report = report_of(run, "--models", remote_model(engine.url, protocol, card={"input": raw}))
        assert engine.asked[0][1].max() > 200
        assert logits(report)
        models = remote_model(engine.url, protocol)  # the card makes -1..1
        report = report_of(run, "--models", models, code=3)
        assert "UINT8" in report["error"]["message"]


BROKEN = {
    "kserve-v2": ["nan", "shape", "huge", "short", "bytes", "more", "header", "empty"],
    "tf-serving": ["nan", "shape", "short", "empty"],
}


@pytest.mark.parametrize(
    "protocol, mode",
    [(protocol, mode) for protocol, modes in BROKEN.items() for mode in modes]
    + [("kserve-v2", mode) for mode in ("half", "garbage", "html", "endless", "500", "400")],
)
def test_nonsense_fails_one_analysis_cleanly(run, engine, remote_model, protocol, mode):
    models = remote_model(engine.url, protocol, **FAST)
    engine.mode = mode
    failed = report_of(run, "--models", models, code=3)
    assert failed["error"]["code"] == "internal"
    assert "127.0.0.1" not in failed["error"]["message"]
    engine.mode = "ok"
    assert logits(report_of(run, "--models", models))


@pytest.mark.parametrize("mode", ["hang", "503-later", "close"])
def test_a_server_that_is_not_there_is_said_to_be_overloaded(run, engine, remote_model, mode):
    models = remote_model(engine.url, **FAST)
    engine.mode = mode
    failed = report_of(run, "--models", models, code=3)
    assert failed["error"]["code"] == "overloaded"
    assert failed["error"]["hint"]


def test_an_address_where_nobody_listens(run, remote_model):
    models = remote_model(f"http://127.0.0.1:{closed_port()}", **FAST)
    failed = report_of(run, "--models", models, code=3)
    assert failed["error"]["code"] == "overloaded"
    assert "cannot be reached" in failed["error"]["message"]


@pytest.mark.parametrize("mode", ["503", "close"])
def test_what_was_surely_not_answered_is_asked_again(run, engine, remote_model, mode):
    engine.mode, engine.fail_first = mode, 2
    report = report_of(run, "--models", remote_model(engine.url, **FAST), "--no-stability")
    assert logits(report)
    assert len(engine.asked) == 3


@pytest.mark.parametrize("mode", ["500", "half", "html", "hang", "503-later"])
def test_other_failures_are_not_asked_again(run, engine, remote_model, mode):
    engine.mode = mode
    report_of(run, "--models", remote_model(engine.url, **FAST), "--no-stability", code=3)
    assert len(engine.asked) == 1


def test_a_server_that_answers_in_json_alone(run, engine, remote_model):
    engine.mode = "json"
    assert logits(report_of(run, "--models", remote_model(engine.url)))


@pytest.mark.parametrize(
    "engine_says, words",
    [
        ({"type": "grpc"}, "expected kserve-v2 or tf-serving"),
        ({"url": "ftp://x"}, "expected http:// or https://"),
        ({"url": "http://x?y"}, "expected http:// or https://"),
        ({"model": "../x"}, "is no name of a model"),
        ({"version": "one"}, "expected a number"),
        ({"timeout": 0}, "engine.timeout is 0"),
        ({"max_batch": 100000}, "engine.max_batch"),
        ({"tiemout": 1}, "engine.tiemout is not known"),
    ],
)
def test_settings_that_make_no_sense(run, remote_model, engine_says, words):
    models = remote_model(**({"url": "http://127.0.0.1:1"} | engine_says))
    done = run("scan", "--models", models, PORTRAIT, code=3)
    assert words in done.stderr


def test_a_card_that_does_not_fit_is_found_at_the_start(run, remote_model):
    with stand_in(shape=(-1, 3, 224, 224)) as engine:
        done = run("scan", "--models", remote_model(engine.url), PORTRAIT, code=3)
        assert "[-1,3,224,224]" in done.stderr
        assert engine.asked == []
    with stand_in(datatype="INT64") as engine:
        done = run("scan", "--models", remote_model(engine.url), PORTRAIT, code=3)
        assert "INT64" in done.stderr


def test_a_server_leaves_an_engine_alone_that_has_failed(start_serving, engine, remote_model, until):
    """The breaker opens, refuses without a call, lets one probe, and closes."""
    models = remote_model(engine.url, **(FAST | {"failures": 2, "pause": 15, "attempts": 1}))
    server = start_serving("--models", models, listeners=1).urls["unmask"]

    def analyse():
        with open(PORTRAIT, "rb") as file:
            return requests.post(server + "/v1/analyses?wait=60", files={"file": file}, timeout=120).json()

    assert analyse().get("state") == "done"
    closed = {"model": "face:1", "protocol": "kserve-v2", "state": "closed"}
    assert requests.get(server + "/readyz", timeout=60).json() == {"status": "ready", "engines": [closed]}
    engine.mode = "close"
    for _ in range(2):
        assert analyse()["code"] == "overloaded"
    asked = len(engine.asked)
    refused = analyse()
    assert refused["code"] == "overloaded"
    assert "left alone" in refused["detail"]
    assert len(engine.asked) == asked
    metrics = requests.get(server + "/metrics", timeout=60).text
    assert 'unmask_engine_batches_total{model="face:1",outcome="refused"} ' in metrics
    assert 'unmask_engine_batches_total{model="face:1",outcome="failed"} 2\n' in metrics
    unready = requests.get(server + "/readyz", timeout=60)
    assert unready.status_code == 503
    assert "face:1 keeps failing" in unready.json()["detail"]
    engine.mode = "ok"
    until(lambda: requests.get(server + "/readyz", timeout=60).status_code == 200)
    until(lambda: analyse().get("state") == "done")


@pytest.mark.parametrize("how", ["deleted", "client leaves"])
def test_an_analysis_that_nobody_waits_for_leaves_a_hanging_engine(
    start_serving, engine, remote_model, how, until
):
    """The engine holds its connections for a minute: who is next does not wait for that."""
    models = remote_model(engine.url, timeout=600, deadline=600)
    server = start_serving("--models", models, "--jobs", 1, listeners=1).urls["unmask"]
    engine.mode, engine.fail_first = "hang", 4  # all its connections
    with open(PORTRAIT, "rb") as file:
        if how == "deleted":
            url = server + "/v1/analyses?wait=0"
            analysis = requests.post(url, files={"file": file}, timeout=60).json()
            until(lambda: engine.asked)
            assert requests.delete(f"{server}/v1/analyses/{analysis['id']}", timeout=60).status_code == 204
        else:
            with pytest.raises(requests.exceptions.ReadTimeout):
                requests.post(server + "/v1/analyses?wait=60", files={"file": file}, timeout=3)
            assert engine.asked
        engine.fail_first, engine.mode = 0, "ok"
        file.seek(0)
        answer = requests.post(server + "/v1/analyses?wait=30", files={"file": file}, timeout=60).json()
    assert answer["state"] == "done"
    assert not engine.release.is_set()


def test_a_hanging_engine_holds_up_no_shutdown(start_serving, engine, remote_model):
    models = remote_model(engine.url, timeout=60, deadline=60)
    server = start_serving("--models", models, "--grace", 0, listeners=1)
    engine.mode = "hang"
    with open(PORTRAIT, "rb") as file:
        requests.post(server.urls["unmask"] + "/v1/analyses?wait=0", files={"file": file}, timeout=60)
    waiting = threading.Event()
    while not engine.asked:
        waiting.wait(0.01)
    engine.release.set()
    server.process.terminate()
    assert server.process.wait(30) == 0


def test_a_new_version_that_hangs_holds_up_no_shutdown(start_serving, engine, remote_model, until):
    """It is tried in a process of its own, which waits for an engine that holds the call for a minute."""
    remote = remote_model(engine.url, timeout=600, deadline=600) / "face" / "1"
    models = remote.parents[1]
    remote.rename(models / "two")
    shutil.copytree(FACE, models / "face" / "1")
    server = start_serving("--models", models, "--model-interval", 0.1, listeners=1, model="face")
    engine.mode = "hang"
    card = json.loads((models / "two" / "model.json").read_text()) | {"version": 2}
    (models / "two" / "model.json").write_text(json.dumps(card))
    (models / "two").rename(models / "face" / "2")
    until(lambda: engine.asked)
    versions = requests.get(server.urls["unmask"] + "/v1/models/face", timeout=60).json()["versions"]
    assert [version["state"] for version in versions] == ["AVAILABLE", "LOADING"]
    server.process.terminate()
    assert server.process.wait(30) == 0
    assert not engine.release.is_set()
