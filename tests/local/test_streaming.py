"""Streamed answers: as the gateway reads them, and through real processes to a client on a socket."""

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.gateway import Gateway
from local.streaming import MAX_HEAD_BYTES, StreamedReply
from local.template import load_template
from local.worker import Fault, Outcome
from tests.local.instance import Instance, started

TEMPLATE = load_template(Path(__file__).parent / "toy.yaml")
HEAD = b'{"statusCode": 201, "multiValueHeaders": {"x-many": ["a", "b"], "content-type": ["image/png"]}}'


DONE = Outcome(b"")


def send(pieces: list[bytes], outcome: Outcome = DONE) -> httpx.Response:
    """The response to a request whose function gives these pieces."""

    async def function(_: str, __: bytes, ___: str, sink=None) -> Outcome:
        for piece in pieces:
            await sink(piece)
        return outcome

    async def scenario() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(Gateway(TEMPLATE, function))) as client:
            return await client.get("http://localhost/stream")

    return asyncio.run(scenario())


@pytest.mark.parametrize("cut", [1, 50, len(HEAD), len(HEAD) + 3, len(HEAD) + 8, len(HEAD) + 10])
def test_head_and_body_are_told_apart_wherever_the_pieces_end(cut):
    whole = HEAD + bytes(8) + b"\x89PNG" + bytes(8) + b"more"
    response = send([whole[:cut], whole[cut:]])
    assert (response.status_code, response.content) == (201, b"\x89PNG" + bytes(8) + b"more")
    assert response.headers.get_list("x-many") == ["a", "b"]
    assert response.headers["content-type"] == "image/png"
    assert "content-length" not in response.headers


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [b'{"statusCode": 200}'],
        [b"x" * (MAX_HEAD_BYTES + 1), bytes(8)],
        [b"no json" + bytes(8) + b"body"],
        [b'{"headers": {}}' + bytes(8)],
        [b'{"statusCode": 200, "body": "x"}' + bytes(8)],
        [b'{"statusCode": 200, "headers": {"x-a": "1\\r\\nx-b: 2"}}' + bytes(8)],
    ],
)
def test_what_is_not_a_stream_gets_a_gateway_response(pieces):
    response = send(pieces)
    assert (response.status_code, response.json().keys()) == (502, {"message"})


@pytest.mark.parametrize(("fault", "status"), [(Fault.UNHANDLED, 502), (Fault.EXITED, 502), (Fault.TIMED_OUT, 504)])
def test_a_fault_before_the_head_gets_a_gateway_response(fault, status):
    assert send([], Outcome(b"{}", fault)).status_code == status


@pytest.fixture(scope="module")
def instance(tmp_path_factory) -> Iterator[Instance]:
    with started(tmp_path_factory.mktemp("streaming")) as running:
        yield running


def test_a_function_learns_from_the_stage_that_it_may_stream(instance):
    event = httpx.get(f"{instance.url}/echo").json()["event"]
    assert event["stageVariables"] == {"transfer_mode": "STREAM", "unused": "none"}


@pytest.mark.parametrize("size", [0, 1_000_000, 60_000_000])
def test_a_stream_arrives_in_chunks_of_any_sum(instance, size):
    response = httpx.get(f"{instance.url}/stream?how=stream&size={size}", timeout=60)
    assert (response.status_code, response.headers["x-kind"]) == (200, "streamed")
    assert response.headers["transfer-encoding"] == "chunked"
    assert response.content == b"x" * size + b"y"


@pytest.mark.parametrize("end", ["raise", "exit"])
def test_what_breaks_off_in_mid_stream_has_no_end(instance, end):
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{instance.url}/stream?how=stream&size=2000000&end={end}")
    assert httpx.get(f"{instance.url}/stream?how=stream").content == b"y"


def test_a_client_that_goes_away_leaves_a_function_that_answers_the_next(instance):
    host, port = instance.url.removeprefix("http://").split(":")
    for _ in range(4):
        connection = http.client.HTTPConnection(host, int(port))
        connection.request("GET", "/stream?how=stream&size=30000000")
        assert len(connection.getresponse().read(1000)) == 1000
        connection.close()
    assert httpx.get(f"{instance.url}/stream?how=stream", timeout=60).content == b"y"
    log = (instance.state / instance.port / "logs" / "cutout-local-Echo.log").read_text()
    assert log.count("nobody takes the rest") == 4, "the function was told"


def test_a_stream_whose_client_is_gone_is_stopped_by_the_sink():
    async def scenario() -> list[bool]:
        async def disconnect() -> dict[str, str]:
            return {"type": "http.disconnect"}

        async def send(_: Mapping[str, Any]) -> None:
            """As a server does for a connection that is closed."""

        reply = StreamedReply(send, "id")
        wanted = [await reply.take(HEAD + bytes(8))]
        await reply.watch(disconnect)
        return [*wanted, await reply.take(b"more")]

    assert asyncio.run(scenario()) == [True, False]


def test_the_service_answers_others_while_a_slow_client_reads(instance):
    host, port = instance.url.removeprefix("http://").split(":")
    slow = http.client.HTTPConnection(host, int(port))
    slow.request("GET", "/stream?how=stream&size=30000000")
    response = slow.getresponse()
    answers: list[int] = []
    other = threading.Thread(target=lambda: answers.append(httpx.get(f"{instance.url}/echo").status_code))
    other.start()
    other.join(30)
    assert answers == [200]
    assert len(response.read()) == 30_000_001
    slow.close()


def test_a_handler_that_answers_with_a_document_is_no_stream(instance):
    response = httpx.get(f"{instance.url}/stream?how=echo")
    assert (response.status_code, json.loads(response.content).keys()) == (502, {"message"})
