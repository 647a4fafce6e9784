"""The results bucket: the results of jobs, and answers that are too large for the transport."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from cutout.api.job_documents import Links
from cutout.api.request import Response
from cutout.aws.s3.errors import if_met, is_absent
from cutout.errors import GoneError, ServiceUnavailableError
from cutout.imaging.spec import Channels, CutoutResult, ImageFormat
from cutout.jobs.job import Job
from cutout.jobs.parts import JobResult

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
import json
from typing import TYPE_CHECKING, Any

from cutout.api.job_documents import result_facts
from cutout.aws.dynamodb.job_items import written

_ENVELOPE_BYTES = 8_192
"""Room for the JSON around the body of an answer: status and headers."""
_ENDINGS: Final = {each.media_type: each.value for each in ImageFormat}


class S3ResultStore:
    """The results bucket. Objects expire by the bucket's lifecycle (24 h), their URLs after ``url_s`` seconds.

    Every method raises ServiceUnavailableError when S3 cannot be asked. client: gives the client; it is asked for only
    when needed.
    """

    def __init__(
        self,
        client: Callable[[], "S3Client"],
        bucket: str,
        *,
        inline_limit_bytes: int,
        url_s: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._inline_limit_bytes = inline_limit_bytes
        self._url_s = url_s
        self._now = now

    def deliver(self, response: Response, key: str) -> Response:
        """The response itself if it fits the transport, else 303 See Other to a presigned GET of its body.

        key: object key without ending.
        """
        if not self._inline_limit_bytes or self._size(response) <= self._inline_limit_bytes:
            return response
        key = f"{key}.{response.media_type.rpartition('/')[2]}"
        self._put(key, response.body, response.media_type)
        return replace(response, status=303, body=b"", headers={**response.headers, "location": self.url(key)})

    def publish(self, result: CutoutResult, key: str) -> str:
        """Store a result without a job, and make a presigned GET of it.

        Args:
            result: What was made.
            key: Object key without its ending.

        Returns:
            The URL.
        """
        key = f"{key}.{_ENDINGS[result.media_type]}"
        self._put(key, result.data, result.media_type)
        return self.url(key)

    def store(self, job: Job, result: CutoutResult, mask: bytes | None = None) -> JobResult:
        """Store what was made for a job: the cutout, and beside it the mask (PNG)."""
        folder = folder_of(job)
        key = f"{folder}/cutout.{_ENDINGS[result.media_type]}"
        self._put(key, result.data, result.media_type, job.id)
        mask_key = f"{folder}/mask.png" if mask is not None else None
        if mask is not None and mask_key is not None:
            self._put(mask_key, mask, "image/png", job.id)
        return JobResult(
            key=key,
            media_type=result.media_type,
            width=result.width,
            height=result.height,
            source_width=result.source_width,
            source_height=result.source_height,
            bytes=len(result.data),
            model=result.model,
            stages_ms=dict(result.stages_ms),
            mask_key=mask_key,
            foreground=result.foreground,
        )

    def read(self, result: JobResult) -> CutoutResult:
        """What was made, again. Raises GoneError when it was removed."""
        with _failures("The result could not be read; try again."):
            data = self._client().get_object(Bucket=self._bucket, Key=result.key)["Body"].read()
        return CutoutResult(
            data=data,
            media_type=result.media_type,
            width=result.width,
            height=result.height,
            source_width=result.source_width,
            source_height=result.source_height,
            model=result.model,
            stages_ms=result.stages_ms,
            foreground=result.foreground,
        )

    def links(self) -> Links:
        """Presigned GETs, from now on."""
        return Links(self.url, self._now() + timedelta(seconds=self._url_s))

    def url(self, key: str) -> str:
        """A presigned GET. Made without asking S3."""
        with _failures("The URL of the result could not be made; try again."):
            return self._client().generate_presigned_url(
                "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=self._url_s
            )

    def remove(self, job: Job) -> None:
        """Remove all that a job may have made, but not the report of an end that is reported.

        What another job has written to the same place meanwhile stays.
        """
        alpha = job.options.spec.channels is Channels.ALPHA
        image_format = ImageFormat.PNG if alpha else job.options.spec.format
        names = [f"cutout.{image_format.value}", "mask.png", *([] if job.is_reported else ["result.json"])]
        for name in names:
            self._remove(f"{folder_of(job)}/{name}", job.id)

    def _remove(self, key: str, job_id: str) -> None:
        """Remove an object if that job wrote it, and nobody has written there since it was asked."""
        with suppress(GoneError), _failures("The result could not be removed; try again."):
            found = self._client().head_object(Bucket=self._bucket, Key=key)
            if found["Metadata"].get("job") != job_id:
                return
            with if_met():
                self._client().delete_object(Bucket=self._bucket, Key=key, IfMatch=found["ETag"])

    def _put(self, key: str, data: bytes, media_type: str, job_id: str = "") -> None:
        metadata = {"job": job_id} if job_id else {}
        with _failures("The result could not be stored; try again."):
            self._client().put_object(
                Bucket=self._bucket, Key=key, Body=data, ContentType=media_type, Metadata=metadata
            )

    def _size(self, response: Response) -> int:
        """Bytes of the function's answer: the body as base64, or as JSON text, which escapes quotes."""
        textual = response.media_type.startswith("application/json")
        body = len(response.body) + 64 if textual else (len(response.body) + 2) // 3 * 4
        return body + _ENVELOPE_BYTES


def folder_of(job: Job) -> str:
    """Where the results of a job lie; foreseeable for objects that people put themselves."""
    return f"results/{job.account_id}/{job.folder}"


@contextmanager
def _failures(message: str) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        if is_absent(error):
            raise GoneError("The result is gone: results are kept for 24 hours, unless deleted before.") from error
        raise ServiceUnavailableError(message) from error


class S3ReportStore:
    """Writes to the results bucket. client: gives the client; it is asked for only when needed."""

    def __init__(self, client: "Callable[[], S3Client]", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def store(self, job: Job, *, overwrite: bool = True) -> None:
        """Write the report of a job that has ended.

        Args:
            job: The job.
            overwrite: Whether a report that is there already is replaced.

        Raises:
            ServiceUnavailableError: S3 cannot be reached.
        """
        condition: Any = {} if overwrite else {"IfNoneMatch": "*"}
        try:
            with if_met():
                self._client().put_object(
                    Bucket=self._bucket,
                    Key=f"{folder_of(job)}/result.json",
                    Body=json.dumps(report(job), indent=1).encode(),
                    ContentType="application/json",
                    Metadata={"job": job.id},
                    **condition,
                )
        except (BotoCoreError, ClientError) as error:
            raise ServiceUnavailableError("The report could not be stored; try again.") from error


def report(job: Job) -> dict[str, object]:
    """What the report says; keys are places in the results bucket."""
    document: dict[str, object] = {
        "job_id": job.id,
        "status": job.state.value,
        "created_at": written(job.created_at),
        "started_at": written(job.started_at),
        "finished_at": written(job.finished_at),
    }
    if job.source.key:
        document["source"] = job.source.key
    if result := job.result:
        document["result"] = {
            "key": result.key,
            "mask_key": result.mask_key,
            **result_facts(result),
        }
    if error := job.error:
        document["error"] = {"code": error.code, "message": error.message, "details": error.details}
    return document
