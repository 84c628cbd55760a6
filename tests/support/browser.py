# SPDX-License-Identifier: MIT
"""A real browser for tests: Debian's Chromium, driven over the WebDriver protocol (W3C)."""
import base64
import http.client
import json
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--hide-scrollbars"]


class WebDriverError(Exception):
    """What the driver says of a command."""


class Browser:
    def __init__(self, width=1280, height=860, dark=False):
        self.profile = tempfile.mkdtemp(prefix="schedd-browser.")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.driver = subprocess.Popen(["chromedriver", f"--port={self.port}"], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.session = None
        flags = [*FLAGS, f"--user-data-dir={self.profile}", f"--window-size={width},{height}"]
        if dark:
            flags.append("--force-dark-mode")
            flags.append("--blink-settings=preferredColorScheme=0")
        wanted = {"alwaysMatch": {"goog:chromeOptions": {"args": flags, "binary": "/usr/bin/chromium"},
                                  "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}}
        deadline = time.monotonic() + 60
        while not self.session:
            try:
                self.session = self._ask("POST", "/session", {"capabilities": wanted})["sessionId"]
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, body=None if body is None else json.dumps(body),
                               headers={"Content-Type": "application/json"})
            value = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(value, dict) and "error" in value:
            raise WebDriverError(f"{value['error']}: {value['message']}")
        return value

    def do(self, method, path, body=None):
        return self._ask(method, f"/session/{self.session}{path}", body)

    def go(self, url):
        self.do("POST", "/url", {"url": url})

    def run(self, script, *args):
        """Runs a script in the page and answers what it returns."""
        return self.do("POST", "/execute/sync", {"script": script, "args": list(args)})

    def find(self, selector):
        return self.do("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        """The page may draw anew what was just found: then what stands there now is meant."""
        deadline = time.monotonic() + 30
        while True:
            try:
                return self.do("POST", f"/element/{self.find(selector)}/click", {})
            except WebDriverError as error:
                if "stale element" not in str(error) or time.monotonic() > deadline:
                    raise

    def type(self, selector, text):
        element = self.find(selector)
        self.do("POST", f"/element/{element}/clear", {})
        self.do("POST", f"/element/{element}/value", {"text": text})

    def keys(self, text):
        """Keys to whatever has the focus."""
        actions = [step for key in text for step in ({"type": "keyDown", "value": key}, {"type": "keyUp", "value": key})]
        self.do("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def text(self):
        return self.run("return document.body.innerText")

    def until(self, what, script, seconds=30):
        """Polls a script until it returns something true, and answers that."""
        deadline = time.monotonic() + seconds
        while not (answer := self.run(script)):
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s: {what}; the page says:\n{self.text()}")
            time.sleep(0.05)
        return answer

    def log(self, kind="browser"):
        """Entries since the last call; browser: the console with violations of the policy."""
        return self.do("POST", "/se/log", {"type": kind})

    def size(self, width, height):
        self.do("POST", "/window/rect", {"width": width, "height": height})

    def picture(self, path):
        pathlib.Path(path).write_bytes(base64.b64decode(self.do("GET", "/screenshot")))

    def end(self):
        try:
            if self.session:
                self.do("DELETE", "")
        except (OSError, WebDriverError):
            pass
        self.driver.terminate()
        self.driver.wait(20)
        shutil.rmtree(self.profile, ignore_errors=True)
