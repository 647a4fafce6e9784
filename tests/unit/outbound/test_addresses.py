"""Where fetching connects to, against servers on loopback that stand for the Internet.

``internet`` says which public address leads to which server here, and keeps a record of who was called: what is tested
is where the connection goes, not what a check said.
"""

import socket
from ipaddress import ip_address
from typing import Any

import pytest

from cutout.errors import ImageUrlFetchFailedError
from cutout.outbound.connection import system_resolver
from cutout.outbound.fetch import FetchPolicy, fetch
from tests.support.hostile_servers import OTHER_PUBLIC, PUBLIC, answer, closed_port, names, raw
from tests.unit.outbound.policies import POLICY, message

pytestmark = [pytest.mark.loopback, pytest.mark.usefixtures("internet")]


def test_a_picture_is_fetched_from_the_address_of_its_name(serve, internet):
    server = serve(answer("Content-Type: Image/JPEG; q=1"))
    internet[PUBLIC] = server.port

    fetched = fetch("http://pictures.test/a b.jpg?size=2", POLICY, names(pictures_test=PUBLIC))

    assert (fetched.data, fetched.media_type) == (b"picture", "image/jpeg")
    assert internet.called == [PUBLIC]
    lines = server.requests[0].split("\r\n")
    assert lines[0] == "GET /a%20b.jpg?size=2 HTTP/1.1"
    assert "Host: pictures.test" in lines
    assert "Accept-Encoding: identity" in lines


def test_neither_proxies_nor_cookies_are_used(serve, internet, monkeypatch):
    trap = serve(answer(body=b"trap"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")
    server = serve(answer("Set-Cookie: a=b", "Location: http://pictures.test/2", status="302 Found"))
    internet[PUBLIC] = server.port

    with pytest.raises(ImageUrlFetchFailedError):
        fetch("http://pictures.test/", POLICY, names(pictures_test=PUBLIC))

    assert trap.requests == []
    assert len(server.requests) == 4
    assert not any("cookie" in request.lower() for request in server.requests)


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("http://127.0.0.1/", None),
        ("http://127.1/", None),
        ("http://2130706433/", None),
        ("http://0x7f000001/", None),
        ("http://0x7f.1/", None),
        ("http://017700000001/", None),
        ("http://0177.0.0.01/", None),
        ("http://0/", None),
        ("http://0.0.0.0:8585/", None),
        ("http://①②⑦.⓪.⓪.①/", None),
        ("http://127。0。0。1/", None),
        ("http://localhost:8585/v2", None),
        ("http://localhost./", None),
        ("http://[::1]/", None),
        ("http://[::]/", None),
        ("http://[0:0:0:0:0:0:0:1]/", None),
        ("http://[::ffff:127.0.0.1]/", None),
        ("http://[::ffff:7f00:1]/", None),
        ("http://[::ffff:a9fe:a9fe]/latest/meta-data/", None),
        ("http://[::127.0.0.1]/", None),
        ("http://[64:ff9b::a9fe:a9fe]/", None),
        ("http://[2002:a9fe:a9fe::1]/", None),
        ("http://[2001:0:808:808:0:0:5601:5601]/", None),
        ("http://[fd00:ec2::254]/latest/meta-data/", None),
        ("http://[fe80::1]/", None),
        ("http://169.254.169.254/latest/meta-data/iam/", None),
        ("http://2852039166/latest/meta-data/", None),
        ("http://169.254.170.2/v2/credentials", None),
        ("http://100.100.100.200/", None),
        ("http://168.63.129.16/", None),
        ("http://192.168.0.1/", None),
        ("http://10.0.0.1/", None),
        ("http://172.16.0.1:9200/", None),
        ("http://224.0.0.1/", None),
        ("http://255.255.255.255/", None),
        ("http://metadata.google.internal/", "169.254.169.254"),
        ("http://loopback.test/", "127.0.0.1"),
        ("http://loopback6.test/", "::1"),
        ("http://lan.test/", "192.168.1.1"),
        ("http://link.test/", "fe80::1%eth0"),
        ("http://mapped.test/", "::ffff:10.0.0.1"),
        ("http://nat64.test/", "64:ff9b::7f00:1"),
        ("http://both.test/", (PUBLIC, "127.0.0.1")),
        ("http://both.test/", ("127.0.0.1", PUBLIC)),
        ("http://both6.test/", (PUBLIC, "::1")),
        ("http://nobody.test/", ()),
        ("file:///etc/passwd", None),
        ("http://user:pass@pictures.test/", PUBLIC),
        ("http://pictures.test:25/", PUBLIC),
        ("http://pictures.test\\@127.0.0.1/", PUBLIC),
        ("http://[fe80::1%25lo]/", None),
    ],
)
def test_no_url_leads_to_a_private_network(internet, url, addresses):
    resolve = (
        system_resolver if addresses is None else lambda *_: [addresses] if isinstance(addresses, str) else addresses
    )

    with pytest.raises(ImageUrlFetchFailedError):
        fetch(url, POLICY, resolve)

    assert internet.called == []


