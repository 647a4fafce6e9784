"""GET /v2/account: is this key good, and whose is it."""

from datetime import UTC, datetime

from cutout.api import auth
from cutout.api.answers import account_answer
from cutout.api.fields import Fields
from cutout.api.request import Request, Response
from cutout.api.routes import Endpoint
from cutout.aws import warm
from cutout.aws.gateway import lambda_handler
from cutout.metering import month_of, usage_report


def account(request: Request) -> Response:
    """What the caller may know about the key, its account, and the usage of the month."""
    key = auth.header_key(request)
    if key is None and warm.settings().legacy_keys:
        key = auth.legacy_key(request, Fields())
    caller = warm.admission().admit(request, key, suspended_too=True).caller
    month = month_of(datetime.now(UTC))
    used = warm.usage().total(caller.account.id, month)
    return account_answer(caller, usage_report(month, used, caller.account.monthly_quota))


ENDPOINTS = [Endpoint("GET", "/v2/account", account)]

handler = lambda_handler(ENDPOINTS)
