"""A JSON object with typed fields, for the routes that are ours alone (the dialects' bodies are ``fields``).

Numbers are numbers, null is a value, names are exact: what is not so is an error that names the field.
"""

import json
from collections.abc import Sequence
from typing import Final

from cutout.api.request import Request
from cutout.errors import InvalidOptionError, InvalidRequestError, UnsupportedMediaTypeError

_SHOWN_CHARS: Final = 40


class JsonBody:
    """The fields of a request's body; none for an empty body.

    Raises InvalidRequestError (no object), UnsupportedMediaTypeError, InvalidOptionError (a field not in ``known``).
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
        """Whether the field is there and null."""
        return name in self._values and self._values[name] is None

    def text(self, name: str, longest: int) -> str | None:
        """Printable text of at most so many characters, without spaces around it; None when absent or null."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or len(value.strip()) > longest or not value.strip().isprintable():
            raise _wrong(name, f"printable text of at most {longest} characters")
        return value.strip()

    def choice(self, name: str, allowed: Sequence[str]) -> str | None:
        """One of these words; None when absent or null."""
        value = self._values.get(name)
        if value is not None and value not in allowed:
            raise _wrong(name, f"one of {', '.join(allowed)}", allowed=list(allowed))
        return None if value is None else str(value)

    def integer(self, name: str, least: int, most: int) -> int | None:
        """A whole number within these bounds; None when absent or null."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise _wrong(name, f"a whole number from {least} to {most}", minimum=least, maximum=most)
        return value

    def flag(self, name: str) -> bool | None:
        """True or false; None when absent or null."""
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
