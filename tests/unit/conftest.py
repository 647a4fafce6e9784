"""Fixtures of tests that talk to strangers on loopback."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.hostile_servers import Authority, Internet, Script, Server


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers = []

    def start(script: Script, tls: ssl.SSLContext | None = None) -> Server:
        server = Server(script, tls)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> Internet:
    internet = Internet()
    really = socket.create_connection

    def create_connection(address: tuple[str, int], timeout: float) -> socket.socket:
        internet.called.append(address[0])
        if address[0] in internet:
            return really(("127.0.0.1", internet[address[0]]), timeout)
        return really(address, timeout)

    monkeypatch.setattr(socket, "create_connection", create_connection)
    return internet


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)
