"""Write the sample events: what API Gateway's REST proxy integration and SQS hand to the functions, one file a case.

    .venv/bin/python -m events.make_events

``api-*`` is an event of a route of template.yaml, ``sqs-*`` one of a queue, ``invoke-*`` what one function sends to
another. The tests run every file; `sam local invoke -e events/NAME.json` takes the same ones. Fields and their order
follow the API Gateway developer guide, "Input format of a Lambda function for proxy integration"; every body is base64,
as with the binary media type ``*/*``. The photos are those of docs/images, made small (NOTICE says whose they are).
"""

import base64
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx
from PIL import Image

from events.queue_events import NOBODYS_JOB, TIME_S, queue_events

ROOT = Path(__file__).resolve().parent.parent
HOST = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"
KEY = {"x-api-key": "local-development-key"}
SIDE_PX = 256


@dataclass(frozen=True, slots=True)
class Case:
    """One event; the rest of a request is httpx's: it writes bodies, boundaries and content types as a client does."""

    method: str
    resource: str
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    """Arguments of ``httpx.Request``: content, json, data, files, params."""
    parameters: dict[str, str] = field(default_factory=dict)
    """Values of the ``{names}`` in the resource."""

    @property
    def path(self) -> str:
        """The resource with its parameters."""
        return self.resource.format(**self.parameters)

    def request(self) -> httpx.Request:
        """The request as a client sends it; the boundary of a form is fixed, so that events can be compared."""
        headers = {"accept": "*/*", "user-agent": "cutout-events/1", **self.headers}
        if "files" in self.body:
            headers["content-type"] = "multipart/form-data; boundary=cutout-boundary-7f3a"
        return httpx.Request(self.method, f"https://{HOST}{self.path}", headers=headers, **self.body)


def photo(name: str) -> bytes:
    """A photo of docs/images as a small JPEG."""
    image = Image.open(ROOT / "docs/images" / f"{name}.jpg").convert("RGB")
    image.thumbnail((SIDE_PX, SIDE_PX))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    return file.getvalue()


def cases() -> dict[str, Case]:
    """Every event by the name of its file."""
    astronaut, chelsea = photo("astronaut"), photo("chelsea")
    text = base64.b64encode(chelsea).decode("ascii")
    form = {"files": {"image_file": ("astronaut.jpg", astronaut, "image/jpeg")}}
    options = {"format": "jpg", "size": "preview", "bg_color": "#00ff00", "crop": "true", "despill": "1"}
    return {
        "api-remove-multipart": Case("POST", "/v2", KEY, form),
        "api-remove-multipart-options": Case("POST", "/v2", KEY, {**form, "data": options}),
        "api-remove-multipart-base64": Case(
            "POST", "/v2", KEY, {"files": {"image_base64": (None, f"data:image/jpeg;base64,{text}")}}
        ),
        "api-remove-json-legacy": Case("POST", "/v2", KEY, {"json": {"image": text}}),
        "api-remove-json": Case("POST", "/v2", KEY, {"json": {"image_base64": text, "format": "webp"}}),
        "api-remove-raw": Case("POST", "/v2", {**KEY, "content-type": "image/jpeg"}, {"content": chelsea}),
        "api-remove-url": Case("POST", "/v2", KEY, {"json": {"image_url": "https://photos.example.com/chelsea.jpg"}}),
        "api-remove-url-private": Case(
            "POST", "/v2", KEY, {"json": {"image_url": "http://169.254.169.254/latest/meta-data/"}}
        ),
        "api-remove-no-image": Case("POST", "/v2", KEY, {"json": {"image_base64": ""}}),
        "api-remove-not-an-image": Case("POST", "/v2", {**KEY, "content-type": "image/png"}, {"content": b"no image"}),
        "api-remove-missing-key": Case("POST", "/v2", {}, form),
        "api-remove-unknown-key": Case("POST", "/v2", {"x-api-key": "ct_live_nobody"}, form),
        "api-remove-wrong-method": Case("GET", "/v2", KEY),
        "api-account": Case("GET", "/v2/account", {"authorization": "Bearer local-development-key"}),
        "api-account-missing-key": Case("GET", "/v2/account"),
        "api-account-unknown-key": Case("GET", "/v2/account", {"x-api-key": "ct_live_nobody"}),
        "api-account-wrong-method": Case("DELETE", "/v2/account", KEY),
        "api-health": Case("GET", "/v2/health"),
        "api-health-deep": Case("GET", "/v2/health", {}, {"params": {"deep": "true"}}),
        "api-health-plain": Case("GET", "/health"),
        "api-root": Case("GET", "/"),
        **account_cases(),
        **job_cases(),
    }


