"""DynamoDB throttled or away under the account's counters: never a 5xx, never a lost image, never a wrong count."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from cutout.aws import clients
from functions.remove_background.app import handler as remove_handler
from tests.dialects.pictures import cat
from tests.functions.account_api import CONTEXT, call, customer
from tests.support.builders import proxy_event

PHOTO = cat(150, 100, "JPEG")


pytestmark = pytest.mark.usefixtures("cloud", "own_clients")


def throttled(operation: str) -> ClientError:
    answer: Any = {
        "Error": {"Code": "ProvisionedThroughputExceededException", "Message": "m"},
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    return ClientError(answer, operation)


def fail(client: Any, operation: str, error: Exception) -> Callable[[], None]:
    """Let an operation fail before it is sent, until the function that comes back is called."""

    def refuse(**_: object) -> None:
        raise error

    event = f"before-send.dynamodb.{operation}"
    client.meta.events.register_first(event, refuse)
    return lambda: client.meta.events.unregister(event, refuse)


def remove(key: str) -> tuple[int, Any]:
    answer = remove_handler(proxy_event("POST", "/v2", {"x-api-key": key}, PHOTO), CONTEXT)
    problem = json.loads(answer["body"])["error"]["code"] if answer["statusCode"] >= 400 else None
    return answer["statusCode"], problem


def test_a_throttled_rate_counter_is_a_429_with_all_its_headers():
    key = customer()
    fail(clients.counting_client(), "UpdateItem", throttled("UpdateItem"))

    answers = [call("GET", "/v2/account", key) for _ in range(3)]

    assert {answer.code for answer in answers} == {(429, "rate_limited")}
    assert {"retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"} <= answers[
        0
    ].headers.keys()


def test_a_rate_counter_that_is_away_lets_in():
    key = customer()
    fail(clients.counting_client(), "UpdateItem", ConnectTimeoutError(endpoint_url="https://dynamodb.invalid"))

    assert call("GET", "/v2/account", key).status == 200


def test_an_image_whose_charge_is_throttled_for_good_is_delivered_and_its_charge_logged(caplog):
    key = customer()
    end = fail(clients.charging_client(), "TransactWriteItems", throttled("TransactWriteItems"))

    assert remove(key) == (200, None)

    logged = [record.charge for record in caplog.records if record.message == "charge not counted"]
    assert [(charge["account"], charge["images"]) for charge in logged] == [("acct_customer", 1)]
    end()
    assert call("GET", "/v2/account", key).body["usage"]["images"] == 0
    assert remove(key) == (200, None)
    assert call("GET", "/v2/account", key).body["usage"]["images"] == 1


def test_a_quota_that_cannot_be_read_stops_nobody_and_the_image_counts():
    key = customer(plan="free")
    end = fail(clients.charging_client(), "BatchGetItem", throttled("BatchGetItem"))

    assert remove(key) == (200, None)

    end()
    assert call("GET", "/v2/account", key).body["usage"]["images"] == 1
