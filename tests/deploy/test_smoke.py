"""`make smoke`, against the whole local service and against a server that only seems to be one."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deploy import DeployError
from deploy.smoke import smoke
from tests.support.local_service import LIVE_KEY


def test_a_service_that_works_passes_every_step(service):
    lines = list(smoke(service.url, LIVE_KEY))
    assert len(lines) == 5
    assert "cutout-s" in lines[0]
    assert "PNG" in lines[3]


def test_a_service_for_jobs_alone_is_asked_for_a_job_alone(service):
    lines = list(smoke(service.url, LIVE_KEY, synchronous=False))
    assert len(lines) == 4
    assert not any("POST /v2" in line for line in lines)


def test_a_wrong_key_fails_at_the_picture(service):
    steps = smoke(service.url, "no-such-key")
    assert len([next(steps) for _ in range(3)]) == 3
    with pytest.raises(DeployError, match="POST /v2 answered 403"):
        next(steps)


class _Seeming(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "ok", "model": "none"}')

    def log_message(self, *_):
        pass


def test_a_server_that_says_yes_to_everything_fails():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Seeming) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with pytest.raises(DeployError, match="/no/such/route answered 200"):
                list(smoke(f"http://127.0.0.1:{server.server_port}", "key"))
        finally:
            server.shutdown()
            thread.join()
