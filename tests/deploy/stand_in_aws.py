"""A stand-in for an AWS account, for `make deploy`: moto's server, and what moto does not know. It is not AWS.

    python -m tests.deploy.stand_in_aws [CONCURRENCY]

It prints its URL, which goes into AWS_ENDPOINT_URL, and serves until it is ended. Beyond moto it answers one call:
Lambda's GetAccountSettings, with the limits of a new account or those that are given.
"""

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

ACCOUNT_SETTINGS = "/2016-08-19/account-settings"
"""Path of GetAccountSettings (Lambda API reference)."""
NEW_ACCOUNT = 10
"""Executions at one time that a new account may have."""


def with_account_settings(
    application: Callable[..., Iterable[bytes]], concurrency: int = NEW_ACCOUNT
) -> Callable[..., Iterable[bytes]]:
    """Wrap moto's WSGI application so that Lambda tells its limits, too."""
    limits = {"ConcurrentExecutions": concurrency, "UnreservedConcurrentExecutions": concurrency}
    document = json.dumps({"AccountLimit": limits}).encode()

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"].rstrip("/") != ACCOUNT_SETTINGS:
            return application(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [document]

    return serve


def main() -> None:
    """Serve on a free port of loopback."""
    moto = DomainDispatcherApplication(create_backend_app)
    concurrency = int(sys.argv[1]) if len(sys.argv) > 1 else NEW_ACCOUNT
    server = make_server("127.0.0.1", 0, with_account_settings(moto, concurrency), threaded=True)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)  # noqa: T201 - that is what it is started for
    server.serve_forever()


if __name__ == "__main__":
    main()
