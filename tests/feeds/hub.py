"""A hub as W3C WebSub has it, on loopback: it confirms, grants leases, signs and pushes."""

from __future__ import annotations

import hmac
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode
from urllib.request import Request, urlopen


class Hub:
    """It takes requests at once, and confirms them when the test says so: hubs do it later."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.readers: dict[tuple[str, str], str] = {}  # (topic, callback) → secret
        self.status = 202
        self.lease = 864_000
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                hub.asked.append({name: values[0] for name, values in parse_qs(body).items()})
                self.send_response(hub.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/"
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    def confirm(self) -> list[int]:
        """Ask each who asked whether they meant it; the statuses of their answers."""
        statuses = []
        for asked in self.asked:
            key = asked["hub.topic"], asked["hub.callback"]
            challenge = {"hub.challenge": "s3gn0", "hub.lease_seconds": str(self.lease)}
            said = {"hub.mode": asked["hub.mode"], "hub.topic": asked["hub.topic"]} | challenge
            status, answer = call(f"{asked['hub.callback']}?{urlencode(said)}")
            statuses.append(status)
            if answer == "s3gn0" and asked["hub.mode"] == "subscribe":
                self.readers[key] = asked["hub.secret"]
            elif answer == "s3gn0":
                del self.readers[key]
        self.asked.clear()
        return statuses

    def deny(self, reason: str) -> None:
        for asked in self.asked:
            said = {"hub.mode": "denied", "hub.topic": asked["hub.topic"], "hub.reason": reason}
            call(f"{asked['hub.callback']}?{urlencode(said)}")
        self.asked.clear()

    def publish(self, content: bytes, *, method: str = "sha256", secret: str = "") -> list[int]:
        """Push the news to every reader, signed; the statuses of their answers."""
        statuses = []
        for (_topic, callback), agreed in self.readers.items():
            key = (secret or agreed).encode()
            signed = f"{method}={hmac.new(key, content, method).hexdigest()}"
            statuses.append(call(callback, content, {"X-Hub-Signature": signed})[0])
        return statuses

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def call(
    url: str, content: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, str]:
    try:
        with urlopen(Request(url, content, headers or {}), timeout=30) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()
