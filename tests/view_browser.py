"""A headless Chromium that tests talk to: its DevTools protocol over a pipe, JSON and a zero byte.

    with Browser(folder) as browser:
        browser.open(path.as_uri())
        assert browser.value("document.title") == "..."

It collects what the page says on the console and every request that it makes.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)

PATIENCE = 60.0
"""Seconds for which an answer is waited for."""


class Browser:
    """A browser with one page of a given size; `log` is its console, `requests` what it fetched."""

    def __init__(self, folder: Path, size: tuple[int, int] = (1440, 900)) -> None:
        assert CHROMIUM is not None
        self.log: list[str] = []
        self.requests: list[str] = []
        self._number = 0
        self._rest = b""
        self._loaded = False
        read_commands, self._commands = os.pipe()
        self._answers, write_answers = os.pipe()
        # The browser reads commands from file 3 and writes answers to file 4.
        moved = f'exec 3<&{read_commands} 4>&{write_answers}; exec "$@"'
        profile = f"--user-data-dir={folder / 'profile'}"
        window = f"--window-size={size[0]},{size[1]}"
        self._process = subprocess.Popen(
            ["bash", "-c", moved, "bash", CHROMIUM, *FLAGS, profile, window, "about:blank"],
            pass_fds=(read_commands, write_answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read_commands)
        os.close(write_answers)
        self._session = ""
        self._attach(size)

    def _attach(self, size: tuple[int, int]) -> None:
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(each["targetId"] for each in targets if each["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=page, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **metrics)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session = ""
        try:
            self.call("Browser.close")
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            os.close(self._commands)
            os.close(self._answers)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a method of the protocol."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._commands, data) :]
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer)

    def _receive(self) -> dict[str, Any]:
        """The next message."""
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._answers], [], [], deadline - time.monotonic())
            assert ready, "the browser does not answer"
            piece = os.read(self._answers, 1 << 16)
            assert piece, "the browser has ended"
            self._rest += piece
        message, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def _note(self, event: dict[str, Any]) -> None:
        """Keep what an event says."""
        params = event.get("params", {})
        match event.get("method"):
            case "Runtime.consoleAPICalled":
                self.log += [str(each.get("value")) for each in params["args"]]
            case "Runtime.exceptionThrown":
                self.log.append(json.dumps(params["exceptionDetails"]))
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                self.log.append(params["entry"]["text"])
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Page.loadEventFired":
                self._loaded = True

    def open(self, url: str) -> None:
        """Load a page, and wait until it has drawn itself."""
        for each in ("about:blank", url):  # so that a new fragment loads the page again
            self._loaded = False
            self.call("Page.navigate", url=each)
            while not self._loaded:
                self._note(self._receive())
        self.settle()

    def value(self, expression: str) -> Any:
        """The value of an expression, or of what it promises."""
        found = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def settle(self) -> None:
        """Wait until what has changed is drawn."""
        self.value("new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """A mouse event: mousePressed, mouseReleased, mouseMoved or mouseWheel."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, x: float, y: float) -> None:
        """Click at a point of the page."""
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="left", clickCount=1)
        self.settle()

    def key(self, key: str) -> None:
        """Press and release a key, by its name in JavaScript."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key)
        self.settle()

    def box(self, selector: str) -> tuple[float, float, float, float]:
        """The left, top, width and height of an element."""
        found = self.value(
            f"(({{x, y, width, height}}) => [x, y, width, height])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        left, top, width, height = found
        return left, top, width, height

    def screenshot(self, selector: str = "") -> bytes:
        """A PNG of the page, or of one of its elements."""
        more: dict[str, Any] = {}
        if selector:
            x, y, width, height = self.box(selector)
            more["clip"] = {"x": x, "y": y, "width": width, "height": height, "scale": 1}
        return base64.b64decode(self.call("Page.captureScreenshot", format="png", **more)["data"])
