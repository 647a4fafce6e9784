"""The account and the admin function in this process, called as API Gateway calls them."""

import json
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

from cutout.accounts import PLANS, Account, KeyMode
from cutout.authentication import fingerprint_key, hash_key, new_key
from cutout.container import container
from functions.account.app import handler as account_handler
from functions.admin.app import handler as admin_handler
from tests.support.builders import proxy_event

CONTEXT = SimpleNamespace(
    function_name="account",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:account",
    aws_request_id="0c0ffee0-0000-4000-8000-000000000001",
    get_remaining_time_in_millis=lambda: 20_000,
)
ROUTES = (
    (r"/v2/account/keys/[^/]+/rotate", "/v2/account/keys/{fingerprint}/rotate"),
    (r"/v2/account/keys/[^/]+", "/v2/account/keys/{fingerprint}"),
    (r"/v2/admin/accounts/[^/]+/keys/[^/]+", "/v2/admin/accounts/{id}/keys/{fingerprint}"),
    (r"/v2/admin/accounts/[^/]+/keys", "/v2/admin/accounts/{id}/keys"),
    (r"/v2/admin/accounts/[^/]+", "/v2/admin/accounts/{id}"),
)


class Answer(NamedTuple):
    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> tuple[int, str]:
        return self.status, self.body["error"]["code"]


def call(method: str, path: str, key: str | None, body: Any = None, query: dict[str, str] | None = None) -> Answer:
    """Ask the function of the path; body: JSON, or bytes as they are."""
    headers = {"x-api-key": key} if key else {}
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    if raw:
        headers["content-type"] = "application/json"
    resource = next((route for pattern, route in ROUTES if re.fullmatch(pattern, path)), None)
    handler: Callable[[Any, Any], Any] = admin_handler if path.startswith("/v2/admin") else account_handler
    answer = handler(proxy_event(method, path, headers, raw, query, resource=resource), CONTEXT)
    sent = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
    return Answer(answer["statusCode"], json.loads(answer["body"]), sent)


def customer(mode: KeyMode = KeyMode.LIVE, plan: str = "metered", account_id: str = "acct_customer") -> str:
    """A new account's raw key."""
    raw_key = new_key(mode)
    container().keys.create_account(Account.on_plan(account_id, "c@example.com", PLANS[plan]))
    container().keys.create_key(account_id, raw_key, mode)
    return raw_key


def another(mode: KeyMode, account_id: str = "acct_customer") -> str:
    """One more raw key of an account."""
    raw_key = new_key(mode)
    container().keys.create_key(account_id, raw_key, mode)
    return raw_key


def fingerprint(raw_key: str) -> str:
    return fingerprint_key(hash_key(raw_key))
