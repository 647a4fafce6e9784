"""Parsers of request bodies: the fields of a multipart, JSON or urlencoded body.

Names of fields are case-insensitive; an empty value counts as absent, because real clients send empty strings.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from cutout.api.request import Request
from cutout.errors import InvalidOptionError, InvalidRequestError, UnsupportedMediaTypeError

MAX_FIELDS = 100
"""The most fields of one body; the longest contract knows about 30."""


class Fields:
    """Values by name. A value is text or, for a part of a form, bytes.

    Attributes:
        file_names: The file names of parts that are files, as sent, by field name in lower case.

    Args:
        pairs: Names and values; empty values are dropped.
        file_names: File names by field name in lower case.

    Raises:
        InvalidRequestError: One name has two different values.
    """

    def __init__(
        self, pairs: Iterable[tuple[str, str | bytes]] = (), file_names: Mapping[str, str] | None = None
    ) -> None:
        self.file_names: Mapping[str, str] = dict(file_names or {})
        self._values: dict[str, str | bytes] = {}
        for name, value in pairs:
            if value in ("", b""):
                continue
            key = name.strip().lower()
            if self._values.setdefault(key, value) != value:
                raise InvalidRequestError(f"The field {_shown(name)} was sent twice with different values.")

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def items(self) -> Iterable[tuple[str, str | bytes]]:
        """List the names in lower case, with their values."""
        return self._values.items()

    def text(self, name: str) -> str | None:
        """Return a value as text, or None. Raises InvalidRequestError for bytes that are not UTF-8."""
        value = self._values.get(name)
        if not isinstance(value, bytes):
            return value
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidRequestError(f"The field {_shown(name)} is not UTF-8 text.") from error

    def raw(self, name: str) -> bytes | None:
        """Return a value as bytes (UTF-8 for text), or None."""
        value = self._values.get(name)
        return value.encode("utf-8") if isinstance(value, str) else value

    def merged(self, other: "Fields") -> "Fields":
        """Merge two sets of fields. Raises InvalidRequestError for a name with two different values."""
        return Fields([*self.items(), *other.items()], {**other.file_names, **self.file_names})


def json_fields(body: bytes) -> Fields:
    """Parse a JSON object (RFC 8259) as fields.

    Args:
        body: JSON.

    Returns:
        The fields; null counts as absent, numbers and booleans become their JSON text.

    Raises:
        InvalidRequestError: The body is not an object of plain values, or has more than MAX_FIELDS.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError("The body is not valid JSON.") from error
    if not isinstance(document, dict):
        raise InvalidRequestError("The JSON body must be an object.")
    if len(document) > MAX_FIELDS:
        raise InvalidRequestError(f"The JSON body has more than {MAX_FIELDS} fields.")
    return Fields((name, _json_text(name, value)) for name, value in document.items() if value is not None)


def urlencoded_fields(body: bytes) -> Fields:
    """Parse an application/x-www-form-urlencoded body. Raises InvalidRequestError."""
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError as error:
        raise InvalidRequestError("The body is not a valid urlencoded form.") from error
    return Fields(pairs)


def _json_text(name: str, value: object) -> str:
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise InvalidRequestError(f"The field {_shown(name)} holds an unpaired surrogate.") from error
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise InvalidRequestError(f"The field {_shown(name)} must be a plain value, not an object or a list.")


def _shown(name: str) -> str:
    """Make a field name safe to print: short and printable."""
    return repr(name[:40])


_CHUNK_BYTES = 1 << 20


def multipart_fields(request: Request) -> Fields:
    """Parse a multipart body.

    Args:
        request: The request.

    Returns:
        The fields, all as bytes, with the names of files.

    Raises:
        InvalidRequestError: The body is malformed, or has more than MAX_FIELDS parts.
    """
    _, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get("boundary", "")
    if not boundary:
        raise InvalidRequestError("The Content-Type of a multipart body must name its boundary.")
    try:
        return _fields(boundary, request.body)
    except MultipartError as error:
        raise InvalidRequestError("The multipart body is malformed.", {"reason": str(error)[:200]}) from error