def test_an_unknown_name_and_a_private_one_get_the_same_answer():
    with pytest.raises(ImageUrlFetchFailedError) as unknown:
        fetch("http://unknown.test/", POLICY, names())
    with pytest.raises(ImageUrlFetchFailedError) as private:
        fetch("http://database.test/", POLICY, names(database_test="10.1.2.3"))

    assert message(unknown) == message(private)


def test_a_name_that_changes_its_mind_is_asked_once_and_called_where_it_was_checked(serve, internet, monkeypatch):
    good, secret = serve(answer(body=b"good")), serve(answer(body=b"secret"))
    internet[PUBLIC] = good.port
    answers = iter([PUBLIC, "127.0.0.1"])
    monkeypatch.setattr(socket, "getaddrinfo", _only_numbers(socket.getaddrinfo))

    fetched = fetch(f"http://rebind.test:{secret.port}/", POLICY, lambda *_: [next(answers)])

    assert fetched.data == b"good"
    assert internet.called == [PUBLIC]
    assert secret.requests == []
    assert next(answers) == "127.0.0.1"  # was never asked for


def _only_numbers(really: Any) -> Any:
    def getaddrinfo(host: str, *rest: Any, **more: Any) -> Any:
        ip_address(host)
        return really(host, *rest, **more)

    return getaddrinfo


def test_a_name_that_changes_its_mind_between_hops_is_checked_anew(serve, internet):
    internet[PUBLIC] = serve(answer("Location: /again", status="302 Found")).port
    answers = iter([PUBLIC, "127.0.0.1"])

    with pytest.raises(ImageUrlFetchFailedError):
        fetch("http://rebind.test/", POLICY, lambda *_: [next(answers)])

    assert internet.called == [PUBLIC]


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "//127.0.0.1:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://lan.test/",
        "http://user@pictures.test/",
        "http://pictures.test:22/",
        "file:///etc/passwd",
        "ftp://pictures.test/",
        "javascript:alert(1)",
        "http://[::1",
        "http://pictures.test:99999/",
        "",
    ],
)
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_checked_like_the_first_url(serve, internet, location, status):
    secret = serve(answer(body=b"secret"))
    internet[PUBLIC] = serve(answer(f"Location: {location.format(port=secret.port)}", status=status)).port

    with pytest.raises(ImageUrlFetchFailedError):
        fetch("http://pictures.test/", POLICY, names(pictures_test=PUBLIC, lan_test="10.0.0.1", localhost="127.0.0.1"))

    assert internet.called == [PUBLIC]
    assert secret.requests == []


def test_redirects_are_followed_to_relative_and_absolute_places(serve, internet):
    internet[OTHER_PUBLIC] = serve(answer(body=b"found")).port
    first = serve(answer("Location: http://other.test/x?y=%20z", status="301 Moved"))
    internet[PUBLIC] = first.port

    fetched = fetch("http://pictures.test/", POLICY, names(pictures_test=PUBLIC, other_test=OTHER_PUBLIC))

    assert fetched.data == b"found"
    assert internet.called == [PUBLIC, OTHER_PUBLIC]


