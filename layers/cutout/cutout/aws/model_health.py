"""The deep health check: invoke the removal function to see whether its model loads and runs."""

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from cutout.errors import ServiceUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

ROUTE = "/internal/health"
"""A route of the removal function that API Gateway does not expose: only another function can call it."""


def check_model(client: "LambdaClient", function: str) -> dict[str, Any]:
    """Invoke the removal function's health route.

    Args:
        client: The client of Lambda.
        function: The name of the removal function.

    Returns:
        The health document, with the name of the model.

    Raises:
        ServiceUnavailableError: The function cannot be invoked, or its model does not load.
    """
    event = {
        "resource": ROUTE,
        "path": ROUTE,
        "httpMethod": "GET",
        "requestContext": {"requestId": str(uuid4())},
    }
    try:
        answer = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
        payload = json.loads(answer["Payload"].read())
        if payload.get("statusCode") == 200:  # noqa: PLR2004
            body: dict[str, Any] = json.loads(payload["body"])
            return body
    except (BotoCoreError, ClientError, ValueError) as error:
        raise ServiceUnavailableError("The model could not be asked.") from error
    raise ServiceUnavailableError("The model does not load.")
