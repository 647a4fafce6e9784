"""The buckets as clients see them: presigned URLs and forms, in front of moto, which checks no signature itself.

Nothing else of S3 is answered here: a request without a valid signature is a 403, whatever it asks for.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote
from xml.sax.saxutils import escape

from botocore.exceptions import ClientError

from cutout.api.body.fields import multipart_fields
from cutout.api.request import Headers, Request
from cutout.errors import ClientFaultError
from local.gateway import Scope, send_response
from local.request_bodies import BodyReader, BodyTooLargeError, Receive, TooManyBodiesError
from local.responses import HttpResponse
from local.site import App
from local.streaming import Send
from server.signatures import SignatureError, Signatures

_SHARED: Final = (
    ("access-control-allow-origin", "*"),
    ("access-control-expose-headers", "etag"),
    ("content-security-policy", "sandbox; default-src 'none'"),  # clients' files share the host with the page
    ("x-content-type-options", "nosniff"),
)
_PREFLIGHT: Final = (
    ("access-control-allow-origin", "*"),
    ("access-control-allow-methods", "GET, HEAD, POST, PUT"),
    ("access-control-allow-headers", "*"),
    ("access-control-max-age", "3000"),
)
"""As the template's CORS rules say it of the buckets."""

_REFUSALS: Final[Mapping[type[Exception], tuple[int, str]]] = {
    SignatureError: (403, "AccessDenied"),
    BodyTooLargeError: (400, "EntityTooLarge"),
    TooManyBodiesError: (503, "SlowDown"),
    ClientFaultError: (400, "MalformedPOSTRequest"),
    ValueError: (400, "InvalidArgument"),
}
"""Status and code by error (API reference, "Error Responses")."""


class Storage:
    """An ASGI application that answers the paths of buckets and leaves all others.

    Args:
        others: Answers the other paths.
        s3: A client of moto's S3.
        buckets: Names of the buckets.
        signatures: Checks what was signed.
        bodies: Reads uploads.
    """

    def __init__(
        self, others: App, s3: Any, buckets: Sequence[str], signatures: Signatures, bodies: BodyReader
    ) -> None:
        self._others = others
        self._s3 = s3
        self._buckets = frozenset(buckets)
        self._signatures = signatures
        self._bodies = bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        bucket = scope["path"].lstrip("/").partition("/")[0]
        if bucket not in self._buckets:
            await self._others(scope, receive, send)
            return

        async def respond(_: str) -> HttpResponse:
            return await self._respond(scope, receive, bucket)

        await send_response(send, respond)

    async def _respond(self, scope: Scope, receive: Receive, bucket: str) -> HttpResponse:
        if scope["method"] == "OPTIONS":
            return HttpResponse(200, _PREFLIGHT, b"")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
        try:
            if scope["method"] != "POST":
                self._signatures.check_url(scope["method"], path, query, headers)
            async with self._bodies.read(receive, int(headers.get("content-length", "0"))) as body:
                key = unquote(path.lstrip("/").partition("/")[2])
                return await asyncio.to_thread(self._serve, scope["method"], bucket, key, headers, body)
        except (SignatureError, ClientFaultError, ValueError, BodyTooLargeError, TooManyBodiesError) as error:
            status, code = next(answer for kind, answer in _REFUSALS.items() if isinstance(error, kind))
            return _refusal(status, code, str(error) or code)
        except ClientError as error:
            fault = error.response["Error"]
            return _refusal(error.response["ResponseMetadata"]["HTTPStatusCode"], fault["Code"], fault["Message"])

    def _serve(self, method: str, bucket: str, key: str, headers: Mapping[str, str], body: bytes) -> HttpResponse:
        place = {"Bucket": bucket, "Key": key}
        if method in {"GET", "HEAD"}:
            wanted = {"Range": headers["range"]} if "range" in headers else {}
            found = self._s3.get_object(**place, **wanted)
            fields = {
                "content-type": found["ContentType"],
                "etag": found["ETag"],
                "accept-ranges": "bytes",
                **({"content-range": found["ContentRange"]} if "ContentRange" in found else {}),
            }
            status = 206 if "ContentRange" in found else 200
            return HttpResponse(status, (*fields.items(), *_SHARED), found["Body"].read() if method == "GET" else b"")
        if method == "POST":
            return self._accept(bucket, headers, body)
        return self._put(place, headers.get("content-type", ""), body, 200)

    def _accept(self, bucket: str, headers: Mapping[str, str], body: bytes) -> HttpResponse:
        form = multipart_fields(Request("POST", "/", "/", headers=Headers(headers.items()), query={}, body=body))
        data = form.raw("file") or b""
        fields = {name: form.text(name) or "" for name in form if name != "file"}
        if "${filename}" in fields.get("key", ""):
            raise SignatureError("The key must be whole.")
        self._signatures.check_form(bucket, fields, len(data))
        return self._put({"Bucket": bucket, "Key": fields["key"]}, fields.get("content-type", ""), data, 204)

    def _put(self, place: Mapping[str, str], content_type: str, data: bytes, status: int) -> HttpResponse:
        kind = {"ContentType": content_type} if content_type else {}
        stored = self._s3.put_object(**place, Body=data, **kind)
        return HttpResponse(status, (("etag", stored["ETag"]), *_SHARED), b"")


def _refusal(status: int, code: str, message: str) -> HttpResponse:
    """Write an error of S3 (API reference, "REST Error Responses")."""
    text = f"<?xml version='1.0' encoding='UTF-8'?>\n<Error><Code>{escape(code)}</Code>"
    text += f"<Message>{escape(message)}</Message></Error>"
    retry = (("retry-after", "1"),) if code == "SlowDown" else ()
    return HttpResponse(status, (("content-type", "application/xml"), *retry, *_SHARED), text.encode())
