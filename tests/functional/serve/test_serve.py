# SPDX-License-Identifier: Apache-2.0
"""`unmask serve` from outside: the real program, real media, real clients."""

import json
import signal
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests


def without_timing(report):
    return {key: value for key, value in report.items() if key != "timing_ms"}


# ---- analyses ----


def test_upload_gives_the_report_of_scan(server, run, media):
    answer = server.post(media / "clip.mp4", "?wait=120&include=faces")
    assert answer.status_code == 200, answer.text
    analysis = answer.json()
    assert list(analysis) == ["id", "state", "progress", "created", "finished", "report", "error"]
    assert analysis["state"] == "done" and analysis["error"] is None
    scanned = json.loads(run("scan", "--format", "json", "--faces", media / "clip.mp4", code=0).stdout)[0]
    scanned["media"]["name"] = analysis["report"]["media"]["name"] = "clip.mp4"
    assert without_timing(analysis["report"]) == without_timing(scanned)


def test_curl_form_upload(server, media):
    command = ["curl", "-sS", "-F", f"file=@{media / 'portrait.png'}", f"{server.url}/v1/analyses?wait=60"]
    report = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=120).stdout)[
        "report"
    ]
    assert report["media"]["name"] == "portrait.png"
    assert report["tracks"]


def test_raw_and_chunked_bodies(server, media):
    data = (media / "portrait.jpg").read_bytes()
    headers = {"Content-Type": "image/jpeg"}
    reports = []
    for body in (data, iter([data[:7], data[7:5000], data[5000:]])):
        answer = requests.post(
            f"{server.url}/v1/analyses?name=p.jpg", data=body, headers=headers, timeout=120
        )
        assert answer.status_code == 200, answer.text
        reports.append(without_timing(answer.json()["report"]))
    assert reports[0] == reports[1]


@pytest.mark.parametrize(("name", "container"), [("portrait.heic", "heif"), ("portrait.avif", "avif")])
def test_a_phones_picture_as_form_and_as_body(server, media, name, container):
    posted = server.post(media / name, "?wait=120").json()["report"]
    assert posted["media"]["container"] == container and len(posted["tracks"]) == 1
    headers = {"Content-Type": f"image/{name.rsplit('.', 1)[1]}"}
    url = f"{server.url}/v1/analyses?wait=120&name={name}"
    answer = requests.post(url, data=(media / name).read_bytes(), headers=headers, timeout=120)
    assert without_timing(answer.json()["report"]) == without_timing(posted)


def test_accepted_then_long_poll(server, media):
    answer = server.post(media / "clip.mp4", "?wait=0")
    assert answer.status_code == 202
    analysis = server.get(answer.headers["Location"] + "?wait=120").json()
    assert analysis["state"] == "done"
    assert analysis["progress"] == 1.0


def test_parts_of_an_analysis(server, media):
    analysis = server.post(media / "clip.mp4", "?wait=120").json()
    base = f"/v1/analyses/{analysis['id']}"
    assert "faces" not in analysis["report"]
    faces = server.get(base + "/faces?limit=2").json()
    assert len(faces["faces"]) == 2 and faces["total"] >= 2
    track = analysis["report"]["tracks"][0]["id"]
    picture = server.get(f"{base}/tracks/{track}/best.jpg")
    assert picture.headers["Content-Type"] == "image/jpeg"
    assert picture.content.startswith(b"\xff\xd8\xff")
    page = server.get(base + "/report.html")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "<script" not in page.text
    events = server.get(base + "/events").text
    assert "event: done" in events
    assert server.delete(base).status_code == 204
    assert server.get(base).status_code == 404


@pytest.mark.parametrize(
    ("name", "status", "codes"),
    [
        ("bad/empty.mp4", 422, {"undecodable"}),
        ("bad/text.mp4", 415, {"unsupported_media"}),
        ("bad/noise.mp4", 415, {"unsupported_media"}),
        ("bad/truncated.mp4", 422, {"undecodable"}),
        ("bad/audio_only.mp4", 422, {"undecodable"}),
        ("bad/huge.png", 422, {"limit_exceeded"}),
        ("bad/truncated.heic", 422, {"undecodable"}),
        ("bad/noise.heic", 422, {"undecodable"}),
        ("bad/huge.heic", 422, {"limit_exceeded"}),
        ("bad/picture.jxl", 415, {"unsupported_media"}),
    ],
)
def test_bad_media_is_a_problem_with_a_code(server, media, name, status, codes):
    answer = server.post(media / name, "?wait=120")
    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["code"] in codes, problem
    assert answer.status_code == problem["status"] == status
    assert problem["trace_id"] == answer.headers["X-Trace-Id"]


def test_wrong_options_name_parameter_range_and_value(server, media):
    problem = server.post(media / "portrait.png", "?fps=1000").json()
    assert problem["code"] == "bad_request"
    for part in ("fps", "0.01", "60", "1000"):
        assert part in problem["detail"]


def test_too_large_upload_is_refused_and_the_client_sees_it(start_server, tmp_path):
    small = start_server("--max-upload", "100000")
    big = tmp_path / "big.mp4"
    big.write_bytes(b"x" * 3_000_000)
    assert small.post(big).json()["code"] == "too_large"

    def endless():
        for _ in range(200):
            yield b"x" * 65536

    answer = requests.post(
        small.url + "/v1/analyses", data=endless(), headers={"Content-Type": "video/mp4"}, timeout=60
    )
    assert answer.status_code == 413
    assert not any(small.data.iterdir())


