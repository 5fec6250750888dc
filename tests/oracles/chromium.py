"""A page in headless Chromium, driven by its DevTools protocol: what a reader sees, presses and hears of it."""

import base64
import json
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path

import websocket

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"),
    *("--remote-debugging-port=0", "--window-size=1280,900"),
)
SECONDS = 60


def program() -> str | None:
    """Path of a Chromium, None if there is none."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


class Chromium:
    """One tab. `events` are those of the protocol so far: {"method": ..., "params": ...}."""

    def __init__(self, folder: Path) -> None:
        command = [str(program()), *FLAGS, f"--user-data-dir={folder}", "about:blank"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.events: list[dict] = []
        self._count = 0
        try:
            self._socket = websocket.create_connection(
                self._address(folder / "DevToolsActivePort"), timeout=SECONDS, suppress_origin=True
            )
            for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
                self.call(f"{domain}.enable")
        except BaseException:
            self.close()
            raise

    def _address(self, file: Path) -> str:
        stop = time.monotonic() + SECONDS
        while time.monotonic() < stop and self._process.poll() is None:
            if file.exists() and (lines := file.read_text().splitlines()):
                with urllib.request.urlopen(f"http://127.0.0.1:{lines[0]}/json/list", timeout=SECONDS) as answer:
                    tabs = [one for one in json.load(answer) if one["type"] == "page"]
                if tabs:
                    return tabs[0]["webSocketDebuggerUrl"]
            time.sleep(0.05)
        raise RuntimeError("Chromium did not start")

    def call(self, method: str, **params):
        """The result of one command; RuntimeError for its error."""
        self._count += 1
        self._socket.send(json.dumps({"id": self._count, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == self._count:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, path: Path) -> None:
        """Loads a file and waits until it is there."""
        self.call("Page.navigate", url=path.resolve().as_uri())
        stop = time.monotonic() + SECONDS
        while not any(one["method"] == "Page.loadEventFired" for one in self.events):
            if time.monotonic() > stop:
                raise RuntimeError(f"{path} did not load")
            self.run("1")

    def run(self, script: str):
        """The value of a JavaScript expression."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def press(self, key: str, text: str = "") -> None:
        """One key, such as Tab, Enter or a letter (given as its own text)."""
        codes = {"Tab": 9, "Enter": 13, "ArrowDown": 40, "ArrowRight": 39, " ": 32}
        words = {"key": key, "code": key, "windowsVirtualKeyCode": codes.get(key, 0)}
        shown = {"text": text} if text else {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **words, **shown)
        self.call("Input.dispatchKeyEvent", type="keyUp", **words)

    def write(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def media(self, **features: str) -> None:
        """Media features by name with _ for -, such as prefers_color_scheme="dark"; type is the medium."""
        medium = features.pop("type", "")
        given = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", media=medium, features=given)

    def complaints(self) -> list[str]:
        """Errors and warnings of the console, exceptions, and what the page tried to load besides itself and data."""
        found = []
        for one in self.events:
            method, params = one["method"], one["params"]
            if method == "Runtime.exceptionThrown":
                found.append(str(params["exceptionDetails"]))
            elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
                found.append(str(params["args"]))
            elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
                found.append(params["entry"]["text"])
            elif method == "Network.requestWillBeSent" and not params["request"]["url"].startswith(("file:", "data:")):
                found.append(params["request"]["url"])
        return found

    def screenshot(self, path: Path, **clip: float) -> None:
        """The window, or the part of the page at x, y of width, height, as PNG."""
        area = {"clip": clip | {"scale": 1}, "captureBeyondViewport": True} if clip else {}
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png", **area)["data"]))

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
