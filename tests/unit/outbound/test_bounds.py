"""Fetching from the worst of servers: those that drip, never end, lie about lengths, or answer nonsense."""

import socket
import threading
import zlib

import pytest

from cutout.errors import CutoutError, ImageTooLargeError, ImageUrlFetchFailedError
from cutout.outbound.fetch import FetchPolicy, fetch
from tests.support.builders import gzipped
from tests.support.hostile_servers import PUBLIC, answer, closed_port, forever, names, raw
from tests.unit.outbound.policies import HASTY, POLICY, message

pytestmark = [pytest.mark.loopback, pytest.mark.usefixtures("internet")]


@pytest.mark.parametrize(
    "script",
    [
        forever(b"", b"H", 0.02),
        forever(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", 0.02),
        forever(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n", b"x", 0.02),
        forever(b"HTTP/1.1 200 OK\r\n\r\n", b"x", 0.02),
        forever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", 0.02),
        forever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n", 0.02),
        forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.02),
        forever(b"", b"", 0.02),
    ],
    ids=["status", "headers", "body", "body until close", "chunks", "trailers", "continue", "silence"],
)
def test_a_server_that_drips_is_left_at_the_deadline(serve, internet, script):
    internet[PUBLIC] = serve(script).port

    with pytest.raises(ImageUrlFetchFailedError, match="too long"):
        fetch("http://pictures.test/", HASTY, names(pictures_test=PUBLIC))


def test_the_deadline_covers_all_hops_together(serve, internet):
    hops = iter(range(1000))

    def slow_redirect(connection: socket.socket, stop: threading.Event) -> None:
        stop.wait(0.1)
        answer(f"Location: /{next(hops)}", status="302 Found")(connection, stop)

    internet[PUBLIC] = serve(slow_redirect).port

    with pytest.raises(ImageUrlFetchFailedError, match="too long"):
        fetch(
            "http://pictures.test/",
            FetchPolicy(max_bytes=10, timeout_s=0.5, redirects=1000),
            names(pictures_test=PUBLIC),
        )


def test_a_lookup_that_hangs_is_left_at_the_deadline():
    release = threading.Event()

    def hang(*_: object) -> list[str]:
        release.wait()
        return [PUBLIC]

    with pytest.raises(ImageUrlFetchFailedError, match="too long"):
        fetch("http://pictures.test/", HASTY, hang)
    release.set()


def test_a_tls_handshake_that_never_ends_is_left_at_the_deadline(internet):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        internet[PUBLIC] = silent.getsockname()[1]

        with pytest.raises(ImageUrlFetchFailedError, match="too long"):
            fetch("https://pictures.test/", HASTY, names(pictures_test=PUBLIC))


@pytest.mark.parametrize(
    "script",
    [
        answer(body=b"", length=100_001),
        answer(body=b"x" * 200_000, length=200_000),
        forever(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 10_000),
        forever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"2710\r\n" + b"x" * 10_000 + b"\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999999\r\n\r\nx"),
    ],
    ids=["announced", "announced and sent", "until close", "chunks", "astronomical"],
)
def test_a_body_above_the_limit_is_too_large(serve, internet, script):
    internet[PUBLIC] = serve(script).port

    with pytest.raises(ImageTooLargeError) as error:
        fetch("http://pictures.test/", POLICY, names(pictures_test=PUBLIC))

    assert error.value.details == {"max_bytes": 100_000}


@pytest.mark.parametrize(
    "script",
    [
        forever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", b"x" * 65_536),
        forever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: " + b"y" * 60_000 + b"\r\n"),
        forever(b"", b"HTTP/1.1 100 Continue\r\n" + b"X: y\r\n" * 50 + b"\r\n"),
    ],
    ids=["a chunk of minus one byte", "trailers", "interim answers"],
)
def test_an_answer_without_end_is_left_for_its_size(serve, internet, script):
    internet[PUBLIC] = serve(script).port

    with pytest.raises(CutoutError) as error:
        fetch("http://pictures.test/", POLICY, names(pictures_test=PUBLIC))

    assert "too long" not in message(error)


def test_a_body_of_exactly_the_limit_passes(serve, internet):
    internet[PUBLIC] = serve(answer(body=b"x" * 100_000)).port

    assert len(fetch("http://pictures.test/", POLICY, names(pictures_test=PUBLIC)).data) == 100_000


def test_a_chunked_body_is_put_together(serve, internet):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    internet[PUBLIC] = serve(raw(head + b"3\r\npic\r\n4;a=b\r\nture\r\n0\r\n\r\n")).port

    assert fetch("http://pictures.test/", POLICY, names(pictures_test=PUBLIC)).data == b"picture"


