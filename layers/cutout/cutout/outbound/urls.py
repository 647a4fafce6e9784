"""The URLs and addresses to which a client may send requests of the service. Values only; opens no socket."""

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from cutout.errors import ImageUrlFetchFailedError

MAX_URL_CHARS = 8_192
"""RFC 9110, section 4.1 recommends at least 8,000; presigned URLs with session tokens need about 2,500."""
FIRST_FREE_PORT = 1_024
"""Lower ports belong to other protocols (mail, shells), which must not receive a request; 80 and 443 are allowed."""

NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""IPv4 addresses as IPv6-only networks see them (RFC 6052)."""
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""All IPv6 addresses that are assigned to hosts of the Internet (RFC 4291, IANA)."""
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24",  # protocol assignments, including one cloud's metadata; Python below 3.13 knows parts of it
        "192.88.99.0/24",  # 6to4 relays, withdrawn (RFC 7526)
        "168.63.129.16/32",  # one cloud's host agent, at a public address
        "2001::/23",  # protocol assignments, including Teredo, which leads to any embedded IPv4 address
        "2002::/16",  # 6to4: the same
        "3fff::/20",  # documentation (RFC 9637)
    )
)
"""Networks without images that ``is_global`` accepts, at least in some version of Python."""

_DOT = re.compile("%2e", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Target:
    """The parts of a URL.

    Attributes:
        secure: Whether the scheme is https.
        host: ASCII, lower case, without brackets.
        port: The port.
        path: The path with the query, percent-encoded.
    """

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
    """Parse and check the form of a URL.

    Args:
        url: The URL.
        what: Its name in messages.

    Returns:
        The parts.

    Raises:
        ImageUrlFetchFailedError: The URL is malformed, or its scheme, port or form is not allowed.
    """
    if len(url) > MAX_URL_CHARS:
        raise ImageUrlFetchFailedError(f"The {what} is longer than {MAX_URL_CHARS} characters.")
    if re.search(r"[\x00-\x1f\x7f]", url):
        raise ImageUrlFetchFailedError(f"The {what} has control characters.")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode("ascii").lower().removesuffix(".")
        whole_path = _without_dots(parts.path) + (f"?{parts.query}" if parts.query else "")
        path = quote(whole_path, safe="!$%&'()*+,/:;=?@[]~")
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


def _without_dots(path: str) -> str:
    """Resolve ``.`` and ``..`` as browsers do before they ask (RFC 3986, section 5.2.4; WHATWG URL for ``%2e``)."""
    kept: list[str] = []
    *segments, last = path.removeprefix("/").split("/")
    for segment in segments:
        dots = _DOT.sub(".", segment)
        if dots == "..":
            del kept[-1:]
        elif dots != ".":
            kept.append(segment)
    dots = _DOT.sub(".", last)
    if dots == "..":
        del kept[-1:]
    return "/" + "/".join([*kept, "" if dots in {".", ".."} else last])


def check_url(url: str, allow: frozenset[str], what: str = "image URL") -> None:
    """Refuse a URL that can never be allowed, by its form or by a literal address; names are checked on connection.

    Args:
        url: The URL.
        allow: ``host:port`` pairs that are exempt from the check of addresses.
        what: Its name in messages.

    Raises:
        ImageUrlFetchFailedError: The URL is not allowed.
    """
    target = parse_url(url, what)
    if f"{target.host}:{target.port}" in allow:
        return
    address = _literal(target.host)
    if target.host == "localhost" or (address and not is_public(address)):
        raise ImageUrlFetchFailedError(f"The {what} does not lead to a public server.")


def _literal(host: str) -> str | None:
    """Read a literal address, in any spelling that a resolver reads (``0x7f.1``, ``2130706433``); None: a name."""
    if ":" in host:
        return host
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None


def is_public(address: str) -> bool:
    """Report whether an IP address, in any form that the resolver writes, belongs to a host of the public Internet."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        if ip.ipv4_mapped:
            return is_public(str(ip.ipv4_mapped))
        if ip.scope_id or ip not in GLOBAL_UNICAST:
            return False
    special = ip.is_multicast or ip.is_reserved or ip.is_link_local or ip.is_loopback or ip.is_unspecified
    return ip.is_global and not special and not any(ip in network for network in _NOT_PUBLIC)
