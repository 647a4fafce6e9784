"""GET /v2/account: is this key good, and whose is it."""

from cutout import accounts
from cutout.api import auth
from cutout.api.answers import account_answer
from cutout.api.fields import Fields
from cutout.api.request import Request, Response
from cutout.api.routes import Endpoint
from cutout.aws import telemetry, warm
from cutout.aws.gateway import lambda_handler


def account(request: Request) -> Response:
    """What the caller may know about the key and its account."""
    key = auth.header_key(request)
    if key is None and warm.settings().legacy_keys:
        key = auth.legacy_key(request, Fields())
    caller = accounts.authenticate(key, warm.key_store())
    telemetry.caller_known(caller.account.id, caller.key.fingerprint, caller.key.mode)
    return account_answer(caller)


ENDPOINTS = [Endpoint("GET", "/v2/account", account)]

handler = lambda_handler(ENDPOINTS)
