# SPDX-License-Identifier: Apache-2.0
"""A real browser, and pages of other sites for it.

Every host name leads to this machine: `page.example` and `rebound.example` are sites of strangers. With
UNMASK_SCREENSHOTS=DIR in the environment, look() keeps what the browser shows.
"""

import os
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from making import ROOT
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE = 60  # seconds until something that has to come counts as missing
CLIENTS = Path(os.environ.get("UNMASK_TEST_CLIENTS", ROOT / "third_party" / "test_clients"))
SOCKET_IO = CLIENTS / "node_modules" / "socket.io-client" / "dist" / "socket.io.min.js"


def programs():
    """Where Debian has the browser and its driver; None when one is missing."""
    found = shutil.which("chromium"), shutil.which("chromedriver")
    return found if all(found) else None


class Browser:
    """One window of headless Chromium."""

    def __init__(self, scheme="light"):
        chromium, driver = programs()
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for word in (
            "headless=new", "window-size=1000,900", "no-first-run", "disable-gpu", "disable-dev-shm-usage",
            "disable-background-networking", "disable-component-update", "disable-sync",
            "host-resolver-rules=MAP * 127.0.0.1", "no-proxy-server",
        ):  # fmt: skip
            options.add_argument(f"--{word}")
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")  # Chromium's own does not work for root
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options, webdriver.ChromeService(driver))
        self.driver.set_script_timeout(PATIENCE)
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})

    def open(self, url):
        self.driver.get_log("browser")  # forget the page before
        self.driver.get(url)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.find(selector).text

    def choose(self, file, selector="#file"):
        self.find(selector).send_keys(str(file))

    def until(self, condition, what):
        return WebDriverWait(self.driver, PATIENCE, 0.05).until(lambda _: condition(), what)

    def until_text(self, selector, text):
        self.until(lambda: text in self.text(selector), f"{selector} does not say '{text}'")

    def run(self, script, *arguments):
        """The value of an async function's body; a rejected promise as {"error": text}."""
        wrapped = (
            "const done = arguments[arguments.length - 1], given = [...arguments].slice(0, -1);"
            f"(async (...given) => {{ {script} }})(...given)"
            ".then(done, (e) => done({error: `${e.name}: ${e.message}`}));"
        )
        return self.driver.execute_async_script(wrapped, *arguments)

    def complaints(self):
        """What the browser's console holds against the page: errors of scripts, refused loads, the policy."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def look(self, name):
        folder = os.environ.get("UNMASK_SCREENSHOTS")
        if folder:
            size = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
            width, height = self.driver.get_window_size().values()
            self.driver.set_window_size(width, max(height, size["height"] + 150))
            self.driver.save_screenshot(f"{folder}/{name}.png")
            self.driver.set_window_size(width, height)

    def close(self):
        self.driver.quit()


class ForeignSite:
    """An empty page on a port of its own, with socket.io-client for its scripts."""

    def __init__(self):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                script = self.path == "/socket.io.js"
                body = SOCKET_IO.read_bytes() if script else b"<!doctype html><title>foreign</title>"
                self.send_response(200)
                self.send_header("Content-Type", "text/javascript" if script else "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def at(self, host):
        return f"http://{host}:{self.port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
