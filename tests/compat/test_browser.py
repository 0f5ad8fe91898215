# SPDX-License-Identifier: Apache-2.0
"""The pages in a real browser, and what a browser lets pages of other sites do."""

import base64
import json
import re

import browsing
import pytest
import requests
from making import ROOT

CONTRACTS = ["microservice-v1", "microservice-v2", "web-upload", "mesonet-api", "predict-api"]
STRANGER = "page.example"


@pytest.fixture(scope="module")
def browser():
    if not browsing.programs():
        pytest.fail("chromium or chromedriver is missing: run tools/setup.sh --tests", pytrace=False)
    opened = browsing.Browser()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def served(start_contracts):
    return start_contracts(*CONTRACTS)


@pytest.fixture(scope="module")
def site():
    opened = browsing.ForeignSite()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def portrait(media):
    """A picture as base64, which pages of the tests make a file of."""
    return base64.b64encode((media / "portrait.jpg").read_bytes()).decode()


def by_name(url, host="localhost"):
    """The URL with a name in place of 127.0.0.1."""
    return url.replace("127.0.0.1", host)


# ---- the page of web-upload ----


@pytest.mark.parametrize("path", ["", "/compat/web-upload/"])
def test_upload_page(start_contracts, browser, media, path):
    served = start_contracts("web-upload")  # its limits are fresh
    browser.open(served.urls["unmask" if path else "web-upload"] + path)
    assert browser.driver.title == browser.text("h1") == "Deepfake Detection"
    assert browser.text("label[for=file]") == "Upload File:"
    detect = browser.find("#uploadForm button")
    assert detect.text == "Detect"

    detect.click()
    assert browser.text("#result") == "", "nothing is sent without a file"
    browser.choose(media / "portrait.jpg")
    browser.until(lambda: browser.find("#uploadedImage").is_displayed(), "no preview")
    browser.look(f"upload-chosen{len(path)}")
    detect.click()
    browser.until_text("#result", "The image is ")
    assert re.fullmatch(r"The image is (Real|Fake) with a confidence of \d\.\d\d", browser.text("#result"))
    browser.look(f"upload-result{len(path)}")

    browser.choose(media / "no_face.png")
    detect.click()
    browser.until_text("#result", "An error occurred: no face was found in the image")
    browser.choose(media / "text.mp4")
    assert not browser.find("#uploadedImage").is_displayed()
    for _ in range(3):
        browser.until(detect.is_enabled, "the button stays off")
        detect.click()
        browser.until_text("#result", "Invalid file type")
    browser.until(detect.is_enabled, "the button stays off")
    detect.click()
    browser.until_text("#result", "5 per 1 minute")
    assert browser.text("#result") == "Too many requests (5 per 1 minute). Please try again later."
    browser.look(f"upload-limit{len(path)}")
    unexpected = [text for text in browser.complaints() if "/upload - " not in text]  # statuses are logged
    assert not unexpected


def test_upload_page_says_when_the_server_is_gone(start_contracts, browser, media):
    served = start_contracts("web-upload")
    browser.open(served.urls["web-upload"])
    browser.choose(media / "portrait.jpg")
    served.stop()
    browser.find("#uploadForm button").click()
    browser.until_text("#result", "An error occurred: ")


# ---- our own page ----

RECORD = """
  window.titles = [];
  const title = document.getElementById("busy-title");
  const observer = new MutationObserver(() => titles.push(title.textContent));
  observer.observe(title, {childList: true, characterData: true, subtree: true});
"""


def test_native_page(served, browser, media):
    browser.open(served.urls["unmask"])
    browser.until_text("#version", "unmask")
    browser.look("native-start")
    browser.driver.execute_script(RECORD)
    browser.choose(media / "clip.mp4")
    browser.until(lambda: browser.find("#result").is_displayed(), "no result")
    assert browser.driver.execute_script("return titles[0]") == "Uploading"
    newest = served.analyses(1)[0]
    words = browser.run("return (await fetch('/words.json')).json()")
    assert browser.text("#verdict") == words["verdicts"][newest["report"]["verdict"]]["title"]
    picture = browser.find(".track img")
    browser.until(lambda: picture.get_property("naturalWidth") > 0, "the face's picture does not load")
    assert browser.driver.current_url.endswith(f"#{newest['id']}")
    browser.look("native-result")
    assert not browser.complaints()

    browser.driver.refresh()
    browser.until(lambda: browser.find("#result").is_displayed(), "the link does not lead to the result")


def test_native_page_tells_of_errors(served, browser, media):
    browser.open(served.urls["unmask"] + "/#")
    browser.choose(media / "text.mp4")
    browser.until(lambda: browser.find("#error").is_displayed(), "no error")
    assert browser.text("#error-title") == "The analysis failed"
    assert browser.text("#error-text")
    browser.look("native-error")
    browser.choose(media / "portrait.png")
    browser.until(lambda: browser.find("#result").is_displayed(), "no result after an error")
    assert not browser.find("#error").is_displayed()


