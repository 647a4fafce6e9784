"""Verify the webhooks that Cutout sends (Standard Webhooks 1.0). Needs nothing beyond Python 3.9.

Use it on the body as it came, before any JSON is parsed from it, for instance with Flask::

    from cutout_client.webhooks import WebhookVerificationError, verify

    @app.post("/cutout")
    def cutout():
        try:
            event = verify(request.get_data(), request.headers, os.environ["CUTOUT_WEBHOOK_SECRET"])
        except WebhookVerificationError:
            return "", 400
        handle_once(event["id"], event)
        return "", 204

The secret is what ``GET /v2/account/webhook-secret`` shows. While it is being rotated both the old and the new one
verify, and so does either of them when both are given here. An event may arrive more than once: its ``id`` stays the
same, so remember those that you have handled.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

TOLERANCE_S = 300
"""How old, or how far in the future, an event may be (the specification's five minutes): older ones may be replays."""


class WebhookVerificationError(Exception):
    """The request is not an event of ours, was changed on its way, or is too old."""


def verify(
    body: bytes,
    headers: Mapping[str, str],
    *secrets: str,
    tolerance_s: float = TOLERANCE_S,
    now_s: float | None = None,
) -> dict[str, Any]:
    """Return the event in ``body`` if one of your secrets signed it.

    body: as it came, unparsed. headers: of the request, in any case. secrets: ``whsec_...``, one or several.
    now_s: seconds since 1970, by default the clock's.
    Raises WebhookVerificationError, or ValueError for a malformed secret.
    """
    given = {name.lower(): value for name, value in headers.items()}
    event_id, timestamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not (event_id and timestamp.isascii() and timestamp.isdigit()):
        raise WebhookVerificationError("the headers webhook-id and webhook-timestamp are missing or malformed")
    now = time.time() if now_s is None else now_s
    if abs(now - int(timestamp)) > tolerance_s:
        raise WebhookVerificationError("the event is too old, or the clocks differ")
    signed = f"{event_id}.{timestamp}.".encode() + body
    expected = [hmac.new(_key(secret), signed, hashlib.sha256).digest() for secret in secrets]
    sent = _signatures(given.get("webhook-signature", ""))
    if not any(hmac.compare_digest(one, other) for one in expected for other in sent):
        raise WebhookVerificationError("no signature fits")
    event: dict[str, Any] = json.loads(body)
    return event


def _signatures(header: str) -> list[bytes]:
    """The signatures of version 1 in a header: ``v1,<base64> v1,<base64> ...``; what cannot be read is left out."""
    found = []
    for part in header.split(" "):
        version, _, text = part.partition(",")
        if version == "v1" and text.isascii():
            try:
                found.append(base64.b64decode(text, validate=True))
            except binascii.Error:
                continue
    return found


def _key(secret: str) -> bytes:
    prefix, _, text = secret.partition("_")
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if prefix != "whsec" or not key:
        raise ValueError("a webhook secret is whsec_ and base64")
    return key
