# SPDX-License-Identifier: Apache-2.0
"""Versions of a model while the server runs: loading, labels, canary, shadow, roll-back.

Version 2 and so on are copies of models/face/1 under another number.
"""

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from making import ROOT
from switching import Switching

FACE = ROOT / "models" / "face" / "1"
TOKEN = "a-token-for-these-tests"
ADMIN = {"Authorization": f"Bearer {TOKEN}"}
FLAGS = ("--model-interval", 0.1)


def put(models, version, *, change=None, name="face", source=FACE):
    """Copies a version into the repository, model.json last; `change` edits its card."""
    folder = models / name / str(version)
    folder.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        if file.name != "model.json":
            shutil.copy(file, folder / file.name)
    card = json.loads((source / "model.json").read_text())
    card["version"] = version
    if change:
        change(card)
    (folder / "model.json.new").write_text(json.dumps(card))
    (folder / "model.json.new").rename(folder / "model.json")
    return folder


@pytest.fixture
def models(tmp_path):
    put(tmp_path / "models", 1)
    return tmp_path / "models"


@pytest.fixture
def token_file(tmp_path):
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    return file


def status_of(server, version):
    versions = server.get("/v1/models/face").json()["versions"]
    return next((v for v in versions if v["version"] == version), None)


def await_true(holds, seconds=60):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.05)


def await_state(server, version, state):
    await_true(lambda: (status_of(server, version) or {}).get("state") == state)


def change(server, action, body, code=200):
    answer = requests.post(f"{server.url}/v1/models/face/{action}", json=body, headers=ADMIN, timeout=60)
    assert answer.status_code == code, answer.text
    return answer.json()


def label_the_first_stable(server):
    """The server began with version 2, the highest; 1 answers once it is loaded."""
    change(server, "promote", {"version": 1})
    await_true(lambda: (status_of(server, 1) or {}).get("serving"))
    await_state(server, 2, "AVAILABLE")


def analyse(server, content, query="?wait=120"):
    files = {"file": ("picture", content)}
    return requests.post(server.url + "/v1/analyses" + query, files=files, timeout=300)


def model_of(server, content):
    answer = analyse(server, content)
    assert answer.status_code == 200, answer.text
    return answer.json()["report"]["model"]


@pytest.fixture
def pictures(media):
    """Pictures that look alike and have different contents."""
    portrait = (media / "portrait.jpg").read_bytes()
    return [portrait + b"%d" % i for i in range(64)]


def test_a_new_version_takes_over_and_the_old_one_ends(start_server, models, pictures):
    server = start_server("--models", models, *FLAGS)
    one = model_of(server, pictures[0])
    assert (one["name"], one["version"]) == ("face", 1)
    put(models, 2)
    await_true(lambda: server.get("/version").json()["model"]["version"] == 2)
    assert model_of(server, pictures[0])["version"] == 2
    await_true(lambda: status_of(server, 1)["state"] == "END")
    two = status_of(server, 2)
    assert (two["state"], two["state_code"], two["serving"], two["error"]) == ("AVAILABLE", 30, True, None)
    assert two["golden"]["cases"] == 2 and two["golden"]["worst"] <= two["golden"]["tolerance"]
    assert [m["serving"] for m in server.get("/v1/models").json()["models"]] == [False, True]
    assert server.stop() == 0


def break_weights(folder):
    weights = folder / "face.bin"
    weights.write_bytes(weights.read_bytes()[:1000])


def lose_golden(folder):
    (folder / "golden.json").unlink()


def break_golden(folder):
    golden = json.loads((folder / "golden.json").read_text())
    golden["cases"][-1]["logit"] += 0.5
    (folder / "golden.json").write_text(json.dumps(golden))


def link_out(folder):
    outside = folder.parent.parent.parent / "outside.bin"
    shutil.move(folder / "face.bin", outside)
    (folder / "face.bin").symlink_to(outside)


def empty_card(folder):
    (folder / "model.json").write_text("")


def swap_card(folder):
    shutil.copy(FACE / "model.json", folder / "model.json")


