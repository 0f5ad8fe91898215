# SPDX-License-Identifier: Apache-2.0
"""microservice-v1 and microservice-v2 by the clients that their users have: requests, httpx, curl."""

import json
import random
import re
import socket
import struct
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import requests

IMAGE, VIDEO = "/detect_deepfake_image", "/detect_deepfake_video"
LIST = {"microservice-v1": "Predictions", "microservice-v2": "predictions"}
NO_FACE = [{"error": "No Face Detected"}, []]
NO_FACES = [{"error": "No Faces Detected, Try Changing the num_frame"}, []]

each_version = pytest.mark.parametrize("version", sorted(LIST))


@pytest.fixture
def post(server):
    """post(version, path, file, **form fields) sends a file as requests does."""

    def post(version, path, file, field=None, **fields):
        field = field or ("image" if path == IMAGE else "video")
        with open(file, "rb") as content:
            return requests.post(
                server.urls[version] + path, files={field: content}, data=fields, timeout=300
            )

    return post


def as_flask(value) -> bytes:
    """What jsonify() sends."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def check_prediction(item):
    assert set(item) == {"prediction", "probability"}
    assert item["prediction"] in ("Real", "Fake")
    probability = item["probability"]
    assert 0.5 <= probability <= 1
    assert struct.unpack("f", struct.pack("f", probability))[0] == probability, "not a float32"


def sha_seed(analysis):
    return int(analysis["report"]["media"]["sha256"][:16], 16)


# ---- the documented answers ----


@each_version
def test_greeting(server, version):
    answer = requests.get(server.urls[version] + "/", timeout=60)
    assert answer.status_code == 200
    assert answer.content == b"Welcome to Deepfake Detection API"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    head = requests.head(server.urls[version] + "/", timeout=60)
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", "33")


@each_version
def test_image(post, media, version):
    answer = post(version, IMAGE, media / "portrait.png")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert answer.content == as_flask(body)
    assert set(body) == {LIST[version], "face_detection_method", "unmask"}
    assert body["face_detection_method"] == "MTCNN"
    (item,) = body[LIST[version]]
    check_prediction(item)
    facts = body["unmask"]
    keys = ["detector", "engine", "model", "reasons", "report_id", "score", "verdict"]
    assert list(facts) == keys and facts["engine"] == "native"
    assert (item["prediction"] == "Fake") == (facts["verdict"] == "manipulated")


def test_image_by_httpx_and_curl(server, media):
    url = server.urls["microservice-v2"] + IMAGE
    portrait = media / "portrait.jpg"
    with httpx.Client(timeout=120) as client:
        files = {"image": ("portrait.jpg", portrait.read_bytes(), "image/jpeg")}
        by_httpx = client.post(url, files=files, data={"face_detection_method": "SSD"}).json()
    command = ["curl", "-sS", "-F", f"image=@{portrait}", "-F", "face_detection_method=SSD", url]
    by_curl = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=120).stdout)
    assert by_httpx["face_detection_method"] == "SSD"
    assert by_curl["predictions"] == by_httpx["predictions"]


def test_video_of_the_first_version_is_a_bare_list(post, media):
    answer = post("microservice-v1", VIDEO, media / "clip.mp4")
    assert answer.status_code == 200
    items = answer.json()
    assert answer.content == as_flask(items) and isinstance(items, list) and len(items) == 3
    for item in items:
        check_prediction(item)


def test_video_of_the_second_version_is_an_object(post, media):
    answer = post("microservice-v2", VIDEO, media / "clip.mp4", num_frames=" +5 ")
    body = answer.json()
    assert answer.content == as_flask(body)
    assert set(body) == {"face_detection_method", "num_frames", "predictions", "unmask"}
    assert body["num_frames"] == 5 and len(body["predictions"]) == 5
    for item in body["predictions"]:
        check_prediction(item)


@pytest.mark.parametrize("clip", ["clip.mp4", "vp8.webm"])
def test_frames_are_those_that_python_would_draw(server, post, media, clip):
    frames = {"clip.mp4": 75, "vp8.webm": 25}[clip]
    body = post("microservice-v2", VIDEO, media / clip, num_frames=6, seed=7).json()
    drawn = random.Random(7).sample(range(frames), 6)
    faces = server.faces(body["unmask"]["report_id"])
    assert [face["frame"] for face in faces] == sorted(drawn)

    def shown(face):
        """The order of the answer is that of the draw; the score tells the frames apart."""
        return face["score"]

    by_frame = {face["frame"]: shown(face) for face in faces}
    probabilities = [
        p["probability"] if p["prediction"] == "Fake" else 1 - p["probability"] for p in body["predictions"]
    ]
    in_order = [by_frame[index] for index in drawn]
    ranks = sorted(range(6), key=lambda i: in_order[i])
    assert [probabilities[i] for i in ranks] == sorted(probabilities)


def test_the_same_file_gives_the_same_answer(server, post, media):
    first = post("microservice-v2", VIDEO, media / "clip.mp4").json()
    second = post("microservice-v2", VIDEO, media / "clip.mp4").json()
    assert first["predictions"] == second["predictions"]
    record = requests.get(
        f"{server.urls['unmask']}/v1/analyses/{first['unmask']['report_id']}", timeout=60
    ).json()
    drawn = random.Random(sha_seed(record)).sample(range(75), 3)
    frames = [face["frame"] for face in server.faces(first["unmask"]["report_id"])]
    assert frames == sorted(drawn)


def test_a_clip_of_one_frame(post, media):
    assert (
        len(post("microservice-v2", VIDEO, media / "one_frame.mp4", num_frames=1).json()["predictions"]) == 1
    )


@each_version
def test_no_face(post, media, version):
    image = post(version, IMAGE, media / "no_face.png")
    assert image.status_code == 200
    assert image.json()[LIST[version]] == NO_FACE
    assert image.json()["unmask"]["reasons"] == ["no_face"]
    video = post(version, VIDEO, media / "no_face.mp4")
    assert video.status_code == 200
    found = video.json() if version == "microservice-v1" else video.json()["predictions"]
    assert found == NO_FACES


@each_version
def test_no_frames_asked_for(post, media, version):
    answer = post(version, VIDEO, media / "clip.mp4", num_frames="0")
    assert answer.status_code == 200
    if version == "microservice-v1":
        assert answer.content == as_flask(NO_FACES)
    else:
        assert answer.json()["predictions"] == NO_FACES and answer.json()["num_frames"] == 0


def test_face_detection_is_on_for_1_alone(post, media):
    # Off, an unknown method does not matter; on, it finds nothing.
    for word, found in {"1": False, "0": True, "true": True, "True": True, "": True, " 1": True}.items():
        answer = post(
            "microservice-v2", IMAGE, media / "portrait.png", face_detection=word, face_detection_method="HOG"
        )
        assert answer.status_code == 200
        assert (answer.json()["predictions"] != NO_FACE) == found, word
        assert answer.json()["face_detection_method"] == "HOG"


@pytest.mark.parametrize("method", ["mtcnn", "", "HOG", "SSD "])
def test_unknown_method_is_no_face(post, media, method):
    image = post("microservice-v2", IMAGE, media / "portrait.png", face_detection_method=method)
    assert (image.status_code, image.json()["predictions"]) == (200, NO_FACE)
    assert "MTCNN or SSD" in image.json()["unmask"]["message"]
    video = post("microservice-v1", VIDEO, media / "clip.mp4", face_detection_method=method)
    assert (video.status_code, video.json()) == (200, NO_FACES)


# ---- errors ----


@each_version
@pytest.mark.parametrize(("path", "what"), [(IMAGE, "image"), (VIDEO, "video")])
def test_missing_file(server, version, path, what):
    url = server.urls[version] + path
    expected = as_flask({"error": f"No {what} file provided"})
    text = {what: (None, "only text")}
    other = {"file": b"content"}
    for options in ({}, {"data": {what: "text"}}, {"files": text}, {"files": other}, {"json": {what: 1}}):
        answer = requests.post(url, timeout=60, **options)
        assert (answer.status_code, answer.content) == (400, expected), options
        assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("file", "fields"),
    [
        ("clip.mp4", {"num_frames": "abc"}),
        ("clip.mp4", {"num_frames": "3.0"}),
        ("clip.mp4", {"num_frames": ""}),
        ("clip.mp4", {"num_frames": "-1"}),
        ("clip.mp4", {"num_frames": "76"}),
        ("clip.mp4", {"num_frames": "99999999999999999999"}),
        ("clip.mp4", {"seed": "x"}),
        ("text.mp4", {}),
    ],
)
def test_what_was_an_html_500_is_a_json_500(post, media, file, fields):
    answer = post("microservice-v1", VIDEO, media / file, **fields)
    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert list(answer.json()) == ["error"] and answer.json()["error"]


def test_undecodable_pictures(server, post, media):
    for file in ("text.png", "clip.mp4", "portrait.heic", "portrait.avif"):
        answer = post("microservice-v2", IMAGE, media / file)
        assert answer.status_code == 500 and list(answer.json()) == ["error"]
    assert post("microservice-v2", VIDEO, media / "portrait.heic", num_frames=1).status_code == 500
    nameless = b'--XX\r\nContent-Disposition: form-data; name="image"; filename=""\r\n\r\n\r\n--XX--\r\n'
    answer = send(server, nameless)
    assert answer.status_code == 500


def test_wrong_paths_and_methods(server):
    url = server.urls["microservice-v1"]
    missing = requests.get(url + "/none", timeout=60)
    assert missing.status_code == 404 and len(missing.content) == 207
    assert missing.headers["Content-Type"] == "text/html; charset=utf-8"
    for answer in (requests.get(url + IMAGE, timeout=60), requests.put(url + VIDEO, timeout=60)):
        assert answer.status_code == 405 and len(answer.content) == 153
        assert answer.headers["Allow"] == "POST, OPTIONS"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_cors(server, post, media):
    url = server.urls["microservice-v2"]
    asked = {
        "Origin": "https://page.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type, x-token",
    }
    answer = requests.options(url + IMAGE, headers=asked, timeout=60)
    assert (answer.status_code, answer.content) == (200, b"")
    expected = {
        "Allow": "POST, OPTIONS",
        "Access-Control-Allow-Origin": "https://page.example",
        "Access-Control-Allow-Headers": "content-type, x-token",
        "Access-Control-Allow-Methods": "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT",
        "Vary": "Origin",
    }
    assert {name: answer.headers.get(name) for name in expected} == expected
    with open(media / "portrait.jpg", "rb") as file:
        answer = requests.post(
            url + IMAGE, files={"image": file}, headers={"Origin": "https://page.example"}, timeout=120
        )
    assert answer.headers["Access-Control-Allow-Origin"] == "https://page.example"
    assert answer.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_the_same_under_the_main_listener(server, media):
    url = f"{server.urls['unmask']}/compat/microservice-v1"
    assert requests.get(url + "/", timeout=60).content == b"Welcome to Deepfake Detection API"
    with open(media / "portrait.png", "rb") as file:
        assert "Predictions" in requests.post(url + IMAGE, files={"image": file}, timeout=120).json()
    assert len(requests.get(url + "/none", timeout=60).content) == 207


def test_port_of_the_environment(start_contracts, unmask, clean_environment, tmp_path):
    with socket.socket() as probe:
        probe.bind(("0.0.0.0", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [unmask, "serve", "--listen", "127.0.0.1:0", "--data", tmp_path, "--contract", "microservice-v1"],
        stdout=subprocess.PIPE,
        text=True,
        env=clean_environment | {"PORT": str(port)},
    )
    try:
        lines = [process.stdout.readline() for _ in range(2)]
        assert lines[1] == f"microservice-v1 is listening on http://0.0.0.0:{port}\n"
    finally:
        process.terminate()
        assert process.wait(60) == 0


# ---- what the originals do not survive ----


def send(server, body, boundary="XX"):
    return requests.post(
        server.urls["microservice-v1"] + IMAGE,
        data=body,
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
        timeout=120,
    )


def part(content, name="image", filename="a.png"):
    return (
        f'--XX\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n\r\n'.encode()
        + content
        + b"\r\n"
    )


def test_broken_forms_are_forms_without_a_file(server, media):
    picture = part((media / "portrait.jpg").read_bytes())
    expected = as_flask({"error": "No image file provided"})
    for body, boundary in (
        (picture + b"--XX--\r\n", "YY"),
        (picture, "XX"),
        (picture + b"--XX", "XX"),
        (b"", "XX"),
    ):
        answer = send(server, body, boundary)
        assert (answer.status_code, answer.content) == (400, expected)
    assert send(server, picture + b"--XX--\r\n").status_code == 200


def test_of_two_files_the_first_counts(server, media):
    portrait, nobody = (media / name for name in ("portrait.png", "no_face.png"))
    for first, second, found in ((portrait, nobody, True), (nobody, portrait, False)):
        body = part(first.read_bytes()) + part(second.read_bytes()) + b"--XX--\r\n"
        assert (send(server, body).json()["Predictions"] != NO_FACE) == found


def test_ten_clients_with_files_of_the_same_name(server, media):
    """The originals keep one file for all and mix the answers up."""
    portrait, nobody = ((media / name).read_bytes() for name in ("portrait.jpg", "no_face.png"))

    def ask(i):
        files = {"image": ("uploaded_image.jpg", portrait if i % 2 else nobody)}
        answer = requests.post(server.urls["microservice-v1"] + IMAGE, files=files, timeout=300)
        return answer.status_code, answer.json()["Predictions"] != NO_FACE

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(ask, range(10))) == [(200, i % 2 == 1) for i in range(10)]


def test_a_client_that_leaves_stops_its_work(server, media, until):
    content = (media / "long.mp4").read_bytes()
    host, port = re.fullmatch(r"http://(.*):(\d+)", server.urls["microservice-v2"]).groups()
    body = (
        part(content, "video", "leaver.mp4")
        + b'--XX\r\nContent-Disposition: form-data; name="num_frames"\r\n\r\n1000\r\n--XX--\r\n'
    )
    head = (
        f"POST {VIDEO} HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=XX\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )

    known = {analysis["id"] for analysis in server.analyses()}

    def running():
        return [a["id"] for a in server.analyses() if a["id"] not in known and a["state"] == "running"]

    with socket.create_connection((host, int(port))) as client:
        client.sendall(head.encode() + body)
        until(running)
        (mine,) = running()
    url = f"{server.urls['unmask']}/v1/analyses/{mine}"
    until(lambda: requests.get(url, timeout=60).json()["state"] == "cancelled")
    assert requests.get(server.urls["microservice-v2"] + "/", timeout=60).status_code == 200


def test_a_client_that_leaves_while_it_sends(server, media):
    host, port = re.fullmatch(r"http://(.*):(\d+)", server.urls["microservice-v1"]).groups()
    before = len(server.analyses())

    def leave(i):
        with socket.create_connection((host, int(port))) as client:
            client.sendall(
                f"POST {IMAGE} HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=XX\r\n"
                f"Content-Length: 1000000\r\n\r\n".encode()
                + part(b"half of a picture" * i)[:-2]
            )

    threads = [threading.Thread(target=leave, args=(i,)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert requests.get(server.urls["microservice-v1"] + "/", timeout=60).status_code == 200
    assert len(server.analyses()) == before
    assert list(server.data.iterdir()) == []
