# SPDX-License-Identifier: Apache-2.0
"""What people say of analyses: kept with the faces that they give, and made a data set of."""

import csv
import json
import os
import re
import shutil

import pytest
import requests


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "feedback"


def analyse(server, file, fps=2):
    answer = server.post(file, f"?wait=120&fps={fps}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def say(server, analysis, code=201, **body):
    answer = requests.post(f"{server.url}/v1/analyses/{analysis['id']}/feedback", json=body, timeout=60)
    assert answer.status_code == code, answer.text
    return answer.json()


def lines(folder):
    return [json.loads(line) for line in (folder / "feedback.jsonl").read_text().splitlines()]


def files_below(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def rows(dataset):
    with open(dataset / "faces.csv", newline="") as handle:
        return list(csv.DictReader(handle))


def test_without_a_folder_feedback_is_refused(server, media):
    analysis = analyse(server, media / "portrait.jpg")
    refused = say(server, analysis, 403, label="real")
    assert refused["code"] == "forbidden" and "--feedback" in refused["hint"]
    assert server.get("/v1/limits").json()["feedback"] is False


def test_a_label_is_kept_without_any_face(start_server, media, folder):
    server = start_server("--feedback", folder)
    assert server.get("/v1/limits").json()["feedback"] is True
    analysis = analyse(server, media / "clip.mp4")
    verdict = analysis["report"]["verdict"]
    given = say(server, analysis, label="real", note="I took it myself", evidence_url="https://example.org/x")
    assert given["label"] == "real" and given["faces_kept"] == 0 and given["analysis"] == analysis["id"]
    assert given["agrees"] == {"no_manipulation_found": True, "manipulated": False}.get(verdict)
    (line,) = lines(folder)
    assert line["note"] == "I took it myself" and line["keep_faces"] is None
    assert line["media"]["sha256"] == analysis["report"]["media"]["sha256"]
    assert line["model"]["version"] == analysis["report"]["model"]["version"]
    assert line["verdict"] == verdict
    assert files_below(folder) == ["feedback.jsonl"], "no face without consent"
    metrics = server.get("/metrics").text
    assert re.search(
        r'unmask_feedback_total\{agrees="\w+",label="real",model="face",version="\d+"\} 1', metrics
    )
    assert server.stop() == 0


def test_faces_are_those_that_extract_cuts(start_server, run, media, folder, tmp_path):
    server = start_server("--feedback", folder)
    for name, label in {"portrait.jpg": "real", "clip.mp4": "fake"}.items():
        analysis = analyse(server, media / name, fps=8)
        given = say(server, analysis, label=label, keep_faces=True)
        assert 1 <= given["faces_kept"] <= 8
    assert server.stop() == 0
    for path in [folder, *folder.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path

    out = run("faces", "export-feedback", folder, "--out", tmp_path / "set", code=0).stdout
    assert "of 2 contents, from 2 feedbacks" in out
    for name in ("portrait.jpg", "clip.mp4"):
        shutil.copy(media / name, tmp_path / name)
    # As an analysis looks at them: its defaults are those of the extraction.
    run("faces", "extract", "--fps", 8, "--label", "real", "-o", tmp_path / "cut", tmp_path / "portrait.jpg",
        tmp_path / "clip.mp4", code=0)  # fmt: skip
    cut = {row["id"]: row for row in rows(tmp_path / "cut")}
    learnt = rows(tmp_path / "set")
    assert {row["label"] for row in learnt} == {"real", "fake"}
    assert len(learnt) < len(cut), "a few faces of the clip, not all"
    for row in learnt:
        same = cut[row["id"]]
        picture = (tmp_path / "set" / row["path"]).read_bytes()
        assert picture == (tmp_path / "cut" / same["path"]).read_bytes()
        differing = {key for key in row if row[key] != same[key]}
        assert differing <= {"path", "label", "split", "source"}, differing
        assert row["group"] == row["source_sha256"][:16]
    settings = [json.loads((tmp_path / name / "extract.json").read_text()) for name in ("set", "cut")]
    assert settings[0]["complete"] and settings[0]["schema"] == settings[1]["schema"]
    assert settings[0]["options"]["crop"] == settings[1]["options"]["crop"]


def test_the_latest_counts_and_faces_can_be_withdrawn(start_server, run, media, folder, tmp_path):
    server = start_server("--feedback", folder)
    analysis = analyse(server, media / "portrait.jpg")
    say(server, analysis, label="fake", keep_faces=True)
    say(server, analysis, label="real")
    out = run("faces", "export-feedback", folder, "-o", tmp_path / "set.tar", code=0).stdout
    assert "1 feedback superseded" in out and "1 content called both real and fake" in out and "1 real" in out
    say(server, analysis, label="real", keep_faces=False)
    assert files_below(folder) == ["feedback.jsonl"] and len(lines(folder)) == 3
    done = run("faces", "export-feedback", folder, "-o", tmp_path / "other", code=3)
    assert "withdrawn" in done.stdout and "nothing was written" in done.stderr
    assert not (tmp_path / "other").exists()
    server.stop()


def test_what_was_said_outlives_the_server(start_server, media, folder):
    first = start_server("--feedback", folder)
    analysis = analyse(first, media / "portrait.jpg")
    say(first, analysis, label="real", keep_faces=True)
    first.stop()
    second = start_server("--feedback", folder)
    gone = say(second, analysis, 404, label="real")
    assert gone["code"] == "not_found"
    say(second, analyse(second, media / "portrait.jpg"), label="unsure")
    assert [line["label"] for line in lines(folder)] == ["real", "unsure"]
    second.stop()


def test_bad_feedback(start_server, media, folder):
    server = start_server("--feedback", folder)
    analysis = analyse(server, media / "portrait.jpg")
    no_face = analyse(server, media / "no_face.mp4")
    for body in (
        {},
        {"label": "manipulated"},
        {"label": "real", "note": "n" * 2001},
        {"label": "real", "evidence_url": "javascript:alert(1)"},
        {"label": "real", "track": 7},
        {"label": "real", "keep_faces": "yes"},
        {"label": "real", "faces": True},
    ):
        assert say(server, analysis, 400, **body)["code"] == "bad_request", body
    url = f"{server.url}/v1/analyses/{analysis['id']}/feedback"
    assert requests.post(url, data=b"\xff\xfe{", timeout=60).status_code == 400
    assert requests.post(url, data=b" " * 20_000, timeout=60).status_code == 413
    assert requests.get(url, timeout=60).status_code == 405
    assert say(server, {"id": "none"}, 404, label="real")["code"] == "not_found"
    assert not lines(folder)
    assert say(server, no_face, label="real", keep_faces=True)["faces_kept"] == 0
    server.stop()


def test_faces_that_are_gone_are_said_and_the_label_stays(start_server, media, folder):
    """A contract's analyses keep no faces; they are listed like all others."""
    server = start_server("--feedback", folder)
    with open(media / "clip.mp4", "rb") as content:
        answer = requests.post(
            server.url + "/compat/microservice-v2/detect_deepfake_video",
            files={"video": ("clip.mp4", content)},
            timeout=300,
        )
    assert answer.status_code == 200, answer.text
    (listed,) = server.get("/v1/analyses").json()["analyses"]
    gone = say(server, listed, 409, label="fake", keep_faces=True)
    assert gone["code"] == "conflict" and "the label was kept" in gone["detail"]
    (line,) = lines(folder)
    assert line["id"] == gone["feedback"] and line["label"] == "fake" and line["faces"] == 0
    server.stop()


def test_a_full_folder_refuses_and_the_analyses_go_on(start_server, media, folder):
    server = start_server("--feedback", folder, "--feedback-bytes", "3K")
    analysis = analyse(server, media / "portrait.jpg")
    full = say(server, analysis, 422, label="real", keep_faces=True)
    assert full["code"] == "limit_exceeded" and full["limit"] == "feedback_bytes"
    say(server, analysis, label="real")
    assert len(lines(folder)) == 1 and files_below(folder) == ["feedback.jsonl"]
    server.stop()


def test_a_folder_that_cannot_be_written(start_server, run, media, folder, tmp_path):
    (tmp_path / "file").touch()
    done = run("serve", "--listen", "127.0.0.1:0", "--feedback", tmp_path / "file")
    assert done.returncode == 3 and "cannot be written" in done.stderr
    server = start_server("--feedback", folder)
    analysis = analyse(server, media / "portrait.jpg")
    os.remove(folder / "feedback.jsonl")
    (folder / "feedback.jsonl").mkdir()
    failed = say(server, analysis, 500, label="real", keep_faces=True)
    assert failed["code"] == "internal" and str(folder) not in json.dumps(failed)
    assert not list((folder / "faces").iterdir())
    assert 'unmask_feedback_failures_total{code="unreadable"} 1' in server.get("/metrics").text
    server.stop()


def test_export_refuses_what_is_no_feedback(run, tmp_path):
    assert (
        "feedback.jsonl" in run("faces", "export-feedback", tmp_path, "-o", tmp_path / "set", code=2).stderr
    )
    assert "no output" in run("faces", "export-feedback", tmp_path, code=2).stderr
    assert "no folder" in run("faces", "export-feedback", "-o", tmp_path / "set", code=2).stderr
