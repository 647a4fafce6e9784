"""This contract's webhook: the output or the error, signed with the service's Ed25519 key, and the route of that key.

Source: the vendor's documentation of webhooks: the signature covers four lines, the request, the user, the time and the
body's SHA-256 in hex; receivers read the public keys from a JWK set (RFC 7517, RFC 8037).
"""

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Final

from cutout.api.answers import json_answer
from cutout.api.dialects.base import WebhookDelivery
from cutout.api.dialects.context import PublicContext, PublicHandler
from cutout.api.dialects.fal.addresses import id_for_answer, public_id
from cutout.api.dialects.fal.documents import error_of_job, job_output
from cutout.api.dialects.fal.problems import problem_document
from cutout.api.job_documents import Links
from cutout.api.request import Request, Response
from cutout.jobs.job import Job

_CACHE_S: Final = 86_400
"""Seconds for which a receiver may cache the key, as the vendor documents."""


def signed_delivery(job: Job, links: Links, sign: Callable[[bytes], bytes], now: datetime) -> WebhookDelivery:
    """Write the webhook of a request that has ended.

    Args:
        job: Its job.
        links: Makes URLs of results.
        sign: Signs bytes with the service's Ed25519 key; returns 64 bytes.
        now: The current time (UTC).

    Returns:
        The webhook.
    """
    body = json.dumps(_document(job, links), separators=(",", ":")).encode()
    request_id, timestamp = public_id(job), str(int(now.timestamp()))
    lines = (request_id, job.account_id, timestamp, hashlib.sha256(body).hexdigest())
    headers = {
        "content-type": "application/json",
        "x-fal-webhook-request-id": request_id,
        "x-fal-webhook-user-id": job.account_id,
        "x-fal-webhook-timestamp": timestamp,
        "x-fal-webhook-signature": sign("\n".join(lines).encode()).hex(),
    }
    return WebhookDelivery(body, headers)


def _document(job: Job, links: Links) -> dict[str, object]:
    request_id = public_id(job)
    names: dict[str, object] = {"request_id": request_id, "gateway_request_id": request_id}
    if error := error_of_job(job):
        status, payload = problem_document(error)
        return names | {"status": "ERROR", "error": f"Invalid status code: {status}", "payload": payload}
    return names | {"status": "OK", "error": None, "payload": job_output(job, links)}


def keys(request: Request, context: PublicContext) -> Response:
    """Answer with the JWK set of the service's key."""
    x = base64.urlsafe_b64encode(context.public_key()).rstrip(b"=").decode("ascii")
    kid = hashlib.sha256(x.encode()).hexdigest()[:16]
    key = {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": x}
    answer = json_answer({"keys": [key]})
    headers = {"cache-control": f"public, max-age={_CACHE_S}", "x-fal-request-id": id_for_answer(request)}
    return Response(answer.status, answer.media_type, answer.body, headers)


PUBLIC_ROUTES: Final[dict[tuple[str, str], PublicHandler]] = {("GET", "/.well-known/jwks.json"): keys}