def account_cases() -> dict[str, Case]:
    """Keys and accounts; the local key is no administrator's."""
    key, nobody = {"fingerprint": "tok_fp_000000000000"}, {"id": "acct_nobody"}
    keys, accounts = "/v2/account/keys", "/v2/admin/accounts"
    return {
        "api-usage": Case("GET", "/v2/account/usage", KEY, {"params": {"month": "2026-11"}}),
        "api-keys": Case("GET", keys, KEY),
        "api-key-create": Case("POST", keys, KEY, {"json": {"label": "from an event"}}),
        "api-key-revoke-unknown": Case("DELETE", f"{keys}/{{fingerprint}}", KEY, {}, key),
        "api-key-rotate-unknown": Case("POST", f"{keys}/{{fingerprint}}/rotate", KEY, {}, key),
        "api-webhook-test-private": Case(
            "POST", "/v2/account/webhook-test", KEY, {"json": {"webhook_url": "http://10.0.0.1/hook"}}
        ),
        "api-webhook-secret": Case("GET", "/v2/account/webhook-secret", KEY),
        "api-admin-accounts": Case("GET", accounts, KEY),
        "api-admin-account": Case("GET", f"{accounts}/{{id}}", KEY, {}, nobody),
        "api-admin-keys": Case("GET", f"{accounts}/{{id}}/keys", KEY, {}, nobody),
        "api-admin-key-revoke": Case("DELETE", f"{accounts}/{{id}}/keys/{{fingerprint}}", KEY, {}, nobody | key),
    }


def job_cases() -> dict[str, Case]:
    """Work that is answered later."""
    nobodys = {"id": NOBODYS_JOB}
    url = {"image_url": "https://photos.example.com/chelsea.jpg", "format": "webp", "mask": True}
    return {
        "api-jobs": Case("GET", "/v2/jobs", KEY, {"params": {"limit": "10", "status": "succeeded"}}),
        "api-job-create": Case("POST", "/v2/jobs", KEY, {"json": {"format": "webp", "bg_color": "white"}}),
        "api-job-create-url": Case("POST", "/v2/jobs", {**KEY, "idempotency-key": "event-1"}, {"json": url}),
        "api-job-unknown": Case("GET", "/v2/jobs/{id}", KEY, {}, nobodys),
        "api-job-delete-unknown": Case("DELETE", "/v2/jobs/{id}", KEY, {}, nobodys),
        "api-upload-create": Case("POST", "/v2/uploads", KEY, {"json": {"content_type": "image/jpeg"}}),
    }


def proxy_event(name: str, case: Case) -> dict[str, Any]:
    """The event of a request, complete as the developer guide shows it."""
    request = case.request()
    headers: dict[str, list[str]] = {}
    for key, value in request.headers.multi_items():
        headers.setdefault(key.title() if key != "x-api-key" else key, []).append(value)
    headers |= {"X-Forwarded-For": ["198.51.100.7"], "X-Forwarded-Port": ["443"], "X-Forwarded-Proto": ["https"]}
    query = {key: request.url.params.get_list(key) for key in request.url.params}
    body = request.read()
    return {
        "resource": case.resource,
        "path": case.path,
        "httpMethod": case.method,
        "headers": {key: values[-1] for key, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {key: values[-1] for key, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": case.parameters or None,
        "stageVariables": {"gateway_logging": "elsewhere"},
        "requestContext": request_context(name, case),
        "body": base64.b64encode(body).decode("ascii") if body else None,
        "isBase64Encoded": bool(body),
    }


def request_context(name: str, case: Case) -> dict[str, Any]:
    """What the gateway knows of the request; ids differ from event to event and stay the same from run to run."""
    identity = dict.fromkeys((
        "accessKey", "accountId", "caller", "cognitoAuthenticationProvider", "cognitoAuthenticationType",
        "cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId", "user", "userArn",
    ))  # fmt: skip
    return {
        "resourceId": "k7m2p9",
        "resourcePath": case.resource,
        "httpMethod": case.method,
        "extendedRequestId": "Xk2cEHgtliAFa9Q=",
        "requestTime": "01/Jan/2026:00:00:00 +0000",
        "path": f"/prod{case.path}",
        "accountId": "123456789012",
        "protocol": "HTTP/1.1",
        "stage": "prod",
        "domainPrefix": HOST.partition(".")[0],
        "requestTimeEpoch": TIME_S * 1000,
        "requestId": str(uuid5(NAMESPACE_URL, name)),
        "identity": {**identity, "sourceIp": "198.51.100.7", "userAgent": "cutout-events/1"},
        "domainName": HOST,
        "deploymentId": "d4e5f6",
        "apiId": HOST.partition(".")[0],
    }


def main() -> None:
    """Write every file beside this one."""
    events = {name: proxy_event(name, case) for name, case in cases().items()} | queue_events(photo("chelsea"))
    events["invoke-model-health"] = {
        "resource": "/internal/health",
        "path": "/internal/health",
        "httpMethod": "GET",
        "requestContext": {"requestId": str(uuid5(NAMESPACE_URL, "invoke-model-health"))},
    }
    for name, event in events.items():
        (ROOT / "events" / f"{name}.json").write_text(json.dumps(event, indent=2) + "\n")


if __name__ == "__main__":
    main()
