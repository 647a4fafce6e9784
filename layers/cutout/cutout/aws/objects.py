"""S3: answers that are too large for the transport."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from cutout.api.request import Response
from cutout.errors import ServiceUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ENVELOPE_BYTES = 8_192
"""Room for the JSON around the body of an answer: status and headers."""


class ResultStore:
    """The results bucket. Objects expire by the bucket's lifecycle (24 h), their URLs after ``url_s`` seconds.

    client: gives the client; it is asked for only when something is stored.
    """

    def __init__(self, client: Callable[[], "S3Client"], bucket: str, *, inline_limit_bytes: int, url_s: int) -> None:
        self._client = client
        self._bucket = bucket
        self._inline_limit_bytes = inline_limit_bytes
        self._url_s = url_s

    def deliver(self, response: Response, key: str) -> Response:
        """The response itself if it fits the transport, else 303 See Other to a presigned GET of its body.

        key: object key without ending. Raises ServiceUnavailableError when S3 does.
        """
        if not self._inline_limit_bytes or self._size(response) <= self._inline_limit_bytes:
            return response
        ending = response.media_type.rpartition("/")[2]
        place = {"Bucket": self._bucket, "Key": f"{key}.{ending}"}
        try:
            self._client().put_object(**place, Body=response.body, ContentType=response.media_type)  # type: ignore[arg-type]
            url = self._client().generate_presigned_url("get_object", Params=place, ExpiresIn=self._url_s)
        except (BotoCoreError, ClientError) as error:
            raise ServiceUnavailableError("The result could not be stored; try again.") from error
        return replace(response, status=303, body=b"", headers={**response.headers, "location": url})

    def _size(self, response: Response) -> int:
        """Bytes of the function's answer: the body as base64, or as JSON text, which escapes quotes."""
        textual = response.media_type.startswith("application/json")
        body = len(response.body) + 64 if textual else (len(response.body) + 2) // 3 * 4
        return body + _ENVELOPE_BYTES
