"""HTTP requests and responses as plain values. Only ``aws/api_gateway.py`` sees Lambda events."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

Body = bytes | Iterable[bytes]
"""The bytes that go over the wire, as a whole or in pieces."""


class Headers(Mapping[str, str]):
    """Header fields, by case-insensitive name.

    Args:
        pairs: Names and values; the values of a repeated name are joined by ", " (RFC 9110, section 5.3).
    """

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._fields: dict[str, str] = {}
        for name, value in pairs:
            key = name.lower()
            self._fields[key] = f"{self._fields[key]}, {value}" if key in self._fields else value

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, immutable.

    Attributes:
        method: In capitals.
        route: The resource as the template names it (``/v2``, ``/v2/jobs/{id}``).
        path: The path as it was called.
        headers: Header fields, by case-insensitive name.
        query: Every value of every parameter, decoded.
        path_parameters: Values of the route's ``{...}`` parts, decoded.
        body: The bytes as sent.
        request_id: ``req_`` and the gateway's id; globally unique.
        base_path: What precedes the route in the client's URL, such as ``/prod``; empty for a route with parameters.
        public_url: The service's own URL, if the settings name it; empty: it is the one that the client called.
        time_left_s: Seconds, counted from the request's arrival, after which the process may be killed.
        streams: Whether the transport takes an answer in pieces, of any size.
    """

    method: str
    route: str
    path: str
    headers: Headers = field(default_factory=Headers)
    query: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    path_parameters: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    request_id: str = ""
    base_path: str = ""
    public_url: str = ""
    time_left_s: float = 0.0
    streams: bool = False

    @property
    def media_type(self) -> str:
        """The Content-Type without parameters, in lower case; empty when there is none."""
        return self.headers.get("content-type", "").split(";", 1)[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response.

    Attributes:
        status: HTTP status code.
        media_type: The Content-Type, parameters included.
        body: The bytes that go over the wire; pieces only for a request that streams, and to be read once.
        headers: All other header fields, names in lower case.
    """

    status: int
    media_type: str
    body: Body
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The whole body."""
        return self.body if isinstance(self.body, bytes) else b"".join(self.body)

    def with_headers(self, headers: Mapping[str, str]) -> "Response":
        """Add header fields.

        Args:
            headers: Fields with names in lower case; an existing field is replaced.

        Returns:
            A copy with the fields.
        """
        return replace(self, headers={**self.headers, **headers})
