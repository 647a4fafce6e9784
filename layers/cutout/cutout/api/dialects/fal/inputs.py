"""The input of a run: a JSON object with ``image_url`` and perhaps ``seed``, checked like pydantic's lax mode.

All faults are reported together, as the list in the contract's 422.
"""

import json
import re
from dataclasses import dataclass
from typing import Final, NoReturn

from cutout.errors import InvalidOptionError

DETAIL: Final = "detail"
"""The key of the list in an error's details."""
_SEED_BITS: Final = 63
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,20}")
_MAX_ECHO_CHARS: Final = 40


@dataclass(frozen=True, slots=True)
class Input:
    """The input of a run.

    Attributes:
        image_url: A URL or a ``data:`` URI.
        seed: The seed; None: none was sent.
    """

    image_url: str
    seed: int | None


def parse_input(body: bytes) -> Input:
    """Parse the input in a body. Raises InvalidOptionError with the list of faults."""
    try:
        document = json.loads(body or b"{}", parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise refused([fault("json_invalid", "The body is not valid JSON.", "body")]) from error
    if not isinstance(document, dict):
        raise refused([fault("model_attributes_type", "Input should be an object.", "body")])
    image_url, seed = _image_url(document), _seed(document)
    wrong = [item for item in (image_url, seed) if isinstance(item, dict)]
    if wrong or isinstance(image_url, dict) or isinstance(seed, dict):
        raise refused(wrong)
    return Input(image_url, seed)


def fault(kind: str, message: str, *place: str, given: object = None) -> dict[str, object]:
    """Make one item of the list of faults.

    Args:
        kind: The machine-readable code.
        message: The message.
        *place: The path of the faulty value.
        given: The faulty value, which is repeated if it is short.

    Returns:
        The item.
    """
    item: dict[str, object] = {"loc": list(place), "msg": message, "type": kind}
    if isinstance(given, str | bool | int) and len(str(given)) <= _MAX_ECHO_CHARS:
        item["input"] = given
    return item


def refused(items: list[dict[str, object]]) -> InvalidOptionError:
    """Make the error with a list of faults."""
    return InvalidOptionError("The input is not valid.", {DETAIL: items})


def _image_url(document: dict[str, object]) -> str | dict[str, object]:
    value = document.get("image_url")
    if value is None or value == "":
        return fault("missing", "Field required", "body", "image_url")
    if not isinstance(value, str):
        return fault("string_type", "Input should be a valid string", "body", "image_url", given=value)
    return value


def _seed(document: dict[str, object]) -> int | dict[str, object] | None:
    value = document.get("seed")
    if value is None or value == "":
        return None
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int):
        return fault("int_type", "Input should be a valid integer", "body", "seed", given=value)
    if not -(2**_SEED_BITS) <= value < 2**_SEED_BITS:
        return fault("int_parsing_size", f"Input should be an integer of {_SEED_BITS + 1} bits", "body", "seed")
    return int(value)


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