def test_a_client_that_leaves_ends_its_work(start_server, media, until):
    alone = start_server("--jobs", "1")
    body = (media / "clip.mp4").read_bytes()
    host, port = alone.url.removeprefix("http://").split(":")
    client = socket.create_connection((host, int(port)))
    client.sendall(
        b"POST /v1/analyses?wait=300&fps=60&max_frames=4096 HTTP/1.1\r\nHost: localhost\r\n"
        + f"Content-Type: video/mp4\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    until(lambda: alone.get("/v1/analyses").json()["analyses"])
    client.close()
    until(lambda: alone.get("/v1/analyses").json()["analyses"][0]["state"] not in ("queued", "running"))
    assert alone.get("/v1/analyses").json()["analyses"][0]["state"] in ("cancelled", "done")


def test_same_answers_when_many_ask_at_once(server, media):
    files = [media / name for name in ("portrait.png", "portrait.jpg", "clip.mp4", "no_face.mp4")] * 3
    alone = {f: without_timing(server.post(f, "?wait=200").json()["report"]) for f in set(files)}
    with ThreadPoolExecutor(12) as pool:
        for file, answer in zip(files, pool.map(lambda f: server.post(f, "?wait=200"), files), strict=True):
            assert without_timing(answer.json()["report"]) == alone[file]


def test_full_queue_says_overloaded(start_server, media):
    tiny = start_server("--jobs", "1", "--max-queue", "1")
    answers = [server_post_quickly(tiny, media / "clip.mp4") for _ in range(8)]
    refused = [a for a in answers if a.status_code == 503]
    assert refused, [a.status_code for a in answers]
    assert refused[0].json()["code"] == "overloaded"
    assert int(refused[0].headers["Retry-After"]) > 0


def server_post_quickly(server, file):
    return server.post(file, "?wait=0&fps=60&max_frames=4096")


# ---- operations ----


def test_health_answers_while_jobs_run(server, media):
    done = threading.Event()

    def work():
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: server.post(media / "clip.mp4", "?wait=200"), range(8)))
        done.set()

    worker = threading.Thread(target=work)
    worker.start()
    times = []
    with requests.Session() as session:
        while not done.is_set():
            begin = time.monotonic()
            assert session.get(server.url + "/healthz", timeout=10).status_code == 200
            times.append(time.monotonic() - begin)
            done.wait(0.01)
    worker.join()
    print(f"healthz under load: median {sorted(times)[len(times) // 2] * 1e3:.1f} ms of {len(times)}")


def test_operations(server):
    assert server.get("/healthz").json() == {"status": "ok"}
    assert server.get("/readyz").status_code == 200
    assert set(server.get("/version").json()) == {"unmask", "libavcodec", "openvino", "model"}
    assert server.get("/v1/limits").json()["max_upload_bytes"] > 0
    models = server.get("/v1/models").json()["models"]
    (serving,) = [m for m in models if m["serving"]]
    card = server.get(f"/v1/models/{serving['name']}/{serving['version']}").json()
    assert card["serving"] is True
    assert card["quality"]["validation"]["auc"] and card["quality"]["degraded"]
    assert all(d["terms"] for d in card["data"])
    assert (
        card["limits"] and card["thresholds"]["clear"]["score"] < card["thresholds"]["manipulated"]["score"]
    )
    metrics = server.get("/metrics")
    assert metrics.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "unmask_build_info" in metrics.text


def test_unknown_paths_and_methods(server):
    missing = server.get("/nothing")
    assert missing.status_code == 404 and missing.json()["code"] == "not_found"
    wrong = server.delete("/healthz")
    assert wrong.status_code == 405 and wrong.headers["Allow"] == "GET, HEAD"


def test_every_documented_path_exists_and_loads(server):
    document = server.get("/openapi.json").json()
    for path, item in document["paths"].items():
        for method in set(item) & {"get", "post", "delete"}:
            url = server.url + path.format(id="none", track="1", name="none", version="1")
            answer = requests.request(method, url, timeout=30)
            body = answer.text
            assert "there is nothing at" not in body, path
            assert answer.status_code != 405, path


def test_page_loads_nothing_from_elsewhere(server):
    page = server.get("/")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    for path in ("/", "/app.js", "/result.js", "/style.css"):
        text = server.get(path).text
        assert "https://" not in text and "innerHTML" not in text


# ---- start and end ----


def test_port_in_use(server, run):
    address = server.url.removeprefix("http://")
    done = run("serve", "--listen", address)
    assert done.returncode != 0
    assert f"{address} is in use" in done.stderr
    assert "choose another port with --listen" in done.stderr


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(start_server, sig):
    served = start_server()
    assert served.get("/healthz").status_code == 200
    assert served.stop(sig) == 0


def test_shutdown_answers_waiting_clients(start_server, media, until):
    served = start_server("--jobs", "1")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(served.post, media / "clip.mp4", "?wait=200")
        until(lambda: served.get("/v1/analyses").json()["analyses"])
        assert served.stop() == 0
        assert waiting.result().status_code in (200, 503)