def _fields(boundary: str, body: bytes) -> Fields:
    parts: list[tuple[str, bytes]] = []
    file_names: dict[str, str] = {}
    with PushMultipartParser(boundary, max_segment_count=MAX_FIELDS) as parser:
        name, data = "", bytearray()
        for start in range(0, len(body), _CHUNK_BYTES):
            for event in parser.parse(body[start : start + _CHUNK_BYTES]):
                if isinstance(event, MultipartSegment):
                    if not event.name:
                        raise InvalidRequestError("A part of the form has no name.")
                    name = event.name
                    if event.filename:
                        file_names[name.strip().lower()] = event.filename
                elif event:
                    data += event
                else:  # the end of a part
                    parts.append((name, bytes(data)))
                    data.clear()
    return Fields(parts, file_names)


def form_fields(request: Request) -> Fields:
    """Parse the body by its Content-Type.

    Args:
        request: The request.

    Returns:
        The fields of a multipart, JSON or urlencoded body; no fields for another Content-Type.

    Raises:
        InvalidRequestError: The body is malformed.
    """
    kind = request.media_type
    if kind.startswith("multipart/"):
        return multipart_fields(request)
    if kind == "application/json" or kind.endswith("+json"):
        return json_fields(request.body)
    if kind == "application/x-www-form-urlencoded":
        return urlencoded_fields(request.body)
    return Fields()


_SHOWN_CHARS: Final = 40


class JsonBody:
    """The typed fields of a JSON body; none for an empty body.

    The methods that read a field raise InvalidOptionError for a value of another form.

    Args:
        request: The request.
        known: The names of all fields that the route knows.

    Raises:
        InvalidRequestError: The body is not a JSON object.
        UnsupportedMediaTypeError: The body has another Content-Type.
        InvalidOptionError: The body has a field that is not known.
    """

    def __init__(self, request: Request, known: Sequence[str]) -> None:
        self._values = _read(request)
        unknown = sorted(name[:_SHOWN_CHARS] for name in self._values if name not in known)
        if unknown:
            details = {"unknown": unknown[:10], "known": sorted(known)}
            raise InvalidOptionError(f"Unknown field {unknown[0]!r}.", details)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def is_null(self, name: str) -> bool:
        """Report whether a field is present and null."""
        return name in self._values and self._values[name] is None

    def text(self, name: str, longest: int) -> str | None:
        """Read printable text.

        Args:
            name: The field.
            longest: The most characters, without surrounding white space.

        Returns:
            The text without surrounding white space; None when absent or null.
        """
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or len(value.strip()) > longest or not value.strip().isprintable():
            raise _wrong(name, f"printable text of at most {longest} characters")
        return value.strip()

    def choice(self, name: str, allowed: Sequence[str]) -> str | None:
        """Read one of the allowed words; None when absent or null."""
        value = self._values.get(name)
        if value is not None and value not in allowed:
            raise _wrong(name, f"one of {', '.join(allowed)}", allowed=list(allowed))
        return None if value is None else str(value)

    def integer(self, name: str, least: int, most: int) -> int | None:
        """Read an integer from ``least`` to ``most``; None when absent or null."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise _wrong(name, f"a whole number from {least} to {most}", minimum=least, maximum=most)
        return value

    def flag(self, name: str) -> bool | None:
        """Read true or false; None when absent or null."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, bool):
            raise _wrong(name, "true or false")
        return value


def _read(request: Request) -> dict[str, object]:
    if not request.body:
        return {}
    if request.media_type != "application/json" and not request.media_type.endswith("+json"):
        raise UnsupportedMediaTypeError("Send a JSON object.", {"expected_one_of": ["application/json"]})
    try:
        document = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError("The body is not valid JSON.") from error
    if not isinstance(document, dict):
        raise InvalidRequestError("The JSON body must be an object.")
    return document


def _wrong(name: str, expected: str, **details: object) -> InvalidOptionError:
    return InvalidOptionError(f"{name} must be {expected}.", {"option": name, **details})
