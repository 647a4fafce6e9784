"""The typed fields of a JSON body, for routes that refuse what they do not know."""

import json
from collections.abc import Sequence
from typing import Final

from cutout.api.request import Request
from cutout.errors import InvalidOptionError, InvalidRequestError, UnsupportedMediaTypeError

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