def test_native_page_cancels(served, browser, media, until):
    browser.open(served.urls["unmask"] + "/#")
    browser.choose(media / "long.mp4")
    browser.until_text("#busy-title", "Analysing")
    browser.until(lambda: 0 < browser.find("#progress").get_property("value") < 1, "no progress")
    assert re.fullmatch(r"\d+ %", browser.text("#busy-text"))
    browser.look("native-busy")
    newest = served.analyses(1)[0]["id"]
    browser.find("#cancel").click()
    until(lambda: newest not in [analysis["id"] for analysis in served.analyses()])
    assert not browser.find("#busy").is_displayed() and not browser.find("#error").is_displayed()


def test_pages_in_the_dark(served, media):
    browser = browsing.Browser("dark")
    try:
        browser.open(served.urls["unmask"])
        browser.choose(media / "portrait.png")
        browser.until(lambda: browser.find("#result").is_displayed(), "no result")
        browser.look("native-dark")
        ink, ground = (browser.find("body").value_of_css_property(p) for p in ("color", "background-color"))
        light, dark = (sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ink, ground))
        assert light > 600 > 120 > dark
    finally:
        browser.close()


def test_native_page_on_a_telephone(served, browser, media):
    screen = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    try:
        browser.open(served.urls["unmask"] + "/#")
        browser.choose(media / "clip.mp4")
        browser.until(lambda: browser.find("#result").is_displayed(), "no result")
        browser.look("native-phone")
        width = browser.driver.execute_script("return document.documentElement.scrollWidth")
        assert width <= 360, "it must be scrolled sideways"
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("name", ["unmask", *CONTRACTS])
def test_docs(served, browser, name):
    document = ROOT / "web" / ("openapi.json" if name == "unmask" else f"compat/{name}.openapi.json")
    paths = json.loads(document.read_text())["paths"]
    operations = sum(len(set(item) - {"parameters"}) for item in paths.values())
    places = [served.urls[name]] + ([] if name == "unmask" else [f"{served.urls['unmask']}/compat/{name}"])

    def shown():
        return browser.driver.execute_script("return document.querySelectorAll('.opblock').length")

    for root in places:
        browser.open(f"{root}/docs")
        browser.until(lambda: shown() == operations, "operations are missing")
        assert browser.driver.title.endswith("Swagger UI")
        assert not browser.complaints()
    browser.look(f"docs-{name}")


# ---- fetch() from a page of another site, at a contract's own listener ----

FETCH = """
  const [url, options, picture, field] = given;
  if (picture) {
    const bytes = Uint8Array.from(atob(picture), (c) => c.charCodeAt(0));
    options.body = new FormData();
    options.body.append(field, new File([bytes], "a.jpg", {type: "image/jpeg"}));
  }
  const answer = await fetch(url, options);
  return {status: answer.status, type: answer.type, text: await answer.text()};
"""


def test_simple_requests(served, browser, site, portrait):
    """A form with a picture needs no preflight."""
    browser.open(site.at(STRANGER))
    for name, path, field, status in [
        ("microservice-v1", "/detect_deepfake_image", "image", 200),
        ("microservice-v2", "/detect_deepfake_image", "image", 200),
        ("mesonet-api", "/upload", "file", 400),  # "File must be a video"
        ("predict-api", "/predict", "file", 200),
        ("predict-api", "/none", "file", 404),
    ]:
        answer = browser.run(FETCH, served.urls[name] + path, {"method": "POST"}, portrait, field)
        assert answer.get("status") == status, (name, answer)
        assert json.loads(answer["text"])


@pytest.mark.parametrize("name", ["microservice-v1", "mesonet-api", "predict-api"])
def test_preflights(served, browser, site, name):
    browser.open(site.at(STRANGER))
    path = "/" if name == "microservice-v1" else "/health"
    for method in ("GET", "DELETE"):
        options = {"method": method, "headers": {"X-Requested-With": "page", "Authorization": "Bearer x"}}
        answer = browser.run(FETCH, served.urls[name] + path, options)
        assert answer.get("status") == (200 if method == "GET" else 405), answer


def test_credentials(served, browser, site):
    """Flask-CORS grants none; Starlette does when a cookie comes, and names the origin then."""
    host = {name: by_name(served.urls[name]) for name in ("microservice-v1", "mesonet-api")}
    browser.open(site.at("localhost"))  # another origin of the same site, to which cookies go
    options = {"credentials": "include"}
    assert "error" in browser.run(FETCH, host["microservice-v1"] + "/", options)
    browser.driver.delete_all_cookies()
    assert "error" in browser.run(FETCH, host["mesonet-api"] + "/health", options), "* is not enough"
    browser.driver.add_cookie({"name": "a", "value": "b"})
    answer = browser.run(FETCH, host["mesonet-api"] + "/health", options)
    browser.driver.delete_all_cookies()
    assert answer.get("status") == 200, answer


def test_web_upload_has_no_cors(served, browser, site, portrait):
    browser.open(site.at(STRANGER))
    answer = browser.run(FETCH, served.urls["web-upload"] + "/upload", {"method": "POST"}, portrait, "file")
    assert "TypeError" in answer["error"]


