"""What a removal asks of AWS: each call costs the client milliseconds, and the owner money."""

import pytest

from cutout.aws import clients
from functions.remove_background.app import handler
from tests.dialects.pictures import cat
from tests.functions.account_api import CONTEXT, call, customer
from tests.support.builders import proxy_event

PHOTO = cat(150, 100, "JPEG")

pytestmark = pytest.mark.usefixtures("cloud", "own_clients")


@pytest.fixture
def calls() -> list[str]:
    """Names of the operations, as they are called."""
    made: list[str] = []
    for client in (clients.dynamodb_client, clients.counting_client, clients.charging_client, clients.s3_client):
        client().meta.events.register("before-call", lambda model, **_: made.append(model.name))
    return made


def remove(key: str, headers: dict[str, str]) -> int:
    status: int = handler(proxy_event("POST", "/v2", {"x-api-key": key} | headers, PHOTO), CONTEXT)["statusCode"]
    return status


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, ["UpdateItem", "TransactWriteItems"]),
        ({"idempotency-key": "one"}, ["UpdateItem", "PutItem", "PutObject", "TransactWriteItems"]),
    ],
)
def test_a_removal_reads_nothing_once_its_key_is_known(calls, headers, expected):
    key = customer()
    assert remove(key, {}) == 200
    calls.clear()

    assert remove(key, headers) == 200

    assert calls == expected
    assert call("GET", "/v2/account", key).body["usage"]["images"] == 2
