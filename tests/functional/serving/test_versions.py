# SPDX-License-Identifier: Apache-2.0
"""The listeners for TensorFlow Serving's and KServe's clients while versions come and go.

The model is a tiny network whose version is in its output, so that every answer says who gave it.
"""

import shutil
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest
import requests
import tritonclient.http as triton
from making import ROOT
from onnx import TensorProto, helper
from switching import Switching
from tritonclient.utils import InferenceServerException

FACE = np.full((1, 3, 16, 16), 0.25, np.float32)
FLAGS = ("--model-interval", 0.1, "--model-versions", "all")


def tiny_network(version):
    """A face's mean plus ten times the version."""
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Reshape", ["mean", "column"], ["score"]),
        helper.make_node("Add", ["score", "version"], ["logit"]),
    ]
    constants = [
        helper.make_tensor("column", TensorProto.INT64, [2], [-1, 1]),
        helper.make_tensor("version", TensorProto.FLOAT, [1], [10.0 * version]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, 16, 16])],
        [helper.make_tensor_value_info("logit", TensorProto.FLOAT, ["n", 1])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def version_of(logit):
    version = (float(logit) - 0.25) / 10
    assert version == pytest.approx(round(version), abs=1e-4)
    return round(version)


@pytest.fixture(scope="module")
def made(unmask, clean_environment, tmp_path_factory):
    """A repository with tiny:1 to tiny:3, imported as a user would."""
    folder = tmp_path_factory.mktemp("tiny")
    for version in (1, 2, 3):
        onnx.save(tiny_network(version), folder / "tiny.onnx")
        command = [unmask, "model", "import", folder / "tiny.onnx", "--name", "tiny"]
        command += ["--models", folder / "models", "--colour", "rgb", "--scale", "255", "--output", "logit"]
        subprocess.run([*command, "--crop", "1"], check=True, timeout=120, env=clean_environment)
    return folder / "models" / "tiny"


@pytest.fixture
def put(made, tmp_path):
    """put(2) lets the repository have version 2; versions are never seen half copied."""

    def put(version):
        place = tmp_path / "models" / "tiny"
        place.mkdir(parents=True, exist_ok=True)
        shutil.copytree(made / str(version), place / f"{version}.part")
        (place / f"{version}.part").rename(place / str(version))
        return place / str(version)

    put.models = tmp_path / "models"
    return put


def states(server):
    told = requests.get(server.tf + "/v1/models/tiny", timeout=60).json()["model_version_status"]
    return {status["version"]: status for status in told}


def tf_predict(server, which=""):
    url = f"{server.tf}/v1/models/tiny{which}:predict"
    return requests.post(url, json={"instances": FACE.tolist()}, timeout=60)


def tf_version(server, which=""):
    answer = tf_predict(server, which)
    assert answer.status_code == 200, answer.text
    return version_of(answer.json()["predictions"][0][0])


def kserve_version(client, which=""):
    image = triton.InferInput("image", list(FACE.shape), "FP32")
    image.set_data_from_numpy(FACE)
    answer = client.infer("tiny", [image], model_version=which)
    version = version_of(answer.as_numpy("logit")[0, 0])
    assert answer.get_response()["model_version"] == str(version)
    return version


def test_every_available_version_is_offered(start_serving, put, until):
    put(1)
    server = start_serving("--models", put.models, *FLAGS, model="tiny")
    client = triton.InferenceServerClient(server.kserve)
    assert tf_version(server) == kserve_version(client) == 1
    assert tf_predict(server, "/versions/2").status_code == 404
    put(2)
    until(lambda: states(server).get("2", {}).get("state") == "AVAILABLE")
    assert tf_version(server) == kserve_version(client) == 2
    for version in (1, 2):
        assert tf_version(server, f"/versions/{version}") == version
        assert kserve_version(client, str(version)) == version
    assert client.get_model_metadata("tiny")["versions"] == ["1", "2"]
    shutil.rmtree(put.models / "tiny" / "1")
    until(lambda: "1" not in states(server))
    assert tf_predict(server, "/versions/1").status_code == 404
    assert not client.is_model_ready("tiny", "1")
    assert client.is_model_ready("tiny", "2")


def test_a_version_that_cannot_be_loaded_says_so(start_serving, put, until):
    put(1)
    server = start_serving("--models", put.models, *FLAGS, model="tiny")
    broken = put.models / "tiny" / "2"
    shutil.copytree(put.models / "tiny" / "1", broken.with_suffix(".part"))
    broken.with_suffix(".part").rename(broken)  # its card is of version 1
    until(lambda: states(server).get("2", {}).get("status", {}).get("error_code") == "INTERNAL")
    status = states(server)["2"]
    assert status["state"] == "END"
    assert "version" in status["status"]["error_message"]
    assert states(server)["1"]["state"] == "AVAILABLE"
    assert tf_version(server) == 1
    client = triton.InferenceServerClient(server.kserve)
    with pytest.raises(InferenceServerException) as error:
        kserve_version(client, "2")
    assert error.value.status() == "404"
    assert client.get_model_metadata("tiny")["versions"] == ["1"]


def test_labels_are_followed(start_serving, put, until, run):
    put(1)
    put(2)
    server = start_serving("--models", put.models, *FLAGS, model="tiny")
    client = triton.InferenceServerClient(server.kserve)
    answer = tf_predict(server, "/labels/stable")
    assert answer.status_code == 400
    assert answer.json() == {"error": "Unrecognized servable version label: stable"}
    assert not client.is_model_ready("tiny", "stable")

    def label(*arguments):
        run("model", *arguments, "--models", put.models, code=0)

    label("promote", "tiny:1")
    label("route", "tiny:2", "--canary", "5")
    until(lambda: tf_predict(server, "/labels/canary").status_code == 200)
    assert tf_version(server) == tf_version(server, "/labels/stable") == 1
    assert tf_version(server, "/labels/canary") == 2
    assert kserve_version(client) == kserve_version(client, "stable") == 1
    assert kserve_version(client, "canary") == 2
    labelled = requests.get(server.tf + "/v1/models/tiny/labels/canary", timeout=60).json()
    assert [status["version"] for status in labelled["model_version_status"]] == ["2"]
    metadata = requests.get(server.tf + "/v1/models/tiny/labels/canary/metadata", timeout=60).json()
    assert metadata["model_spec"]["version"] == "2"
    label("promote", "tiny")
    until(lambda: tf_version(server, "/labels/stable") == 2)
    assert tf_predict(server, "/labels/canary").status_code == 400
    label("rollback", "tiny")
    until(lambda: kserve_version(client, "stable") == 1)


def test_another_model_than_the_one_that_judges(start_serving, put, until):
    put(1)
    face = put.models / "face"
    face.mkdir()
    shutil.copytree(ROOT / "models" / "face" / "1", face / "1")
    server = start_serving("--models", put.models, "--serve-model", "tiny", *FLAGS)
    assert requests.get(server.tf + "/v1/models/face", timeout=60).status_code == 404
    assert tf_version(server) == 1
    put(2)
    until(lambda: tf_version(server) == 2)


def test_a_model_is_offered_as_a_whole_or_by_version(run):
    flags = ("--serve-model", "face", "--serve-model", "face:1")
    done = run("serve", "--kserve", "127.0.0.1:0", *flags, code=2)
    assert "--model-versions" in done.stderr


def test_switching_versions_drops_no_request(start_serving, put, until, run):
    """50 requests a second in all: both protocols, without a version and by label."""
    put(1)
    run("model", "promote", "tiny:1", "--models", put.models, code=0)
    server = start_serving("--models", put.models, *FLAGS, model="tiny")
    mine = threading.local()  # tritonclient's clients belong to the thread that made them

    def client():
        if not hasattr(mine, "client"):
            mine.client = triton.InferenceServerClient(server.kserve)
        return mine.client

    ways = [
        lambda: tf_version(server),
        lambda: tf_version(server, "/labels/stable"),
        lambda: kserve_version(client()),
        lambda: kserve_version(client(), "stable"),
    ]
    switching = Switching(1)
    answers = []

    def ask(i):
        switching.await_turn(i)
        sent = time.monotonic()
        version = ways[i % len(ways)]()
        answers.append((version, sent, time.monotonic()))

    def switch(version, *arguments):
        called = time.monotonic()
        run("model", *arguments, "--models", put.models, code=0)
        until(lambda: tf_version(server) == version)  # servers follow within their interval
        switching.switched(version, called)

    with ThreadPoolExecutor(32) as pool:
        asked = [pool.submit(ask, i) for i in range(500)]
        put(2)
        switch(2, "promote", "tiny:2")
        put(3)
        switch(3, "promote", "tiny:3")
        switch(2, "rollback", "tiny")
        for done in asked:
            done.result()
    assert len(answers) == 500
    for version, sent, received in answers:
        assert version in switching.legal(sent, received), (version, switching.spans, sent, received)
    assert {version for version, _, _ in answers} >= {1, 2}