@pytest.mark.parametrize(
    "spoil, words",
    [
        (break_weights, "sha256"),
        (break_golden, "golden input"),
        (lose_golden, "no golden.json"),
        (link_out, "link out of the repository"),
        (empty_card, "is not a model card"),
        (swap_card, "its own name and version"),
    ],
)
def test_a_broken_version_changes_nothing_but_its_own_status(
    start_server, run, models, pictures, tmp_path, spoil, words
):
    server = start_server("--models", models, *FLAGS)
    folder = put(tmp_path / "elsewhere", 2)
    spoil(folder)
    shutil.copytree(folder, models / "face" / "2.part", symlinks=True)
    (models / "face" / "2.part").rename(models / "face" / "2")
    await_true(lambda: (status_of(server, 2) or {}).get("error"))
    status = status_of(server, 2)
    assert status["state"] == "END" and words in status["error"]["message"]
    assert model_of(server, pictures[0])["version"] == 1
    event = server.get("/v1/models/face").json()["log"][-1]
    assert (event["action"], event["version"]) == ("failed", 2) and words in event["reason"]
    assert words in run("model", "log", "face", "--models", models, code=0).stdout
    verified = run("model", "verify", "face:2", "--models", models)
    assert verified.returncode in (2, 3) and words in verified.stderr
    shutil.rmtree(models / "face" / "2")
    put(models, 2)
    await_state(server, 2, "AVAILABLE")
    server.stop()


def test_golden_inputs_can_be_recorded_once(start_server, run, models):
    server = start_server("--models", models, *FLAGS)
    lost = put(models, 2)
    lose_golden(lost)
    await_true(lambda: (status_of(server, 2) or {}).get("error"))
    assert "unmask model golden face:2" in status_of(server, 2)["error"]["hint"]
    run("model", "golden", "face:2", "--models", models, code=0)
    await_state(server, 2, "AVAILABLE")  # tried again, since its folder has changed
    run("model", "verify", "face:2", "--models", models, code=0)
    recorded = (lost / "golden.json").read_bytes()
    again = run("model", "golden", "face:2", "--models", models, code=2)
    assert "is there already" in again.stderr
    assert (lost / "golden.json").read_bytes() == recorded
    server.stop()


def test_the_first_promotion_remembers_a_version_that_works(run, models):
    put(models, 2)
    put(models, 3)
    break_weights(models / "face" / "3")

    def labels(*arguments):
        run("model", *arguments, "--models", models, code=0)
        return json.loads((models / "face" / "rollout.json").read_text())

    assert labels("promote", "face:2")["previous"] == 1, "not 3, which cannot be loaded, nor 2 itself"
    assert labels("rollback", "face")["stable"] == 1
    put(models, 4)
    (models / "face" / "rollout.json").unlink()
    assert labels("promote", "face:2")["previous"] == 1, "stable until then, says the log"


def test_labels_on_the_command_line(run, models):
    put(models, 2)
    put(models, 3)

    def model(*arguments, code=0):
        return run("model", *arguments, "--models", models, code=code)

    assert json.loads(model("labels", "face", "--json").stdout)["stable"] is None
    model("promote", "face:1", "--reason", "the first")
    assert (
        json.loads(run("model", "show", "face", "--json", "--models", models, code=0).stdout)["version"] == 1
    )
    model("route", "face:2", "--canary", "5")
    labels = json.loads(model("labels", "face", "--json").stdout)
    assert labels == {"stable": 1, "canary": 2, "previous": 3, "percent": 5.0, "shadow": False}
    assert json.loads(model("show", "face@canary", "--json").stdout)["version"] == 2
    model("promote", "face")
    model("rollback", "face", "--reason", "it was worse")
    assert json.loads(model("labels", "face", "--json").stdout)["stable"] == 1
    events = [json.loads(line) for line in model("log", "face", "--json").stdout.splitlines()]
    assert [event["action"] for event in events] == ["promote", "route", "promote", "rollback"]
    assert {event["actor"] for event in events} == {"cli"}
    assert events[0]["reason"] == "the first" and events[-1]["to"]["stable"] == 1
    assert "it was worse" in model("log", "face").stdout
    scan = run("scan", "--models", models, "--format", "json", ROOT / "third_party/test_media/astronaut.png")
    facts = json.loads(scan.stdout)[0]["model"]
    assert facts["version"] == 1, "the stable one, not the newest"


