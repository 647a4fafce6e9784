"""The routes for uploads by this contract's clients, which return URLs for ``image_url``.

A file is stored as an upload of the account; its URL leads to this service, which redirects to storage. A body through
the API is limited by the gateway (docs/limits.md); the JavaScript client puts its files directly into storage.
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
from cutout.ids import AccountId

TOKEN_LIFE: Final = timedelta(hours=1)
_UPLOAD_ID: Final = re.compile(r"upl_[0-9a-f]{32}")
_ACCOUNT_ID: Final = re.compile(r"[\w-]{1,80}", re.ASCII)


def token(request: Request, context: AccountContext) -> Response:  # noqa: ARG001
    """Answer with credentials for uploads: the key of the request itself, which is stored nowhere."""
    document: dict[str, object] = {
        "token": auth.header_key(request),
        "token_type": "Key",
        "base_url": base_url(request),
        "expires_at": (datetime.now(UTC) + TOKEN_LIFE).replace(microsecond=0).isoformat(),
    }
    answer = reply(document, id_for_answer(request))
    return Response(answer.status, answer.media_type, answer.body, {**answer.headers, "cache-control": "no-store"})


def initiate(request: Request, context: AccountContext) -> Response:
    """Answer with the URLs for the upload and for the download of a file.

    A client that requests ``storage_type=gcs`` sends its key with the file, which storage would refuse, so it gets an
    upload URL of this service.

    Args:
        request: The request.
        context: The account's uploads.

    Returns:
        The response.
    """
    upload_id = new_upload_id()
    through_api = request.query.get("storage_type", ("",))[-1] == "gcs"
    put_url = f"{base_url(request)}/storage/upload/{upload_id}" if through_api else context.upload_url(upload_id)
    url = file_url(request, context.account_id, upload_id, _file_name(request))
    return reply({"upload_url": put_url, "file_url": url}, id_for_answer(request))


def put(request: Request, context: AccountContext) -> Response:
    """Store a file at an upload URL of this service. Raises NotFoundError for an id of another form."""
    upload_id = request.path_parameters.get("id", "")
    if not _UPLOAD_ID.fullmatch(upload_id):
        raise NotFoundError("There is no such place for an upload.")
    context.store_upload(upload_id, request.body)
    return reply({}, id_for_answer(request))


def upload(request: Request, context: AccountContext) -> Response:
    """Store a file; answer with its URL."""
    upload_id = new_upload_id()
    context.store_upload(upload_id, request.body)
    name = request.headers.get("x-fal-file-name", "upload.bin")
    return reply({"access_url": file_url(request, context.account_id, upload_id, name)}, id_for_answer(request))


def multipart(request: Request, context: AccountContext) -> Response:  # noqa: ARG001
    """Refuse a file in parts, which is larger than any image may be. Raises ImageTooLargeError."""
    raise too_large(context.max_bytes)


def read(request: Request, context: PublicContext) -> Response:
    """Redirect (302) to a presigned GET of a file; the name in the URL has no effect."""
    account_id, upload_id = request.path_parameters.get("account", ""), request.path_parameters.get("upload", "")
    if not _ACCOUNT_ID.fullmatch(account_id) or not _UPLOAD_ID.fullmatch(upload_id):
        raise NotFoundError("There is no such file.")
    headers = {
        "location": context.file_url(AccountId(account_id), upload_id),
        "x-fal-request-id": id_for_answer(request),
    }
    return Response(302, "text/plain", b"", headers)


def _file_name(request: Request) -> str:
    """Read the file's name in the body. Raises InvalidOptionError for a body that is not a JSON object."""
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
