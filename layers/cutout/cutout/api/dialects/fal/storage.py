"""Uploads by this contract's clients, of which an ``image_url`` may then be made.

A file lies below the account's own uploads and is named by a URL of ours, which sends whoever reads it to storage.
Bodies that pass through us are bound by the gateway (docs/limits.md); the JavaScript client puts straight into storage.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from cutout.api import headers as auth
from cutout.api.dialects.context import AccountContext, AccountHandler, PublicContext, PublicHandler
from cutout.api.dialects.fal.addresses import base_url, file_url, id_for_answer
from cutout.api.dialects.fal.documents import reply
from cutout.api.dialects.fal.inputs import fault, refused
from cutout.api.request import Request, Response
from cutout.api.sources import too_large
from cutout.api.uploads import new_upload_id
from cutout.errors import NotFoundError

TOKEN_LIFE: Final = timedelta(hours=1)
_UPLOAD_ID: Final = re.compile(r"upl_[0-9a-f]{32}")
_ACCOUNT_ID: Final = re.compile(r"[\w-]{1,80}", re.ASCII)


def token(request: Request, context: AccountContext) -> Response:  # noqa: ARG001
    """Credentials for uploads: the very key that was sent, which is told to nobody else and kept nowhere."""
    document: dict[str, object] = {
        "token": auth.header_key(request),
        "token_type": "Key",
        "base_url": base_url(request),
        "expires_at": (datetime.now(UTC) + TOKEN_LIFE).replace(microsecond=0).isoformat(),
    }
    answer = reply(document, id_for_answer(request))
    return Response(answer.status, answer.media_type, answer.body, {**answer.headers, "cache-control": "no-store"})


def initiate(request: Request, context: AccountContext) -> Response:
    """Where to put a file, and what it will be called.

    ``storage_type=gcs`` is asked for by a client that puts its key beside the file, which storage would refuse: it is
    given a place of ours.
    """
    upload_id = new_upload_id()
    ours = request.query.get("storage_type", ("",))[-1] == "gcs"
    put_url = f"{base_url(request)}/storage/upload/{upload_id}" if ours else context.upload_url(upload_id)
    url = file_url(request, context.account_id, upload_id, _file_name(request))
    return reply({"upload_url": put_url, "file_url": url}, id_for_answer(request))


def put(request: Request, context: AccountContext) -> Response:
    """Take a file at a place of ours."""
    upload_id = request.path_parameters.get("id", "")
    if not _UPLOAD_ID.fullmatch(upload_id):
        raise NotFoundError("There is no such place for an upload.")
    context.store_upload(upload_id, request.body)
    return reply({}, id_for_answer(request))


def upload(request: Request, context: AccountContext) -> Response:
    """Take a file."""
    upload_id = new_upload_id()
    context.store_upload(upload_id, request.body)
    name = request.headers.get("x-fal-file-name", "upload.bin")
    return reply({"access_url": file_url(request, context.account_id, upload_id, name)}, id_for_answer(request))


def multipart(request: Request, context: AccountContext) -> Response:  # noqa: ARG001
    """Refuse: clients send files in parts when they are larger than any image may be. Raises ImageTooLargeError."""
    raise too_large(context.max_bytes)


def read(request: Request, context: PublicContext) -> Response:
    """302 to a presigned GET of a file; its name is for people."""
    account_id, upload_id = request.path_parameters.get("account", ""), request.path_parameters.get("upload", "")
    if not _ACCOUNT_ID.fullmatch(account_id) or not _UPLOAD_ID.fullmatch(upload_id):
        raise NotFoundError("There is no such file.")
    headers = {"location": context.file_url(account_id, upload_id), "x-fal-request-id": id_for_answer(request)}
    return Response(302, "text/plain", b"", headers)


def _file_name(request: Request) -> str:
    """As the body tells it. Raises InvalidOptionError for a body that is no JSON object."""
    try:
        document = json.loads(request.body or b"{}")
    except (ValueError, RecursionError) as error:
        raise refused([fault("json_invalid", "The body is not valid JSON.", "body")]) from error
    if not isinstance(document, dict):
        raise refused([fault("model_attributes_type", "Input should be an object.", "body")])
    name = document.get("file_name")
    return name if isinstance(name, str) else "upload.bin"


ACCOUNT_ROUTES: Final[dict[tuple[str, str], AccountHandler]] = {
    ("POST", "/storage/auth/token"): token,
    ("POST", "/storage/upload/initiate"): initiate,
    ("POST", "/storage/upload/initiate-multipart"): multipart,
    ("PUT", "/storage/upload/{id}"): put,
    ("POST", "/files/upload"): upload,
    ("POST", "/files/upload/multipart"): multipart,
}
PUBLIC_ROUTES: Final[dict[tuple[str, str], PublicHandler]] = {("GET", "/files/{account}/{upload}/{name}"): read}
