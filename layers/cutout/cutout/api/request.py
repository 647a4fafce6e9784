"""A request and a response as plain values. Below ``aws/gateway.py`` nobody sees an event."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field


class Headers(Mapping[str, str]):
    """Header fields: names compare without case, a repeated field is joined by ", " (RFC 9110, section 5.3)."""

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
    """One HTTP request.

    route: the resource as the template names it (``/v2``, ``/v2/jobs/{id}``); path: as it was called.
    query: every value of every parameter, decoded. body: the bytes as sent.
    base_path: what stands before the route in the client's URL, such as ``/prod``; empty for a route with parameters.
    time_left_s: seconds after which the process may be killed, counted from the request's arrival.
    notes: what a dialect wants to know again of this request when it writes the answer or the problem.
    answer_headers: for every answer to this request, whatever comes of it; written as the request goes its way.
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
    time_left_s: float = 0.0
    notes: dict[str, str] = field(default_factory=dict)
    answer_headers: dict[str, str] = field(default_factory=dict)

    @property
    def media_type(self) -> str:
        """The Content-Type without parameters, in lower case; empty when there is none."""
        return self.headers.get("content-type", "").split(";", 1)[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response; ``body`` is what goes over the wire."""

    status: int
    media_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
