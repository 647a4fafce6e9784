import asyncio

import pytest

from local.request_bodies import BodyReader, BodyTooLargeError, ClientDisconnectedError, TooManyBodiesError


class Client:
    """Sends chunks as an ASGI server hands them over; ``received``: how many were read."""

    def __init__(self, *chunks: bytes | None) -> None:
        self._chunks = chunks
        self.received = 0

    async def receive(self):
        chunk = self._chunks[self.received]
        self.received += 1
        if chunk is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": chunk, "more_body": self.received < len(self._chunks)}


async def read(bodies, client, declared=0):
    async with bodies.read(client.receive, declared) as body:
        return body


def test_chunks_are_joined():
    assert asyncio.run(read(BodyReader(), Client(b"ab", b"", b"cd"))) == b"abcd"


def test_a_body_of_just_the_limit_is_read_and_one_byte_more_is_not():
    assert asyncio.run(read(BodyReader(max_body_bytes=4), Client(b"abcd"), 4)) == b"abcd"
    with pytest.raises(BodyTooLargeError):
        asyncio.run(read(BodyReader(max_body_bytes=4), Client(b"abc", b"de")))


def test_reading_stops_at_the_chunk_that_exceeds_the_limit():
    client = Client(b"abc", b"de", b"never")
    with pytest.raises(BodyTooLargeError):
        asyncio.run(read(BodyReader(max_body_bytes=4), client))
    assert client.received == 2


def test_a_declared_length_above_the_limit_is_refused_unread():
    client = Client(b"abcde")
    with pytest.raises(BodyTooLargeError):
        asyncio.run(read(BodyReader(max_body_bytes=4), client, declared=5))
    assert client.received == 0


def test_a_client_that_disconnects_ends_the_reading():
    with pytest.raises(ClientDisconnectedError):
        asyncio.run(read(BodyReader(), Client(b"ab", None)))


def test_bodies_count_together_until_they_are_released():
    async def scenario():
        bodies = BodyReader(max_body_bytes=4, max_held_bytes=6)
        async with bodies.read(Client(b"abcd").receive, 0):
            with pytest.raises(TooManyBodiesError):
                await read(bodies, Client(b"ab", b"c"))
            assert await read(bodies, Client(b"ab")) == b"ab"
        assert await read(bodies, Client(b"abcd")) == b"abcd"

    asyncio.run(scenario())
