import io
import json

import boto3
import pytest
from botocore.stub import ANY, Stubber

from cutout.aws.model_health import check_model
from cutout.errors import ServiceUnavailableError


@pytest.fixture
def function():
    client = boto3.client("lambda", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        yield client, stubber


def answers(stubber: Stubber, payload: object) -> None:
    body = io.BytesIO(json.dumps(payload).encode())
    stubber.add_response("invoke", {"StatusCode": 200, "Payload": body}, {"FunctionName": "remove", "Payload": ANY})


def test_the_functions_own_word_is_returned(function):
    client, stubber = function
    answers(stubber, {"statusCode": 200, "body": '{"status": "ok", "model": "m"}'})
    assert check_model(client, "remove") == {"status": "ok", "model": "m"}


@pytest.mark.parametrize(
    "payload",
    [
        {"statusCode": 503, "body": "{}"},
        {"errorMessage": "boom", "errorType": "Runtime.ExitError"},
        {"statusCode": 200, "body": "<"},
    ],
)
def test_any_other_answer_means_that_the_model_does_not_load(function, payload):
    client, stubber = function
    answers(stubber, payload)
    with pytest.raises(ServiceUnavailableError):
        check_model(client, "remove")


def test_a_function_that_cannot_be_asked_is_a_503(function):
    client, stubber = function
    stubber.add_client_error("invoke", "TooManyRequestsException", http_status_code=429)
    with pytest.raises(ServiceUnavailableError):
        check_model(client, "remove")
