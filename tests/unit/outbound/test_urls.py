from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutout.errors import ImageUrlFetchFailedError
from cutout.outbound.urls import MAX_URL_CHARS, Target, check_url, is_public, parse_url

http = partial(Target, False)  # noqa: FBT003
https = partial(Target, True)  # noqa: FBT003


@pytest.mark.parametrize(
    ("url", "target", "authority"),
    [
        ("http://example.com", http("example.com", 80, "/"), "example.com"),
        ("https://example.com/a.jpg", https("example.com", 443, "/a.jpg"), "example.com"),
        ("HTTPS://EXAMPLE.COM./A?B=C#d", https("example.com", 443, "/A?B=C"), "example.com"),
        ("http://example.com:8080?x", http("example.com", 8080, "/?x"), "example.com:8080"),
        ("http://example.com:443/", http("example.com", 443, "/"), "example.com:443"),
        ("http://example.com:/", http("example.com", 80, "/"), "example.com"),
        ("http://h/a%20b+c?q=%2F&s=a/b", http("h", 80, "/a%20b+c?q=%2F&s=a/b"), "h"),
        ("http://h/a b/ü?q=é", http("h", 80, "/a%20b/%C3%BC?q=%C3%A9"), "h"),
        ("http://h//a/../b", http("h", 80, "//b"), "h"),
        ("http://h/a/b/../../c.jpg?x=/../y", http("h", 80, "/c.jpg?x=/../y"), "h"),
        ("http://h/../../a.jpg", http("h", 80, "/a.jpg"), "h"),
        ("http://h/a/./b/.", http("h", 80, "/a/b/"), "h"),
        ("http://h/a/%2E%2e/b/..", http("h", 80, "/"), "h"),
        ("http://h/a..b/...", http("h", 80, "/a..b/..."), "h"),
        ("http://bücher.example/", http("xn--bcher-kva.example", 80, "/"), "xn--bcher-kva.example"),
        ("http://[2606:4700::1111]/", http("2606:4700::1111", 80, "/"), "[2606:4700::1111]"),
        ("https://[2606:4700::1111]:8443/", https("2606:4700::1111", 8443, "/"), "[2606:4700::1111]:8443"),
        ("http://my_host-1.example/", http("my_host-1.example", 80, "/"), "my_host-1.example"),
    ],
)
def test_a_good_url_is_taken_apart(url, target, authority):
    assert parse_url(url) == target
    assert parse_url(url).authority == authority


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/a.jpg",
        "//example.com/a.jpg",
        "/etc/passwd",
        "file:///etc/passwd",
        "ftp://example.com/a.jpg",
        "gopher://example.com/_GET",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "https:example.com",
        "http://",
        "http:///a.jpg",
        "http://.",
        "http://..",
        "http://a..b/",
        "http://.a/",
        "http://:80/",
        "http://user@example.com/",
        "http://user:pass@example.com/",
        "http://@example.com/",
        "http://example.com@127.0.0.1/",
        "http://example.com\\@127.0.0.1/",
        "http://127.0.0.1\\.example.com/",
        "http://example.com\r\nHost: evil/",
        "http://example.com/\r\nX: y",
        "http://example.com/\x00",
        "http://exa\tmple.com/",
        "http://exa mple.com/",
        "http://example.com%00.evil/",
        "http://exa%6dple.com/",
        "http://example.com:22/",
        "http://example.com:25/",
        "http://example.com:0/",
        "http://example.com:1023/",
        "http://example.com:65536/",
        "http://example.com:-80/",
        "http://example.com:80a/",
        "http://[::1/",
        "http://::1/",
        "http://[fe80::1%eth0]/",
        "http://[fe80::1%25eth0]/",
        "http://[v1.x]/",
        "http://" + "a" * 64 + ".example/",
        "http://example.com/" + "a" * MAX_URL_CHARS,
        "http://example.com/\ud800",
        "http://\ud800/",
        "http://exa<mple>.com/",
        "http://example,com/",
        "http://$(id)/",
    ],
    ids=lambda url: ascii(url)[:60],
)
def test_a_bad_url_is_refused(url):
    with pytest.raises(ImageUrlFetchFailedError):
        parse_url(url)


@given(st.text() | st.text().map("http://".__add__) | st.text(alphabet="htps:/[]@.%\\1f\u00e9\uff10 \n", max_size=30))
def test_any_text_is_a_target_that_fits_into_a_request_or_an_error(text):
    try:
        target = parse_url(text)
    except ImageUrlFetchFailedError:
        return
    for part in (target.host, target.path, target.authority):
        assert part.isascii()
        assert part.isprintable()
        assert " " not in part
    assert target.path.startswith("/")
    assert target.port in {80, 443, *range(1024, 65536)}


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.0.1",
        "169.254.169.254",
        "169.254.170.2",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:0.0.0.0",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::808:808",
        "100::1",
        "2001::1",
        "2001:0:808:808::1",
        "2001:2::1",
        "2001:10::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:808:808::1",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1111%eth0",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    ],
)
def test_an_address_that_is_not_a_host_of_the_internet_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "93.184.216.34",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.255.255",
        "172.32.0.1",
        "223.255.255.254",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2001:4860:4860::8888",
        "2606:4700::1111",
        "2a00:1450:4001::1",
    ],
)
def test_a_host_of_the_internet_is_public(address):
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_as_public_when_ipv6_carries_it(address):
    public = is_public(str(address))

    assert is_public(f"::ffff:{address}") == public
    assert is_public(f"64:ff9b::{address}") == public


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://localhost:8080/", "http://LOCALHOST./", "http://10.0.0.1/", "http://169.254.169.254/latest",
     "http://[::1]/", "http://[::ffff:10.0.0.1]/", "http://2130706433/", "http://0x7f.1/", "http://017700000001/",
     "http://0/", "ftp://example.com/", "http://u:p@example.com/", "http://example.com:25/", "//example.com", "x"],
)  # fmt: skip
def test_an_url_that_can_never_be_asked_is_refused_before(url):
    with pytest.raises(ImageUrlFetchFailedError, match="The webhook URL"):
        check_url(url, frozenset(), "webhook URL")


@pytest.mark.parametrize("url", ["http://example.com/", "https://8.8.8.8:8443/a?b", "http://[2606:4700::1111]/"])
def test_names_and_public_addresses_pass_until_they_are_looked_up(url):
    check_url(url, frozenset())


def test_an_exempt_pair_of_host_and_port_passes_and_only_that():
    check_url("http://127.0.0.1:8080/", frozenset({"127.0.0.1:8080"}))
    with pytest.raises(ImageUrlFetchFailedError):
        check_url("http://127.0.0.1:8081/", frozenset({"127.0.0.1:8080"}))
