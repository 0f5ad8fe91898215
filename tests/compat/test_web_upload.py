# SPDX-License-Identifier: Apache-2.0
"""web-upload by the clients that its users have: a browser's requests, requests, httpx, curl."""

import itertools
import json
import re
import socket
import subprocess
import threading
import time
from html.parser import HTMLParser

import httpx
import pytest
import requests

addresses = (f"198.51.{n // 250}.{n % 250 + 1}" for n in itertools.count())

TOO_LARGE = (
    "An error occurred: 413 Request Entity Too Large: The data value transmitted exceeds the capacity limit."
)


def limited(text: str) -> bytes:
    return (
        "<!doctype html>\n<html lang=en>\n<title>429 Too Many Requests</title>\n<h1>Too Many Requests</h1>\n"
        f"<p>{text}</p>\n"
    ).encode()


@pytest.fixture
def site(server):
    """The site as a client with an address of its own sees it: its limits are fresh."""
    return Client(server.urls["web-upload"], next(addresses))


class Client:
    def __init__(self, url, address=None):
        self.url = url
        self.headers = {"X-Forwarded-For": address} if address else {}

    def get(self, path="/", **options):
        return requests.get(self.url + path, headers=self.headers, timeout=60, **options)

    def post(self, content=None, name="a.png", **options):
        files = {} if content is None else {"files": {"file": (name, content)}}
        return requests.post(self.url + "/upload", headers=self.headers, timeout=120, **files, **options)


# ---- uploads ----


def test_upload(site, media):
    answer = site.post((media / "portrait.png").read_bytes())
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert not any(name.lower().startswith(("access-control", "x-ratelimit")) for name in answer.headers)
    body = answer.json()
    assert answer.text == json.dumps(body, sort_keys=True, separators=(",", ":")) + "\n"
    assert sorted(body) == ["alert", "unmask"]
    found = re.fullmatch(r"The image is (Real|Fake) with a confidence of (\d\.\d\d)", body["alert"])
    assert found
    assert (found[1] == "Fake") == (body["unmask"]["verdict"] == "manipulated")
    assert (float(found[2]) > 0.7) == (found[1] == "Real") or found[2] == "0.70"


def test_upload_by_httpx_and_curl(site, media):
    portrait = media / "portrait.jpg"
    with httpx.Client(timeout=120, headers=site.headers) as client:
        files = {"file": ("portrait.JPEG", portrait.read_bytes(), "image/jpeg")}
        by_httpx = client.post(site.url + "/upload", files=files).json()["alert"]
    header = f"X-Forwarded-For: {site.headers['X-Forwarded-For']}"
    command = ["curl", "-sS", "-H", header, "-F", f"file=@{portrait}", site.url + "/upload"]
    by_curl = subprocess.run(command, capture_output=True, check=True, timeout=120).stdout
    assert json.loads(by_curl)["alert"] == by_httpx


def test_grey_pictures_work(site, media):
    assert site.post((media / "grey.png").read_bytes()).status_code == 200


@pytest.mark.parametrize(
    ("name", "alert"),
    [
        ("a.gif", "Invalid file type"),
        ("png", "Invalid file type"),
        ("a.png.exe", "Invalid file type"),
        ("a.", "Invalid file type"),
    ],
)
def test_other_file_types(site, media, name, alert):
    answer = site.post((media / "portrait.png").read_bytes(), name)
    assert (answer.status_code, answer.content) == (
        400,
        json.dumps({"alert": alert}).replace(": ", ":").encode() + b"\n",
    )


def test_no_file(site):
    for options in ({}, {"data": {"file": "text"}}, {"files": {"other": b"x"}}, {"json": {}}):
        answer = site.post(**options)
        assert (answer.status_code, answer.content) == (400, b'{"alert":"No file part"}\n')


def test_no_selected_file(site):
    """What a browser sends for a form whose file was not chosen."""
    body = (
        b'--XX\r\nContent-Disposition: form-data; name="file"; filename=""\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n\r\n--XX--\r\n"
    )
    headers = site.headers | {"Content-Type": "multipart/form-data; boundary=XX"}
    answer = requests.post(site.url + "/upload", data=body, headers=headers, timeout=60)
    assert (answer.status_code, answer.content) == (400, b'{"alert":"No selected file"}\n')


@pytest.mark.parametrize(
    ("name", "shown"),
    [("x.png", "x.png"), ("../../etc/x.PNG", "etc_x.PNG"), ("図.png", "png"), ("my cat.jpg", "my_cat.jpg")],
)
def test_undecodable(site, media, name, shown):
    answer = site.post((media / "text.png").read_bytes(), name)
    alert = f"An error occurred: cannot identify image file 'uploads/{shown}'"
    assert (answer.status_code, answer.json()) == (500, {"alert": alert})


@pytest.mark.parametrize("file", ["portrait.heic", "portrait.avif"])
def test_what_its_pillow_did_not_read(site, media, file):
    """Phones name such files .jpg, too."""
    answer = site.post((media / file).read_bytes(), "x.jpg")
    alert = "An error occurred: cannot identify image file 'uploads/x.jpg'"
    assert (answer.status_code, answer.json()) == (500, {"alert": alert})


