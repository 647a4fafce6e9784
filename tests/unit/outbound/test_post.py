"""Posting, against servers on loopback that stand for the Internet. What it shares with fetching: tests/unit/fetch."""

import socket

import pytest
from cryptography import x509

from cutout.outbound.connection import ExchangeFailure
from cutout.outbound.fetch import PostPolicy, post
from tests.support.hostile_servers import PUBLIC, answer, closed_port, forever, names, raw

pytestmark = [pytest.mark.loopback, pytest.mark.usefixtures("internet")]

POLICY = PostPolicy(timeout_s=30)
HASTY = PostPolicy(timeout_s=0.3)
HEADERS = {"content-type": "application/json", "webhook-id": "evt_1"}
HOOKS = names(hooks_test=PUBLIC)


def test_a_body_arrives_whole_with_its_headers(serve, internet):
    server = serve(answer(status="201 Created"))
    internet[PUBLIC] = server.port
    body = b'{"name":"\xc3\xbc"}' * 50_000

    assert post("http://hooks.test/in?token=1", body, HEADERS, POLICY, resolve=HOOKS) == 201

    assert server.bodies == [body]
    lines = server.requests[0].split("\r\n")
    assert lines[0] == "POST /in?token=1 HTTP/1.1"
    assert {"Host: hooks.test", "content-type: application/json", "webhook-id: evt_1"} <= set(lines)
    assert f"Content-Length: {len(body)}" in lines


@pytest.mark.parametrize(
    ("status", "code"),
    [("200 OK", 200), ("202 Accepted", 202), ("204 No Content", 204), ("400 Bad", 400), ("410 Gone", 410),
     ("429 Slow", 429), ("500 Broken", 500)],
)  # fmt: skip
def test_the_status_is_told(serve, internet, status, code):
    internet[PUBLIC] = serve(answer(status=status)).port

    assert post("http://hooks.test/", b"{}", HEADERS, POLICY, resolve=HOOKS) == code


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_not_followed(serve, internet, status):
    secret = serve(answer(body=b"secret"))
    server = serve(answer(f"Location: http://127.0.0.1:{secret.port}/", status=status))
    internet[PUBLIC] = server.port

    assert post("http://hooks.test/", b"{}", HEADERS, POLICY, resolve=HOOKS) == int(status[:3])

    assert secret.requests == []
    assert internet.called == [PUBLIC]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost:8585/v2",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://2130706433/",
        "http://lan.test/",
        "http://both.test/",
        "http://user:pass@hooks.test/",
        "http://hooks.test:25/",
        "ftp://hooks.test/",
        "hooks.test",
        "http://hooks.test/\r\nX-Injected: 1",
    ],
)
def test_no_webhook_leads_to_a_private_network(internet, url):
    known = names(
        lan_test="192.168.1.1", both_test=(PUBLIC, "10.0.0.1"), hooks_test=PUBLIC, localhost="127.0.0.1",
        **{"127_0_0_1": "127.0.0.1", "169_254_169_254": "169.254.169.254", "2130706433": "127.0.0.1", "::1": "::1"},
    )  # fmt: skip

    assert post(url, b"{}", HEADERS, POLICY, resolve=known) is ExchangeFailure.NOT_ALLOWED

    assert internet.called == []


def test_a_name_that_changes_its_mind_is_asked_once_and_called_where_it_was_checked(serve, internet):
    good, secret = serve(answer()), serve(answer())
    internet[PUBLIC] = good.port
    answers = iter([PUBLIC, "127.0.0.1"])

    url = f"http://rebind.test:{secret.port}/"
    assert post(url, b"{}", HEADERS, POLICY, resolve=lambda *_: [next(answers)]) == 200

    assert internet.called == [PUBLIC]
    assert (len(good.requests), secret.requests) == (1, [])


def test_the_allow_list_opens_one_host_and_port_only(serve):
    server, other = serve(answer()), serve(answer())
    policy = PostPolicy(allow=frozenset({f"127.0.0.1:{server.port}"}))

    assert post(f"http://127.0.0.1:{server.port}/", b"{}", HEADERS, policy) == 200
    assert post(f"http://127.0.0.1:{other.port}/", b"{}", HEADERS, policy) is ExchangeFailure.NOT_ALLOWED
    assert other.requests == []


@pytest.mark.parametrize(
    "script",
    [
        forever(b"", b"H", 0.02),
        forever(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", 0.02),
        forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.02),
        forever(b"", b"", 0.02),
    ],
    ids=["status", "headers", "continue", "silence"],
)
def test_a_receiver_that_drips_is_left_at_the_deadline(serve, internet, script):
    internet[PUBLIC] = serve(script).port

    assert post("http://hooks.test/", b"{}", HEADERS, HASTY, resolve=HOOKS) is ExchangeFailure.TOO_SLOW


def test_a_receiver_that_does_not_read_is_left_at_the_deadline(internet):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        internet[PUBLIC] = deaf.getsockname()[1]

        answered = post("http://hooks.test/", bytes(20_000_000), HEADERS, HASTY, resolve=HOOKS)

    assert answered is ExchangeFailure.TOO_SLOW


def test_an_endless_body_is_not_read(serve, internet):
    internet[PUBLIC] = serve(forever(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 60_000)).port

    assert post("http://hooks.test/", b"{}", HEADERS, POLICY, resolve=HOOKS) == 200


@pytest.mark.parametrize(
    "script",
    [raw(b""), raw(b"SSH-2.0-OpenSSH_9.2\r\n"), raw(b"HTTP/1.1 abc\r\n\r\n"),
     raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000)],
)  # fmt: skip
def test_what_is_no_answer_is_unreachable(serve, internet, script):
    internet[PUBLIC] = serve(script).port

    assert post("http://hooks.test/", b"{}", HEADERS, POLICY, resolve=HOOKS) is ExchangeFailure.UNREACHABLE


def test_a_closed_port_and_an_unknown_name_are_told_apart_for_ourselves(internet):
    internet[PUBLIC] = closed_port()

    assert post("http://hooks.test/", b"{}", HEADERS, POLICY, resolve=HOOKS) is ExchangeFailure.UNREACHABLE
    assert post("http://nobody.test/", b"{}", HEADERS, POLICY, resolve=HOOKS) is ExchangeFailure.NO_SUCH_NAME


@pytest.mark.parametrize(("name", "expected"), [("hooks.test", 200), ("other.test", ExchangeFailure.BAD_CERTIFICATE)])
def test_tls_is_checked_before_anything_is_said(serve, internet, authority, name, expected):
    server = serve(answer(), authority.server(x509.DNSName(name)))
    internet[PUBLIC] = server.port

    answered = post("https://hooks.test/", b"{}", HEADERS, POLICY, resolve=HOOKS, tls=authority.client())

    assert answered == expected
    assert len(server.requests) == (1 if expected == 200 else 0)


@pytest.mark.parametrize("value", ["a\r\nX-Injected: 1", "a\nb", "ü", "\x00"])
def test_a_header_that_is_not_one_line_of_ascii_is_never_sent(serve, internet, value):
    server = serve(answer())
    internet[PUBLIC] = server.port

    with pytest.raises(ValueError, match="one line"):
        post("http://hooks.test/", b"{}", {"webhook-id": value}, POLICY, resolve=HOOKS)

    assert server.requests == []