CONNECT = """
  const [url, path, options] = given;
  if (!window.io) await new Promise((loaded, failed) => {
    const script = document.createElement("script");
    Object.assign(script, {src: "/socket.io.js", onload: loaded, onerror: failed});
    document.head.append(script);
  });
  const socket = io(url, {path, reconnection: false, forceNew: true, ...options});
  try {
    const hello = await new Promise((resolve, reject) => {
      socket.on("connection_established", resolve);
      socket.on("connect_error", reject);
    });
    if (options.transports === undefined && socket.io.engine.transport.name !== "websocket")
      await new Promise((resolve) => socket.io.engine.once("upgrade", resolve));
    socket.emit("ping", {});
    const pong = await new Promise((resolve) => socket.on("pong", resolve));
    return {hello, pong, transport: socket.io.engine.transport.name};
  } finally {
    socket.disconnect();
  }
"""


@pytest.mark.parametrize("transports", [["polling"], ["websocket"], None])
def test_socket_io(served, browser, site, transports):
    browser.open(site.at(STRANGER))
    options = {"transports": transports} if transports else {}
    got = browser.run(CONNECT, served.urls["mesonet-api"], "/socket.io/", options)
    assert got.get("transport") == (transports or ["websocket"])[0], got
    assert got["hello"]["status"] == "connected" and got["pong"]["detector_ready"] is True


# ---- what a page of another site may not do ----


@pytest.fixture
def closed(start_contracts):
    """A plain `unmask serve`."""
    return start_contracts()


def uploads(url):
    """Ways to have work done under the main listener: (URL, field, mode)."""
    routes = [
        ("/v1/analyses", "file"),
        ("/compat/microservice-v1/detect_deepfake_image", "image"),
        ("/compat/web-upload/upload", "file"),
        ("/compat/predict-api/predict", "file"),
    ]
    return [(url + path, field, mode) for path, field in routes for mode in ("cors", "no-cors")]


@pytest.mark.parametrize("host", [STRANGER, "localhost"])
def test_foreign_pages_cannot_use_a_plain_server(closed, browser, site, portrait, host):
    browser.open(site.at(host))
    target = by_name(closed.urls["unmask"])
    for url, field, mode in uploads(target):
        answer = browser.run(FETCH, url, {"method": "POST", "mode": mode}, portrait, field)
        assert "error" in answer or answer["type"] == "opaque", url
    for path in (
        "/v1/analyses",
        "/compat/mesonet-api/health",
        "/compat/mesonet-api/socket.io/?EIO=4&transport=polling",
    ):
        assert "error" in browser.run(FETCH, target + path, {}), path
    for transports in (["polling"], ["websocket"]):
        got = browser.run(CONNECT, target, "/compat/mesonet-api/socket.io/", {"transports": transports})
        assert "error" in got
    usage = requests.get(f"{closed.urls['unmask']}/compat/mesonet-api/", timeout=60).json()["usage"]
    assert usage["socket_connections"] == 0 and closed.analyses() == []


def test_a_form_of_a_foreign_page_is_refused(closed, browser, site):
    browser.open(site.at(STRANGER))
    browser.driver.execute_script(
        """const form = document.createElement("form");
           Object.assign(form, {method: "post", enctype: "multipart/form-data", action: arguments[0]});
           document.body.append(form);
           form.submit();""",
        f"{closed.urls['unmask']}/v1/analyses",
    )
    browser.until_text("body", "may not use this server")
    assert closed.analyses() == []


def test_links_from_elsewhere_lead_to_the_page(closed, browser, site):
    browser.open(site.at(STRANGER))
    browser.driver.execute_script("location.href = arguments[0]", by_name(closed.urls["unmask"]) + "/")
    browser.until(
        lambda: browser.driver.current_url.startswith("http://localhost"), "the link was not followed"
    )
    browser.until_text("#version", "unmask")


def test_a_rebound_name_reaches_nothing(closed, start_contracts, browser):
    browser.open(by_name(closed.urls["unmask"], "rebound.example") + "/v1/analyses")
    assert "expected a Host that is localhost" in browser.text("body")
    known = start_contracts(flags=["--allow-host", "rebound.example"])
    browser.open(by_name(known.urls["unmask"], "rebound.example") + "/")
    browser.until_text("#version", "unmask")


def test_pages_of_an_allowed_origin_may_use_it(start_contracts, browser, site, portrait):
    served = start_contracts(flags=["--allow-origin", site.at(STRANGER)])
    target = by_name(served.urls["unmask"])
    browser.open(site.at(STRANGER))
    for url, field, mode in uploads(target):
        if mode == "cors":
            answer = browser.run(FETCH, url, {"method": "POST"}, portrait, field)
            assert answer.get("status") == 200, (url, answer)
    listed = browser.run(FETCH, target + "/v1/analyses", {})
    newest = json.loads(listed["text"])["analyses"][0]["id"]
    assert browser.run(FETCH, f"{target}/v1/analyses/{newest}", {"method": "DELETE"})["status"] == 204
    got = browser.run(CONNECT, target, "/compat/mesonet-api/socket.io/", {})
    assert got.get("transport") == "websocket", got
    browser.open(site.at("other.example"))
    assert "error" in browser.run(FETCH, target + "/v1/analyses", {})
