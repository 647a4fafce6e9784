"""Ten thousand requests of every kind through the removal function, and the account is charged for what it got.

In this process, on moto, with a stub in the model's place: what is counted does not depend on what is in the picture.
"""

import base64
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from random import Random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from moto.dynamodb.models import DynamoDBBackend
from PIL import Image

from cutout.accounts import KeyMode
from cutout.aws import telemetry
from cutout.aws.dynamodb.rate_limiter import DynamoRateLimiter
from cutout.container import Container, container
from cutout.usage import RateState, Usage, month_of
from functions.account.app import handler as account_handler
from functions.remove_background.app import handler
from local import ROOT
from local.faster_moto import transact_named_items as transact_on_what_is_named
from tests.support.builders import multipart, proxy_event
from tests.support.process_state import forget_clients

REQUESTS = 10_000
LIVE, SYNTHETIC, OTHER = "local-development-key", "ct_synthetic_test", "ct_live_of_the_same_account"
CONTEXT = SimpleNamespace(
    function_name="remove",
    memory_limit_in_mb=3008,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:remove",
    aws_request_id="0c0ffee0-0000-4000-8000-000000000001",
    get_remaining_time_in_millis=lambda: 29_000,
)


class Everything:
    """A model that takes all of the image for the subject."""

    name = "everything"

    def squash(self, image: Any) -> Any:
        return image

    def alpha(self, image: Any) -> Any:
        return np.ones(image.shape[:2], np.float32)


@pytest.fixture(autouse=True)
def _fresh(cloud: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(DynamoDBBackend, "transact_write_items", transact_on_what_is_named)  # moto's own copies tables
    monkeypatch.setattr(Container, "segmenter", Everything())
    monkeypatch.setattr(Container, "segmenter_for", lambda _self, _name: Everything())
    monkeypatch.setattr(DynamoRateLimiter, "consume", lambda *_: RateState(1_000, 999, 0))  # it has tests of its own
    monkeypatch.setenv("CUTOUT_MODELS_DIR", str(ROOT / "models"))
    forget_clients()
    container().keys.create_key("acct_local", SYNTHETIC, KeyMode.SYNTHETIC)
    container().keys.create_key("acct_local", OTHER, KeyMode.LIVE)
    yield
    forget_clients()


def picture(width: int, height: int) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (width, height), (width, height, 99)).save(buffer, "PNG")
    return buffer.getvalue()


PICTURES = {(width, height): picture(width, height) for width in range(1, 9) for height in range(1, 9)}


class Load:
    """Sends requests and remembers what must have been charged for them."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.expected: dict[str, Usage] = {}
        self.answered: Counter[tuple[str, int]] = Counter()
        self.sent: list[tuple[dict[str, Any], Usage | None]] = []

    def image(self, key: str = LIVE, **headers: str) -> None:
        size = self.random.choice(list(PICTURES))
        event = proxy_event("POST", "/v2", {"x-api-key": key, "content-type": "image/png", **headers}, PICTURES[size])
        usage = self.send("image", event, 200)
        if key != SYNTHETIC:
            charge = headers.get("idempotency-key") or event["requestContext"]["requestId"]
            paid = Usage.of_image(*size, len(PICTURES[size]), usage)
            self.expected.setdefault(charge, paid)
        self.sent.append((event, None))

    def again(self) -> None:
        """The same request once more, as a gateway or a client library sends it whose answer was lost."""
        self.send("again", self.random.choice(self.sent)[0], 200)

    def refused(self) -> None:
        status, event = self.random.choice(REFUSED)()
        self.send("refused", event, status)

    def send(self, kind: str, event: dict[str, Any], status: int) -> int:
        """The bytes of the answer."""
        answer = handler(event, CONTEXT)
        assert answer["statusCode"] == status, answer
        self.answered[kind, status] += 1
        return len(base64.b64decode(answer["body"])) if answer["isBase64Encoded"] else 0


def _post(headers: dict[str, str], body: bytes) -> dict[str, Any]:
    return proxy_event("POST", "/v2", headers, body)


def _wrong_option() -> dict[str, Any]:
    body, kind = multipart({"format": "gif89"}, {"image_file": ("a.png", PICTURES[1, 1], "image/png")})
    return _post({"x-api-key": LIVE, "content-type": kind}, body)


PNG = {"content-type": "image/png"}
REFUSED: list[Callable[[], tuple[int, dict[str, Any]]]] = [
    lambda: (401, _post(PNG, PICTURES[1, 1])),
    lambda: (403, _post({**PNG, "x-api-key": "ct_live_unknown"}, PICTURES[1, 1])),
    lambda: (400, _post({**PNG, "x-api-key": LIVE}, b"\x89PNG\r\n\x1a\n and no more")),
    lambda: (400, _post({**PNG, "x-api-key": LIVE}, b"")),
    lambda: (400, _wrong_option()),
    lambda: (405, proxy_event("GET", "/v2", {"x-api-key": LIVE})),
]


@pytest.mark.timeout(1_800)
def test_ten_thousand_mixed_requests_are_charged_exactly(capsys, caplog):
    caplog.set_level(logging.ERROR, logger=telemetry.logger.name)
    load = Load(Random(20_261_120))
    first_month = month_of(datetime.now(UTC))
    load.image()
    for number in range(1, REQUESTS):
        draw = load.random.random()
        if draw < 0.30:
            load.image(load.random.choice([LIVE, OTHER]))
        elif draw < 0.40:
            load.image(SYNTHETIC)
        elif draw < 0.42:
            load.image(**{"idempotency-key": f"order-{number}"})
        elif draw < 0.55:
            load.again()
        else:
            load.refused()
        capsys.readouterr()

    months = {first_month, month_of(datetime.now(UTC))}
    counted = sum((container().usage.total("acct_local", month) for month in months), Usage())
    assert counted == sum(load.expected.values(), Usage())
    assert sum(load.answered.values()) == REQUESTS
    assert min(load.answered.values()) > REQUESTS / 50
    if len(months) == 1:
        assert shown_images() == counted.images


def shown_images() -> int:
    answer = account_handler(proxy_event("GET", "/v2/account", {"x-api-key": LIVE}), CONTEXT)
    usage: dict[str, Any] = json.loads(answer["body"])["usage"]
    return int(usage["images"])
