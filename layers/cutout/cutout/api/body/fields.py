"""Parsers of request bodies: the fields of a multipart, JSON or urlencoded body.

Names of fields are case-insensitive; an empty value counts as absent, because real clients send empty strings.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import parse_qsl

from cutout.api.body.parts import parse_parts
from cutout.api.request import Request
from cutout.errors import InvalidRequestError

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
            if _bytes(self._values.setdefault(key, value)) != _bytes(value):
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
        return None if value is None else _bytes(value)

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


def _bytes(value: str | bytes) -> bytes:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value


def _shown(name: str) -> str:
    """Make a field name safe to print: short and printable."""
    return repr(name[:40])


def multipart_fields(request: Request) -> Fields:
    """Parse a multipart body.

    Args:
        request: The request.

    Returns:
        The fields, all as bytes, with the names of files.

    Raises:
        InvalidRequestError: The body is malformed, or has more than MAX_FIELDS parts.
        InvalidBase64Error: A part in base64 does not decode.
    """
    parts = parse_parts(request.headers.get("content-type", ""), request.body, MAX_FIELDS)
    file_names = {part.name.strip().lower(): part.file_name for part in parts if part.file_name}
    return Fields(((part.name, part.data) for part in parts), file_names)


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
