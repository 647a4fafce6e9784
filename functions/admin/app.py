"""/v2/admin/accounts: accounts and their keys, for administrators."""

from collections.abc import Callable
from functools import partial

from cutout import container as warm
from cutout.accounts import Caller
from cutout.api import headers as auth
from cutout.api.request import Request, Response
from cutout.api.routing import Endpoint
from cutout.aws.api_gateway import lambda_handler


def _admitted(answer: Callable[[Caller, Request], Response], request: Request) -> Response:
    return answer(warm.admission().admit(request, auth.header_key(request)).caller, request)


ENDPOINTS = [
    Endpoint(method, f"/v2/admin/accounts{rest}", partial(_admitted, answer))
    for method, rest, answer in (
        ("GET", "", lambda caller, request: warm.account_desk().show_all(caller, request)),
        ("POST", "", lambda caller, request: warm.account_desk().make(caller, request)),
        ("GET", "/{id}", lambda caller, request: warm.account_desk().show(caller, request)),
        ("PATCH", "/{id}", lambda caller, request: warm.account_desk().change(caller, request)),
        ("GET", "/{id}/keys", lambda caller, request: warm.key_desk().show(caller, request)),
        ("POST", "/{id}/keys", lambda caller, request: warm.key_desk().make(caller, request)),
        ("DELETE", "/{id}/keys/{fingerprint}", lambda caller, request: warm.key_desk().revoke(caller, request)),
    )
]

handler = lambda_handler(ENDPOINTS)
