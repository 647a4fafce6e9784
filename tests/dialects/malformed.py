"""Requests that are wrong in some way, as many as wanted: a good one by a dialect's document, then broken.

A request follows from its dialect and its number alone, so that each can be made again.
"""

import base64
import random
from typing import Any
from urllib.parse import quote

from tests.dialects.attempts import Attempt
from tests.dialects.breakage import WAYS
from tests.dialects.hostile import IMAGES, URLS, WORDS
from tests.dialects.written import Asked, asked_of
from tests.support.builders import BOUNDARY

BASE64 = base64.b64encode(IMAGES["good"]).decode()
DATA_URL = f"data:image/png;base64,{BASE64}"


def malformed(dialect: str, number: int, key: str) -> Attempt:
    """The request of this number; key: a good one."""
    dice = random.Random(f"{dialect} {number}")
    request = _good(dice.choice(asked_of(dialect)), dice, key)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        name, way = dice.choice(list(WAYS.items()))
        request.log.append(name)
        way(request, dice)
    return request


def _good(asked: Asked, dice: random.Random, key: str) -> Attempt:
    media_type = dice.choice(asked.media_types) if asked.media_types else None
    source, other = asked.sources(media_type), asked.options(media_type)
    fields = [
        (name, asked.sample(name, dice)) for name in dice.sample(sorted(other), min(len(other), dice.randrange(4)))
    ]
    if source:
        name = dice.choice(sorted(source))
        fields.append((name, _image(name, dice)))
    elif media_type and media_type not in {"application/json", "application/x-www-form-urlencoded"}:
        fields.append(("", IMAGES["good"]))
    query = [(name, asked.sample(name, dice)) for name in asked.query if dice.random() < 0.3]
    path = asked.path
    for name in asked.parameters:
        path = path.replace("{" + name + "}", quote(str(dice.choice(("x", "0" * 32, dice.choice(WORDS)))), safe=""))
    headers = {name: word.replace("KEY", key) for name, word in dice.choice(asked.keys or [{}]).items()}
    typed = f"multipart/form-data; boundary={BOUNDARY}" if media_type == "multipart/form-data" else media_type
    return Attempt(asked.method, path, query, headers, typed, fields)


def _image(name: str, dice: random.Random) -> Any:
    """The image as a field of this name wants it; no URL leads to one."""
    if "url" in name:
        return dice.choice((*URLS, DATA_URL))
    return BASE64 if "64" in name else IMAGES["good"]
