"""Which URLs and which addresses may be asked on a stranger's behalf. Values only: nothing here opens a socket."""

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from cutout.errors import ImageUrlFetchFailedError

MAX_URL_CHARS = 8_192
"""RFC 9110, section 4.1 asks for 8,000; presigned URLs with session tokens need about 2,500."""
FIRST_FREE_PORT = 1_024
"""Ports below speak other protocols (mail, shells), which a request might be smuggled into; 80 and 443 are ours."""

NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""IPv4 addresses as IPv6-only networks see them (RFC 6052)."""
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""All of IPv6 that is given to hosts of the Internet (RFC 4291, IANA)."""
CLOSED = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24",  # protocol assignments, one cloud's metadata among them; Python below 3.13 knows parts of it
        "192.88.99.0/24",  # 6to4 relays, withdrawn (RFC 7526)
        "168.63.129.16/32",  # one cloud's host agent, at a public address
        "2001::/23",  # protocol assignments, among them Teredo, which leads to whatever IPv4 address is written in it
        "2002::/16",  # 6to4: the same
        "3fff::/20",  # documentation (RFC 9637)
    )
)
"""Networks that ``is_global`` lets pass, at least in some version of Python, and that hold no images."""


@dataclass(frozen=True, slots=True)
class Target:
    """An URL taken apart. host: ASCII, lower case, no brackets; path: with the query, percent-encoded."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the header Host."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == (443 if self.secure else 80) else f"{name}:{self.port}"


def parse_url(url: str, what: str = "image URL") -> Target:
    """Take an URL apart. what: its name in messages.

    Raises ImageUrlFetchFailedError, with a message that says what is wrong with it.
    """
    if len(url) > MAX_URL_CHARS:
        raise ImageUrlFetchFailedError(f"The {what} is longer than {MAX_URL_CHARS} characters.")
    if re.search(r"[\x00-\x1f\x7f]", url):
        raise ImageUrlFetchFailedError(f"The {what} has control characters.")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode("ascii").lower().removesuffix(".")
        path = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe="!$%&'()*+,/:;=?@[]~")
        if "[" in parts.netloc:
            ipaddress.IPv6Address(host)
    except ValueError as error:
        raise ImageUrlFetchFailedError(f"The {what} is malformed.") from error
    if parts.scheme not in {"http", "https"}:
        raise ImageUrlFetchFailedError(f"The {what} must begin with http:// or https://.")
    if "@" in parts.netloc:
        raise ImageUrlFetchFailedError(f"The {what} must not hold a user name or password.")
    if not re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:.]+", host):  # the second: IPv6, without a zone
        raise ImageUrlFetchFailedError(f"The {what} has no valid host.")
    secure = parts.scheme == "https"
    port = (443 if secure else 80) if port is None else port
    if port not in {80, 443} and port < FIRST_FREE_PORT:
        raise ImageUrlFetchFailedError(f"The {what} may use the ports 80, 443 and {FIRST_FREE_PORT} to 65535.")
    return Target(secure, host, port, path)


def check_url(url: str, allow: frozenset[str], what: str = "image URL") -> None:
    """Refuse an URL that can never be allowed, by its shape or by the address that stands in place of a name.

    allow: ``host:port`` pairs that are exempt from the check of addresses. Where a name leads is checked by whoever
    asks. Raises ImageUrlFetchFailedError.
    """
    target = parse_url(url, what)
    if f"{target.host}:{target.port}" in allow:
        return
    address = _literal(target.host)
    if target.host == "localhost" or (address and not is_public(address)):
        raise ImageUrlFetchFailedError(f"The {what} does not lead to a public server.")


def _literal(host: str) -> str | None:
    """The address that a host is, in any spelling that a resolver reads (``0x7f.1``, ``2130706433``); None: a name."""
    if ":" in host:
        return host
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None


def is_public(address: str) -> bool:
    """Whether an IP address, in any form that the resolver writes, belongs to a host of the open Internet."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        if ip.ipv4_mapped:
            return is_public(str(ip.ipv4_mapped))
        if ip.scope_id or ip not in GLOBAL_UNICAST:
            return False
    special = ip.is_multicast or ip.is_reserved or ip.is_link_local or ip.is_loopback or ip.is_unspecified
    return ip.is_global and not special and not any(ip in network for network in CLOSED)
