"""A stand-in for an AWS account, for `make deploy`: moto's server, and what moto does not know. It is not AWS.

    python -m tests.deploy.stand_in_aws [CONCURRENCY]

It prints its URL, which goes into AWS_ENDPOINT_URL, and serves until it is ended. Beyond moto it

- answers Lambda's GetAccountSettings, with the limits of a new account or those that are given,
- reads templates that CloudFormation is given by URL, whose bucket moto does not find behind another address,
- has the stack in which SAM keeps its bucket, whose tags moto loses when SAM makes it by a change set.
"""

import io
import json
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from local.cloud import client

ACCOUNT_SETTINGS = "/2016-08-19/account-settings"
"""Path of GetAccountSettings (Lambda API reference)."""
NEW_ACCOUNT = 10
"""Executions at one time that a new account may have."""
MANAGED = {
    "Resources": {"SamCliSourceBucket": {"Type": "AWS::S3::Bucket"}},
    "Outputs": {"SourceBucket": {"Value": {"Ref": "SamCliSourceBucket"}}},
}

Application = Callable[..., Iterable[bytes]]


def stand_in(moto: Application, concurrency: int = NEW_ACCOUNT) -> Application:
    """Wrap moto's WSGI application."""
    limits = {"ConcurrentExecutions": concurrency, "UnreservedConcurrentExecutions": concurrency}
    document = json.dumps({"AccountLimit": limits}).encode()

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"].rstrip("/") == ACCOUNT_SETTINGS:
            start_response("200 OK", [("Content-Type", "application/json")])
            return [document]
        if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            body = _with_template(body)
            environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return moto(environ, start_response)

    return serve


def _with_template(body: bytes) -> bytes:
    """Put the template itself in place of its URL on this server."""
    fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
    if not fields.get("TemplateURL", "").startswith("http://127.0.0.1:"):
        return body
    place = urlsplit(fields.pop("TemplateURL"))
    bucket, _, key = place.path.lstrip("/").partition("/")
    template = client("s3", f"http://{place.netloc}").get_object(Bucket=bucket, Key=key)["Body"].read()
    return urlencode({**fields, "TemplateBody": template.decode()}).encode()


def main() -> None:
    """Serve on a free port of loopback."""
    concurrency = int(sys.argv[1]) if len(sys.argv) > 1 else NEW_ACCOUNT
    application = stand_in(DomainDispatcherApplication(create_backend_app), concurrency)
    server = make_server("127.0.0.1", 0, application, threaded=True)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    url = f"http://127.0.0.1:{server.server_port}"
    client("cloudformation", url).create_stack(
        StackName="aws-sam-cli-managed-default",
        TemplateBody=json.dumps(MANAGED),
        Tags=[{"Key": "ManagedStackSource", "Value": "AwsSamCli"}],
    )
    print(url, flush=True)  # noqa: T201 - that is what it is started for
    serving.join()


if __name__ == "__main__":
    main()