def test_labels_refuse_what_cannot_serve(run, models):
    put(models, 2)
    break_weights(models / "face" / "2")
    for arguments, code, words in (
        (("promote", "face:2"), 3, "sha256"),
        (("promote", "face:7"), 2, "no version '7'"),
        (("promote", "face"), 3, "no canary"),
        (("rollback", "face"), 3, "neither a canary"),
        (("route", "face:2", "--canary", "5"), 3, "its own canary"),
        (("route", "face:2", "--canary", "101"), 2, "--canary"),
        (("route", "face:2"), 2, "no share"),
        (("promote", "nosuch:1"), 2, "no model 'nosuch'"),
        (("rollback", "../face"), 2, "no model"),
        (("log", "face:1"), 2, "expected a model's name"),
    ):
        done = run("model", *arguments, "--models", models, code=code)
        assert words in done.stderr, (arguments, done.stderr)
    assert not (models / "face" / "rollout.json").exists()


def test_changes_over_http_need_the_admin_token(start_server, models, token_file):
    closed = start_server("--models", models)
    path = "/v1/models/face/promote"
    answer = requests.post(closed.url + path, json={"version": 1}, headers=ADMIN, timeout=60)
    assert answer.status_code == 403 and "--admin-token-file" in answer.json()["hint"]
    closed.stop()
    server = start_server("--models", models, "--admin-token-file", token_file)
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer"},
    ):
        answer = requests.post(server.url + path, json={"version": 1}, headers=headers, timeout=60)
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"
        assert TOKEN not in answer.text
    for body, code in (
        ('{"version": "1"}', 400),
        ("[]", 400),
        ("{", 400),
        ('{"other": 1}', 400),
        ('{"version": 9}', 409),
        ("", 409),
        ('{"version": 1}', 200),
        ('{"version": 1}', 409),
    ):
        answer = requests.post(server.url + path, data=body, headers=ADMIN, timeout=60)
        assert answer.status_code == code, (body, answer.text)
    assert (
        requests.post(server.url + "/v1/models/none/rollback", headers=ADMIN, timeout=60).status_code == 404
    )
    change(server, "route", {"version": 1, "percent": 5}, 409)
    change(server, "route", {"percent": 5}, 409)
    log = server.get("/v1/models/face/log?limit=5").json()["events"]
    assert [event["actor"] for event in log] == ["api"]
    assert TOKEN not in json.dumps(log) and TOKEN not in server.log.read_text()
    server.stop()


@pytest.mark.parametrize("text", ["", "short\n", "with spaces in the token\n"])
def test_a_token_that_is_none_is_refused(run, models, tmp_path, text):
    (tmp_path / "token").write_text(text)
    done = run("serve", "--models", models, "--admin-token-file", tmp_path / "token", code=2)
    assert "admin token" in done.stderr


def test_a_canary_gets_its_share_and_each_file_one_version(start_server, models, token_file, pictures):
    put(models, 2)
    server = start_server("--models", models, "--admin-token-file", token_file, *FLAGS)
    label_the_first_stable(server)
    change(server, "route", {"version": 2, "percent": 50, "reason": "half"})
    with ThreadPoolExecutor(8) as pool:
        first = list(pool.map(lambda content: model_of(server, content), pictures))
        second = list(pool.map(lambda content: model_of(server, content), pictures))
    assert first == second
    met = [facts for facts in first if facts["version"] == 2]
    assert 12 <= len(met) <= 52  # of 64; outside by chance once in 10^6, and the hashes never change
    text = server.get("/metrics").text
    assert 'unmask_model_analyses_total{label="canary",model="face",outcome="ok",version="2"}' in text
    assert "unmask_canary_score_shift" in text
    change(server, "rollback", {})
    assert {model_of(server, content)["version"] for content in pictures[:8]} == {1}
    server.stop()


def easily_alarmed(card):
    card["thresholds"] = {
        "manipulated": {"score": 0.002, "fpr": 0.5},
        "clear": {"score": 0.001, "fpr": 0.77},
    }


def test_reports_and_contracts_go_by_the_version_that_judged(start_server, models, token_file, pictures):
    put(models, 2, change=easily_alarmed)
    server = start_server("--models", models, "--admin-token-file", token_file, *FLAGS)
    assert model_of(server, pictures[0])["label"] is None
    label_the_first_stable(server)

    def judged(label):
        answer = analyse(server, pictures[0]).json()
        assert answer["report"]["model"]["label"] == label
        page = server.get(f"/v1/analyses/{answer['id']}/report.html").text
        upload = {"image": ("portrait.jpg", pictures[0])}
        url = server.url + "/compat/microservice-v2/detect_deepfake_image"
        contract = requests.post(url, files=upload, timeout=120)
        assert contract.status_code == 200, contract.text
        return answer["report"]["verdict"], contract.json()["predictions"][0]["prediction"], page

    verdict, prediction, page = judged("stable")
    assert verdict != "manipulated" and prediction == "Real"
    assert "face:1 (stable)" in page and "10 % of these score above the lower one" in page
    change(server, "route", {"version": 2, "percent": 100})
    verdict, prediction, page = judged("canary")
    assert verdict == "manipulated" and prediction == "Fake"
    assert "face:2 (canary)" in page and "77 % of these score above the lower one" in page
    server.stop()


