"""Signatures that let strangers at single objects: presigned URLs and POST policies (AWS Signature Version 4).

Source: Amazon S3 API reference, "Authenticating Requests: Using Query Parameters" and "POST Policy".
"""

import base64
import binascii
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl

from botocore.auth import S3SigV4PostAuth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.template import ACCOUNT, REGION

_TIME: Final = "%Y%m%dT%H%M%SZ"
_SIGNED_ELSEWHERE: Final = frozenset({"policy", "x-amz-signature", "file"})
"""Fields of a form that its policy need not name."""


class SignatureError(Exception):
    """A request that nobody has signed, or not so, or no longer; the message says which."""


class Signatures:
    """Checks what was signed with the service's secret.

    Args:
        secret: The secret access key of the functions.
        origin: Scheme, host and port for which URLs are signed; a client may come by another name of the host.
        now: Gives the current time (UTC).
    """

    def __init__(self, secret: str, origin: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._credentials = Credentials(ACCOUNT, secret)
        self._origin = origin
        self._now = now

    def check_url(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> None:
        """Require a presigned URL.

        Args:
            method: The HTTP method.
            path: As in the request line.
            query: As in the request line, without ``?``.
            headers: Values by name in lower case.

        Raises:
            SignatureError: The URL is not signed for this method, path and query, or has expired.
        """
        fields = dict(parse_qsl(query, keep_blank_values=True))
        given, date = fields.get("X-Amz-Signature", ""), fields.get("X-Amz-Date", "")
        unsigned = "&".join(part for part in query.split("&") if not part.startswith("X-Amz-Signature="))
        request = AWSRequest(method, f"{self._origin}{path}?{unsigned}")
        for name in fields.get("X-Amz-SignedHeaders", "host").split(";"):
            if name != "host":
                request.headers[name] = headers.get(name, "")
        request.context["timestamp"] = date
        signer = S3SigV4QueryAuth(self._credentials, "s3", REGION)
        wanted = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        if not hmac.compare_digest(wanted.encode(), given.encode()):
            raise SignatureError("The URL is not signed for this request.")
        if self._now() > _time(date) + timedelta(seconds=int(fields.get("X-Amz-Expires", "0"))):
            raise SignatureError("The URL has expired.")

    def check_form(self, bucket: str, fields: Mapping[str, str], size: int) -> None:
        """Require a form whose policy is signed and allows what the form says.

        Args:
            bucket: The bucket that the form was sent to.
            fields: The fields before the file, by name in lower case.
            size: Bytes of the file.

        Raises:
            SignatureError: The form is not signed, has expired, or says what its policy does not allow.
        """
        policy_text = fields.get("policy", "")
        request = AWSRequest("POST", self._origin)
        request.context["timestamp"] = fields.get("x-amz-date", "")
        signer = S3SigV4PostAuth(self._credentials, "s3", REGION)
        wanted = signer.signature(policy_text, request)
        if not hmac.compare_digest(wanted.encode(), fields.get("x-amz-signature", "").encode()):
            raise SignatureError("The form is not signed.")
        policy = _policy(policy_text)
        if self._now() > datetime.fromisoformat(policy["expiration"]):
            raise SignatureError("The form has expired.")
        said = {**fields, "bucket": bucket}
        named = {_allow(condition, said, size) for condition in policy["conditions"]}
        if extra := fields.keys() - named - _SIGNED_ELSEWHERE:
            raise SignatureError(f"The policy does not name the field {min(extra)}.")


def _policy(text: str) -> dict[str, Any]:
    try:
        policy: dict[str, Any] = json.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise SignatureError("The policy cannot be read.") from error
    return policy


def _allow(condition: Any, said: Mapping[str, str], size: int) -> str:
    """Require one condition of a policy, and return the field that it names."""
    if isinstance(condition, dict):
        ((name, value),) = condition.items()
        operator = "eq"
    else:
        operator, name, value = condition
    name = str(name).removeprefix("$").lower()
    if operator == "content-length-range":
        met = int(name) <= size <= int(value)
    elif operator == "starts-with":
        met = said.get(name, "").startswith(value)
    else:
        met = operator == "eq" and said.get(name) == value
    if not met:
        raise SignatureError(f"The form is not what its policy allows: {json.dumps(condition)}.")
    return name


def _time(text: str) -> datetime:
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
