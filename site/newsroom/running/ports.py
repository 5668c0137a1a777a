"""Which ports an instance takes: its own, then what is free near it."""

from __future__ import annotations

import json
import socket
from pathlib import Path

HOST = "127.0.0.1"


def is_free(port: int, host: str = HOST) -> bool:
    with socket.socket() as probe:
        # As the servers do: a port whose last connections are still closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def choose(wanted: list[int], taken: set[int]) -> int:
    """The first free port of `wanted`, or 0: any."""
    for port in wanted:
        if 0 < port < 65536 and port not in taken and is_free(port):
            return port
    return 0


class PortBook:
    """Remembers the ports an instance had, so that its links still work after a restart."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.ports: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            self.ports = {}

    def candidates(self, name: str, preferred: int) -> int:
        """The port it had, else the preferred one, else any; never one given to another name."""
        others = {port for other, port in self.ports.items() if other != name}
        remembered = self.ports.get(name, 0)
        return choose([remembered, preferred], others)

    def remember(self, name: str, port: int) -> None:
        self.ports[name] = port
        self.path.write_text(json.dumps(self.ports, indent=1), encoding="utf-8")
