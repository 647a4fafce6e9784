"""/v2/admin/accounts: accounts and their keys, for administrators."""

from cutout.api.headers import header_key
from cutout.api.routing import AnyEndpoint
from cutout.aws.api_gateway import lambda_handler
from cutout.container import container

ROOT = "/v2/admin/accounts"


def endpoints() -> list[AnyEndpoint]:
    """List the function's endpoints."""
    accounts, keys = container().account_service, container().key_service
    routes = {
        ("GET", ROOT): accounts.list,
        ("POST", ROOT): accounts.create,
        ("GET", f"{ROOT}/{{id}}"): accounts.show,
        ("PATCH", f"{ROOT}/{{id}}"): accounts.change,
        ("GET", f"{ROOT}/{{id}}/keys"): keys.list,
        ("POST", f"{ROOT}/{{id}}/keys"): keys.create,
        ("DELETE", f"{ROOT}/{{id}}/keys/{{fingerprint}}"): keys.revoke,
    }
    return [container().endpoint(route, handle, header_key) for route, handle in routes.items()]


handler = lambda_handler(endpoints, lambda: container().settings)