def test_a_picture_beyond_the_limits_is_no_rate_limit(site, media):
    answer = site.post((media / "huge.png").read_bytes())
    assert answer.status_code == 500
    assert answer.json()["alert"].startswith("An error occurred: ")


def test_a_video_is_no_picture(site, media):
    answer = site.post((media / "clip.mp4").read_bytes(), "clip.png")
    assert (
        answer.status_code == 500
        and "cannot identify image file 'uploads/clip.png'" in answer.json()["alert"]
    )


def test_no_face(site, media):
    answer = site.post((media / "no_face.png").read_bytes())
    assert answer.status_code == 500
    assert answer.json()["alert"] == "An error occurred: no face was found in the image"
    assert answer.json()["unmask"]["reasons"] == ["no_face"]


@pytest.mark.parametrize("chunked", [False, True])
def test_five_mebibytes(site, media, chunked):
    head = b'--XX\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    tail = b"\r\n--XX--\r\n"
    picture = (media / "portrait.png").read_bytes()
    headers = site.headers | {"Content-Type": "multipart/form-data; boundary=XX"}

    def post(size):
        body = head + picture.ljust(size - len(head) - len(tail), b"\0") + tail
        return requests.post(
            site.url + "/upload", data=iter([body]) if chunked else body, headers=headers, timeout=120
        )

    assert post(5 * 1024 * 1024).status_code == 200
    answer = post(5 * 1024 * 1024 + 1)
    assert (answer.status_code, answer.json()) == (500, {"alert": TOO_LARGE})