RAW_DEFLATE = zlib.compress(b"picture", wbits=-15)
COMPRESSED = {
    "gzip": gzipped(b"picture"),
    "x-gzip": gzipped(b"picture"),
    "GZIP ": gzipped(b"pic") + gzipped(b"ture"),
    "deflate": zlib.compress(b"picture"),
    "Deflate": RAW_DEFLATE,
    "gzip, gzip": gzipped(gzipped(b"picture")),
    "identity, gzip": gzipped(b"picture"),
    "deflate, gzip": gzipped(zlib.compress(b"picture")),
    "identity": b"picture",
    "": b"picture",
}


@pytest.mark.parametrize("encoding", COMPRESSED)
def test_a_body_that_was_compressed_unasked_is_decoded(serve, internet, encoding):
    internet[PUBLIC] = serve(answer(f"Content-Encoding: {encoding}", body=COMPRESSED[encoding])).port

    assert fetch("http://pictures.test/", POLICY, names(pictures_test=PUBLIC)).data == b"picture"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzipped(bytes(100_001))),
        ("deflate", zlib.compress(bytes(10_000_000))),
        ("gzip, gzip", gzipped(gzipped(bytes(10_000_000)))),
        ("gzip", gzipped(bytes(60_000)) * 2),
    ],
    ids=["one byte above", "a bomb", "a bomb in a bomb", "two that fit"],
)
def test_a_body_above_the_limit_once_decoded_is_too_large(serve, internet, encoding, body):
    internet[PUBLIC] = serve(answer(f"Content-Encoding: {encoding}", body=body)).port

    with pytest.raises(ImageTooLargeError) as error:
        fetch("http://pictures.test/", POLICY, names(pictures_test=PUBLIC))

    assert error.value.details == {"max_bytes": 100_000}


@pytest.mark.parametrize(
    ("encoding", "body", "named"),
    [
        ("br", b"picture", "br"),
        ("zstd", b"picture", "zstd"),
        ("gzip, br", b"picture", "br"),
        ("gzip", b"picture", "gzip"),
        ("gzip", gzipped(b"picture")[:-3], "gzip"),
        ("gzip", gzipped(b"picture") + b"more", "gzip"),
        ("gzip", gzipped(b"") * 17, "gzip"),
        ("gzip, gzip, gzip", b"picture", "an unknown way"),
        ("top-secret-banner", b"picture", "an unknown way"),
    ],
)
def test_a_compressed_body_that_cannot_be_read_is_named(serve, internet, encoding, body, named):
    internet[PUBLIC] = serve(answer(f"Content-Encoding: {encoding}", body=body)).port

    with pytest.raises(ImageUrlFetchFailedError, match=f"compressed in {named},"):
        fetch("http://pictures.test/", POLICY, names(pictures_test=PUBLIC))


@pytest.mark.parametrize(
    "script",
    [
        raw(b""),
        raw(b"SSH-2.0-OpenSSH_9.2 top-secret-banner\r\n"),
        raw(b"top-secret-banner"),
        raw(b"HTTP/1.1\r\n\r\n"),
        raw(b"HTTP/1.1 abc top-secret-banner\r\n\r\n"),
        raw(b"HTTP/9.9 200 OK\r\n\r\nx"),
        raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 101 + b"\r\nx"),
        raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\nx"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nx"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nx"),
        raw(b"HTTP/1.1 302 Found\r\n\r\n"),
        answer(body=b""),
        answer(body=b"short", length=50),
        answer(status="204 No Content", body=b""),
        answer(status="206 Partial Content"),
        answer(status="300 Multiple Choices"),
        answer(status="304 Not Modified", body=b""),
        answer(status="404 top-secret-banner"),
        answer(status="500 top-secret-banner"),
    ],
)
def test_anything_but_a_whole_200_is_a_failed_fetch_that_repeats_nothing(serve, internet, script):
    server = serve(script)
    internet[PUBLIC] = server.port

    with pytest.raises(ImageUrlFetchFailedError) as error:
        fetch("http://pictures.test/hidden?token=abc", POLICY, names(pictures_test=PUBLIC))

    told = message(error)
    for secret in ("secret", "banner", PUBLIC, "127.0.0.1", str(server.port), "token", "hidden"):
        assert secret not in told


def test_a_status_is_told_as_a_number(serve, internet):
    internet[PUBLIC] = serve(answer(status="404 Not Here")).port

    with pytest.raises(ImageUrlFetchFailedError) as error:
        fetch("http://pictures.test/", POLICY, names(pictures_test=PUBLIC))

    assert error.value.details == {"upstream_status": 404}


def test_aclosed_port_is_a_failed_fetch_that_names_no_address(internet):
    internet[PUBLIC] = closed_port()

    with pytest.raises(ImageUrlFetchFailedError) as error:
        fetch("http://pictures.test/", POLICY, names(pictures_test=PUBLIC))

    assert PUBLIC not in message(error)
