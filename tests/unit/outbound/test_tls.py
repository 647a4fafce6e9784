"""Fetching by TLS: certificates are held against the name, and the connection goes where it was checked."""

from ipaddress import ip_address

import pytest
from cryptography import x509

from cutout.errors import ImageUrlFetchFailedError
from cutout.outbound.fetch import FetchPolicy, fetch
from tests.support.hostile_servers import PUBLIC, answer, forever, names
from tests.unit.outbound.policies import HASTY, POLICY

pytestmark = [pytest.mark.loopback, pytest.mark.usefixtures("internet")]


def test_tls_is_checked_against_the_name_and_sent_to_the_checked_address(serve, internet, authority):
    asked = []
    context = authority.server(x509.DNSName("pictures.test"))
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    server = serve(answer(), context)
    internet[PUBLIC] = server.port

    fetched = fetch("https://pictures.test/", POLICY, names(pictures_test=PUBLIC), authority.client())

    assert fetched.data == b"picture"
    assert asked == ["pictures.test"]
    assert internet.called == [PUBLIC]
    assert "Host: pictures.test\r\n" in server.requests[0]


def test_an_address_in_the_url_is_checked_against_the_certificate_too(serve, internet, authority):
    internet[PUBLIC] = serve(answer(), authority.server(x509.IPAddress(ip_address(PUBLIC)))).port

    assert fetch(f"https://{PUBLIC}/", POLICY, tls=authority.client()).data == b"picture"


@pytest.mark.parametrize(
    ("subject", "days"),
    [(x509.DNSName("other.test"), 1), (x509.IPAddress(ip_address(PUBLIC)), 1), (x509.DNSName("pictures.test"), -1)],
    ids=["another name", "the address instead of the name", "expired"],
)
def test_a_certificate_that_does_not_fit_is_refused_before_anything_is_asked(serve, internet, authority, subject, days):
    server = serve(answer(), authority.server(subject, days=days))
    internet[PUBLIC] = server.port

    with pytest.raises(ImageUrlFetchFailedError, match="certificate"):
        fetch("https://pictures.test/", POLICY, names(pictures_test=PUBLIC), authority.client())

    assert server.requests == []


def test_an_unknown_authority_is_refused(serve, internet, authority):
    server = serve(answer(), authority.server(x509.DNSName("pictures.test")))
    internet[PUBLIC] = server.port

    with pytest.raises(ImageUrlFetchFailedError, match="certificate"):
        fetch("https://pictures.test/", POLICY, names(pictures_test=PUBLIC))

    assert server.requests == []


def test_a_server_without_tls_on_a_secure_url_is_a_failed_fetch(serve, internet):
    internet[PUBLIC] = serve(answer()).port

    with pytest.raises(ImageUrlFetchFailedError):
        fetch("https://pictures.test/", HASTY, names(pictures_test=PUBLIC))


def test_a_tls_body_that_drips_is_left_at_the_deadline(serve, internet, authority):
    script = forever(b"HTTP/1.1 200 OK\r\n\r\n", b"x", 0.02)
    internet[PUBLIC] = serve(script, authority.server(x509.DNSName("pictures.test"))).port
    policy = FetchPolicy(max_bytes=100_000, timeout_s=2)

    with pytest.raises(ImageUrlFetchFailedError, match="too long"):
        fetch("https://pictures.test/", policy, names(pictures_test=PUBLIC), authority.client())