@pytest.mark.parametrize(
    ("location", "asked"),
    [
        ("/größe/Ähre.jpg".encode(), "/gr%C3%B6%C3%9Fe/%C3%84hre.jpg"),
        ("/写真.jpg?q=é".encode(), "/%E5%86%99%E7%9C%9F.jpg?q=%C3%A9"),
        ("../Å…/x.jpg".encode(), "/%C3%85%E2%80%A6/x.jpg"),
        ("/größe.jpg".encode("latin-1"), "/gr%F6%DFe.jpg"),
        ("http://bücher.test/a b.jpg".encode(), "/a%20b.jpg"),
        (b"/gr%C3%B6%C3%9Fe.jpg", "/gr%C3%B6%C3%9Fe.jpg"),
    ],
)
def test_a_redirect_may_be_written_in_raw_bytes(serve, internet, location, asked):
    hop = b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
    scripts = iter([raw(hop), answer()])
    server = serve(lambda connection, stop: next(scripts)(connection, stop))  # noqa: PLW0108 - one script a request
    internet[PUBLIC] = server.port

    resolve = names(pictures_test=PUBLIC, **{"xn--bcher-kva_test": PUBLIC})
    assert fetch("http://pictures.test/first", POLICY, resolve).data == b"picture"
    assert server.requests[-1].split()[1] == asked


@pytest.mark.parametrize("redirects", [0, 1, 3])
def test_redirects_end_at_the_bound(serve, internet, redirects):
    server = serve(answer("Location: ./more", status="302 Found"))
    internet[PUBLIC] = server.port
    policy = FetchPolicy(max_bytes=10, redirects=redirects)

    with pytest.raises(ImageUrlFetchFailedError, match="redirects more than"):
        fetch("http://pictures.test/", policy, names(pictures_test=PUBLIC))

    assert len(server.requests) == redirects + 1


def test_the_allow_list_opens_one_host_and_port_only(serve):
    server, other = serve(answer()), serve(answer())
    policy = FetchPolicy(max_bytes=100, allow=frozenset({f"127.0.0.1:{server.port}"}))

    assert fetch(f"http://127.0.0.1:{server.port}/", policy).data == b"picture"
    for url in (f"http://127.0.0.1:{other.port}/", f"http://localhost:{server.port}/"):
        with pytest.raises(ImageUrlFetchFailedError):
            fetch(url, policy)
    assert other.requests == []


def test_the_allow_list_exempts_from_no_other_check(serve):
    server = serve(answer())
    policy = FetchPolicy(max_bytes=100, allow=frozenset({f"127.0.0.1:{server.port}", "127.0.0.1:22"}))

    for url in (f"ftp://127.0.0.1:{server.port}/", f"http://u@127.0.0.1:{server.port}/", "http://127.0.0.1:22/"):
        with pytest.raises(ImageUrlFetchFailedError):
            fetch(url, policy)
    assert server.requests == []


def test_the_next_address_is_tried_when_one_is_dead(serve, internet):
    internet[PUBLIC], internet[OTHER_PUBLIC] = closed_port(), serve(answer()).port

    fetched = fetch("http://pictures.test/", POLICY, names(pictures_test=(PUBLIC, OTHER_PUBLIC)))

    assert fetched.data == b"picture"
    assert internet.called == [PUBLIC, OTHER_PUBLIC]


def test_a_name_with_many_addresses_makes_us_knock_at_few(internet):
    addresses = [f"93.184.216.{number}" for number in range(200)]
    internet.update(dict.fromkeys(addresses, closed_port()))

    with pytest.raises(ImageUrlFetchFailedError):
        fetch("http://pictures.test/", POLICY, names(pictures_test=addresses))

    assert internet.called == addresses[:4]
