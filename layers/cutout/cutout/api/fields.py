"""The named values of a request body, whatever its encoding: multipart, JSON or urlencoded.

Names compare without case; an empty value counts as absent (real clients send empty strings).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import parse_qsl

from cutout.errors import InvalidRequestError

MAX_FIELDS = 100
"""Fields of one body; the longest contract knows about 30."""


class Fields:
    """Values by name. A value is text or, for a part of a form, bytes.

    Raises InvalidRequestError when one name comes twice with different values.
    """

    def __init__(
        self, pairs: Iterable[tuple[str, str | bytes]] = (), file_names: Mapping[str, str] | None = None
    ) -> None:
        self.file_names: Mapping[str, str] = dict(file_names or {})
        """Of the parts that came as files: field name in lower case to file name, as sent."""
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
        """Names in lower case, with their values."""
        return self._values.items()

    def text(self, name: str) -> str | None:
        """The value as text, or None. Raises InvalidRequestError when its bytes are not UTF-8."""
        value = self._values.get(name)
        if not isinstance(value, bytes):
            return value
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidRequestError(f"The field {_shown(name)} is not UTF-8 text.") from error

    def raw(self, name: str) -> bytes | None:
        """The value as bytes, or None."""
        value = self._values.get(name)
        return value.encode("utf-8") if isinstance(value, str) else value

    def merged(self, other: "Fields") -> "Fields":
        """Both sets of fields as one."""
        return Fields([*self.items(), *other.items()], {**other.file_names, **self.file_names})


def json_fields(body: bytes) -> Fields:
    """Fields of a JSON object (RFC 8259). null is absent, numbers and booleans become their JSON text.

    Raises InvalidRequestError for anything that is not an object of plain values.
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
    """Fields of an application/x-www-form-urlencoded body. Raises InvalidRequestError."""
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
    """A field name that is safe to print back: short and printable."""
    return repr(name[:40])