def test_broken_forms(site, media):
    picture = (media / "portrait.png").read_bytes()
    part = (
        b'--XX\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + picture + b"\r\n"
    )
    for body, boundary in ((part + b"--XX--\r\n", "YY"), (part, "XX"), (b"", "XX")):
        headers = site.headers | {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        answer = requests.post(site.url + "/upload", data=body, headers=headers, timeout=60)
        assert (answer.status_code, answer.content) == (400, b'{"alert":"No file part"}\n')


def test_wrong_methods_and_paths(site):
    answer = site.get("/upload")
    assert answer.status_code == 405 and len(answer.content) == 153
    assert set(answer.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
    assert len(site.get("/none").content) == 207
    assert site.get("/static/none.js").status_code == 404


# ---- the page ----


class Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found, self.texts, self.open = [], {}, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        self.open = tag

    def handle_data(self, data):
        self.texts.setdefault(self.open, data.strip())

    def by_id(self, name):
        return next((tag, attributes) for tag, attributes in self.found if attributes.get("id") == name)


def test_page(site):
    answer = site.get()
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    page = Elements(answer.text)
    assert page.texts["title"] == page.texts["h1"] == "Deepfake Detection"
    assert page.texts["label"] == "Upload File:" and page.texts["button"] == "Detect"
    tag, field = page.by_id("file")
    assert tag == "input" and field["type"] == "file" and field["name"] == "file"
    assert "required" in field and "accept" not in field
    assert page.by_id("uploadForm")[0] == "form"
    page.by_id("result")
    assert page.by_id("uploadedImage")[0] == "img"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    for path in re.findall(r'(?:href|src)="([^"]+)"', answer.text):
        assert not path.startswith(("http:", "https:", "//", "/")), "the page needs nothing from elsewhere"
        assert site.get("/" + path).status_code == 200


def test_page_under_the_main_listener(server):
    site = Client(f"{server.urls['unmask']}/compat/web-upload", next(addresses))
    assert "Deepfake Detection" in site.get().text
    assert site.get("/static/upload.js").status_code == 200
    assert site.post().content == b'{"alert":"No file part"}\n'


# ---- limits ----


def test_five_uploads_a_minute(site, media):
    answers = [site.post().status_code, site.get("/upload").status_code]  # the latter does not count
    answers += [
        site.post(b"x", "a.gif").status_code,
        site.post((media / "portrait.png").read_bytes()).status_code,
    ]
    answers += [site.post(b"x" * (5 << 20)).status_code, site.post().status_code]
    assert answers == [400, 405, 400, 200, 500, 400]
    for _ in range(2):
        answer = site.post((media / "portrait.png").read_bytes())
        assert answer.status_code == 429
        assert answer.content == limited("5 per 1 minute") and len(answer.content) == 117
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "Retry-After" not in answer.headers
    assert site.get().status_code == 200, "the page has limits of its own"


def test_ten_pages_an_hour(site):
    assert [site.get().status_code for _ in range(9)] == [200] * 9
    assert requests.head(site.url + "/", headers=site.headers, timeout=60).status_code == 200
    answer = site.get()
    assert (answer.status_code, answer.content) == (429, limited("10 per 1 hour"))
    assert requests.options(site.url + "/", headers=site.headers, timeout=60).status_code == 429
    assert site.get("/static/upload.js").status_code == 200
    assert site.post().status_code == 400, "uploads have a limit of their own"


def test_an_early_refusal_reaches_a_client_that_still_sends(site):
    for _ in range(5):
        site.post()
    assert site.post(b"x" * (4 << 20)).content == limited("5 per 1 minute")


def test_the_forwarded_address_counts_only_from_a_trusted_proxy(start_contracts, server):
    url = start_contracts("web-upload").urls["web-upload"]
    codes = [Client(url, next(addresses)).post().status_code for _ in range(6)]
    assert codes == [400] * 5 + [429], "without --trusted-proxy all of them are one address"
    trusting = server.urls["web-upload"]
    mine = next(addresses)
    codes = [Client(trusting, f"203.0.113.{i}, {mine}").post().status_code for i in range(6)]
    assert codes == [400] * 5 + [429], "what stands left of the client's address the client may have written"


# ---- Redis ----


class Redis:
    """A real redis-server on a port of its own."""

    def __init__(self, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.folder = folder
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [
                "redis-server",
                "--port",
                str(self.port),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--dir",
                self.folder,
            ],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 30
        while self.ask("ping") != "PONG":
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def ask(self, *words):
        command = ["redis-cli", "-p", str(self.port), *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.strip()


@pytest.fixture
def redis(tmp_path):
    server = Redis(tmp_path)
    server.start()
    yield server
    if server.process.poll() is None:
        server.kill()


def redis_flags(redis, *more):
    return ["--redis", f"redis://127.0.0.1:{redis.port}/2", "--trusted-proxy", "127.0.0.0/8", *more]


def test_two_servers_share_one_limit(start_contracts, redis):
    sites = [start_contracts("web-upload", flags=redis_flags(redis)).urls["web-upload"] for _ in range(2)]
    address = next(addresses)
    clients = [Client(url, address) for url in sites]
    assert [clients[i % 2].post().status_code for i in range(5)] == [400] * 5
    assert [client.post().content for client in clients] == [limited("5 per 1 minute")] * 2
    key = f"LIMITS:LIMITER/{address}/upload_file/5/1/minute"
    assert redis.ask("-n", 2, "get", key) == "7"
    assert 0 < int(redis.ask("-n", 2, "ttl", key)) <= 60
    assert clients[0].get().status_code == 200
    keys = {f"LIMITS:LIMITER/{address}/index/10/1/hour", f"LIMITS:LIMITER/{address}/index/100/1/day"}
    assert keys <= set(redis.ask("-n", 2, "keys", "*").splitlines())
    redis.ask("-n", 2, "del", key)
    assert clients[1].post().status_code == 400, "the window is over for both"
    assert clients[0].post().status_code == 400


def test_a_key_without_an_end_gets_one(start_contracts, redis):
    """As a server leaves it that dies between counting and setting the end."""
    url = start_contracts("web-upload", flags=redis_flags(redis)).urls["web-upload"]
    address = next(addresses)
    key = f"LIMITS:LIMITER/{address}/upload_file/5/1/minute"
    redis.ask("-n", 2, "set", key, 3)
    assert Client(url, address).post().status_code == 400
    assert 0 < int(redis.ask("-n", 2, "ttl", key)) <= 60


def test_many_clients_at_once_are_counted_exactly(start_contracts, redis):
    url = start_contracts("web-upload", flags=redis_flags(redis)).urls["web-upload"]
    client = Client(url, next(addresses))
    codes = []
    threads = [threading.Thread(target=lambda: codes.append(client.post().status_code)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [400] * 5 + [429] * 15


def test_redis_killed_in_between(start_contracts, redis, until):
    allowing = start_contracts("web-upload", flags=redis_flags(redis))
    denying = start_contracts("web-upload", flags=redis_flags(redis, "--redis-down", "deny"))
    open_to, closed_to = (Client(s.urls["web-upload"], next(addresses)) for s in (allowing, denying))
    assert open_to.post().status_code == closed_to.post().status_code == 400
    redis.kill()
    assert [open_to.post().status_code for _ in range(8)] == [400] * 8
    answer = closed_to.post()
    assert answer.status_code == 503 and "Retry-After" in answer.headers
    assert answer.json() == {"alert": "An error occurred: the rate limit cannot be checked"}
    assert open_to.get().status_code == 200 and closed_to.get().status_code == 503
    assert allowing.log.read_text().count("Redis does not answer") == 1
    redis.start()
    until(lambda: closed_to.post().status_code == 400)
    until(lambda: open_to.post().status_code == 429)
    assert allowing.log.read_text().count("Redis answers again") == 1


def test_redis_that_hangs_delays_by_its_time_limit_alone(start_contracts, redis):
    server = start_contracts("web-upload", flags=redis_flags(redis))
    client = Client(server.urls["web-upload"], next(addresses))
    assert client.post().status_code == 400
    redis.process.send_signal(subprocess.signal.SIGSTOP)
    try:
        assert [client.post().status_code for _ in range(10)] == [400] * 10
    finally:
        redis.process.send_signal(subprocess.signal.SIGCONT)
