"""/v2/account: is this key good, whose is it, what was used; the account's keys, and the secret of its webhooks."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from cutout import container as warm
from cutout.accounts import Caller, require_manager
from cutout.api import headers as auth
from cutout.api.accounts import account_answer, webhook_secret_answer
from cutout.api.dialects.base import Counter, Dialect
from cutout.api.dialects.registry import counters
from cutout.api.request import Request, Response
from cutout.api.routing import Endpoint
from cutout.aws.api_gateway import lambda_handler
from cutout.services.account_admin import actor
from cutout.usage import month_of


def account(caller: Caller, _: Request) -> Response:
    """What the caller may know about the key, its account, and the usage of the month."""
    month = month_of(datetime.now(UTC))
    return account_answer(caller, month, warm.usage().total(caller.account.id, month))


def webhook_secret(caller: Caller, request: Request) -> Response:
    """What signs the account's webhooks, made when first asked for; POST: a new one, the old one signs for a while."""
    require_manager(caller.key)
    secrets, is_new = warm.webhook_secrets(), request.method == "POST"
    secret = secrets.rotate(caller.account.id, actor(caller, request)) if is_new else secrets.find(caller.account.id)
    return webhook_secret_answer(secret.current, secret.created_at, secret.previous_until, 201 if is_new else 200)


def _admitted(answer: Callable[[Caller, Request], Response], request: Request) -> Response:
    key = auth.request_key(request, legacy=warm.settings().legacy_keys)
    return answer(warm.admission().admit(request, key, suspended_too=answer is account).caller, request)


def count(dialect: Dialect, counter: Counter, request: Request) -> Response:
    """A dialect's answer about the account."""
    admitted = warm.admission().admit(request, dialect.credential(request, legacy=warm.settings().legacy_keys))
    return counter(request, warm.admission().standing(admitted))


ENDPOINTS = [
    Endpoint(method, f"/v2/account{rest}", partial(_admitted, answer))
    for method, rest, answer in (
        ("GET", "", account),
        ("GET", "/keys", lambda caller, request: warm.key_desk().show(caller, request)),
        ("POST", "/keys", lambda caller, request: warm.key_desk().make(caller, request)),
        ("DELETE", "/keys/{fingerprint}", lambda caller, request: warm.key_desk().revoke(caller, request)),
        ("POST", "/keys/{fingerprint}/rotate", lambda caller, request: warm.key_desk().rotate(caller, request)),
        ("GET", "/webhook-secret", webhook_secret),
        ("POST", "/webhook-secret", webhook_secret),
    )
] + [
    Endpoint(method, route, partial(count, dialect, counter), dialect.problem)
    for (method, route), dialect, counter in counters()
]

handler = lambda_handler(ENDPOINTS)