def drifting(card):
    card["calibration"]["intercept"] += 4


@pytest.mark.parametrize("shadow", [True, False])
def test_a_canary_that_drifts_is_taken_back(start_server, models, token_file, pictures, shadow):
    put(models, 2, change=drifting)
    server = start_server(
        "--models", models, "--admin-token-file", token_file, "--canary-min-analyses", 10, *FLAGS
    )
    label_the_first_stable(server)
    change(server, "route", {"version": 2, "percent": 100 if shadow else 50, "shadow": shadow})

    def labels():
        return server.get("/v1/models/face").json()["labels"]

    for content in pictures:
        facts = model_of(server, content)
        assert not shadow or facts["version"] == 1, "the shadow never answers"
        if labels()["canary"] is None:
            break
    await_true(lambda: labels()["canary"] is None)
    event = server.get("/v1/models/face/log").json()["events"][-1]
    assert (event["actor"], event["action"]) == ("automatic", "rollback")
    assert "score drift" in event["reason"]
    assert model_of(server, pictures[0])["version"] == 1
    text = server.get("/metrics").text
    assert 'unmask_canary_rollbacks_total{model="face",version="2"} 1' in text
    if shadow:
        assert "unmask_canary_verdicts_total{" in text
    server.stop()


def test_a_canary_is_kept_when_only_recording(start_server, models, token_file, pictures):
    put(models, 2, change=drifting)
    flags = ("--canary-min-analyses", 10, "--no-automatic-rollback")
    server = start_server("--models", models, "--admin-token-file", token_file, *flags, *FLAGS)
    label_the_first_stable(server)
    change(server, "route", {"version": 2, "percent": 50})
    for content in pictures[:40]:
        model_of(server, content)
    assert server.get("/v1/models/face").json()["labels"]["canary"] == 2
    server.stop()


def test_switching_versions_drops_no_request(start_server, models, token_file, tmp_path):
    """50 requests a second, of a picture without a face, so that a small machine can do it."""
    from making import ffmpeg

    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x64", "-frames:v", 1, tmp_path / "small.png")
    picture = (tmp_path / "small.png").read_bytes()
    server = start_server(
        "--models",
        models,
        "--admin-token-file",
        token_file,
        "--max-queue",
        5000,
        "--model-versions",
        "all",
        *FLAGS,
    )
    change(server, "promote", {"version": 1})
    switching = Switching(1)
    answers = []

    def ask(i):
        switching.await_turn(i)
        sent = time.monotonic()
        answer = analyse(server, picture + b"%d" % i)
        answers.append((sent, time.monotonic(), answer.status_code, answer.json()))

    def switch(action, body, version):
        called = time.monotonic()
        change(server, action, body)
        switching.switched(version, called)

    with ThreadPoolExecutor(64) as pool:
        asked = [pool.submit(ask, i) for i in range(500)]
        put(models, 2)
        await_state(server, 2, "AVAILABLE")
        switch("promote", {"version": 2}, 2)
        put(models, 3)
        await_state(server, 3, "AVAILABLE")
        switch("promote", {"version": 3}, 3)
        switch("rollback", {}, 2)
        for done in asked:
            done.result()
    assert len(answers) == 500
    seen = set()
    for sent, received, code, body in answers:
        assert code == 200, body
        version = body["report"]["model"]["version"]
        assert version in switching.legal(sent, received), (version, switching.spans, sent, received)
        seen.add(version)
    assert {1, 2} <= seen
    server.stop()


def test_serving_goes_on_when_labels_cannot_be_written(start_server, models, token_file, pictures):
    """The label file's place is taken by a folder, as neither root nor others can replace it."""
    server = start_server("--models", models, "--admin-token-file", token_file, *FLAGS)
    (models / "face" / "rollout.log").mkdir()
    answer = change(server, "promote", {"version": 1}, 422)
    assert "nothing was changed" in answer["hint"]
    assert model_of(server, pictures[0])["version"] == 1
    server.stop()
