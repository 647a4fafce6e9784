"""/v2/account: whether a key is good, its account and usage; the account's keys, and the secret of its webhooks."""

from cutout.api.dialects.base import Dialect, StatusHandler
from cutout.api.dialects.registry import status_routes
from cutout.api.request import Request, Response
from cutout.api.routing import AnyEndpoint, KeyedEndpoint
from cutout.aws.api_gateway import lambda_handler
from cutout.container import container
from cutout.usage import Admission


def endpoints() -> list[AnyEndpoint]:
    """List the function's endpoints."""
    app = container()
    keys, account = app.key_service, app.account_service
    routes = {
        ("PATCH", "/v2/account"): account.change_own,
        ("GET", "/v2/account/keys"): keys.list,
        ("POST", "/v2/account/keys"): keys.create,
        ("DELETE", "/v2/account/keys/{fingerprint}"): keys.revoke,
        ("POST", "/v2/account/keys/{fingerprint}/rotate"): keys.rotate,
        ("GET", "/v2/account/usage"): account.show_daily_usage,
        ("GET", "/v2/account/webhook-secret"): account.show_webhook_secret,
        ("POST", "/v2/account/webhook-secret"): account.rotate_webhook_secret,
        ("POST", "/v2/account/webhook-test"): app.webhook_trial.run,
    }
    return [
        app.endpoint(("GET", "/v2/account"), account.show_own, app.request_key, allow_suspended=True),
        *(app.endpoint(route, handle, app.request_key) for route, handle in routes.items()),
        *(_status_endpoint(*entry) for entry in status_routes()),
    ]


def _status_endpoint(route: tuple[str, str], dialect: Dialect, handle: StatusHandler) -> KeyedEndpoint:
    """Make the endpoint of a dialect that reports an account's credits."""

    def report(admission: Admission, request: Request) -> Response:
        return handle(request, container().access.status(admission))

    return container().dialect_endpoint(route, dialect, report)


handler = lambda_handler(endpoints, lambda: container().settings)
