"""The results bucket: the results and reports of jobs, and answers that are too large for the transport."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cutout.api.job_documents import Links, result_facts
from cutout.api.request import Response
from cutout.aws.dynamodb.job_items import time_text
from cutout.aws.s3.errors import if_precondition_met, s3_call
from cutout.errors import GoneError
from cutout.imaging.spec import Channels, CutoutResult, ImageFormat
from cutout.jobs.job import Job
from cutout.jobs.parts import JobResult

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ENVELOPE_BYTES = 8_192
"""Bytes reserved for the JSON around the body of an answer: status and headers."""
_ENDINGS: Final = {each.media_type: each.value for each in ImageFormat}


class S3ResultStore:
    """The results bucket. Its objects expire by the bucket's lifecycle (24 h).

    Every method raises ServiceUnavailableError while S3 is unavailable.

    Args:
        client: Gives the S3 client; called on first use.
        bucket: The bucket's name.
        inline_limit_bytes: The largest answer of a function, base64 included; 0: no limit.
        url_s: Seconds for which a presigned URL is valid.
        now: Gives the current time (UTC).
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
        """Return a response that fits the transport; replace another by 303 See Other to its stored body.

        Args:
            response: The response.
            key: The object key for the body, without its ending.

        Returns:
            The response, or the redirect to a presigned GET.
        """
        if not self._inline_limit_bytes or self._size(response) <= self._inline_limit_bytes:
            return response
        key = f"{key}.{response.media_type.rpartition('/')[2]}"
        self._put(key, response.body, response.media_type)
        return replace(response, status=303, body=b"", headers={**response.headers, "location": self.url(key)})

    def publish(self, result: CutoutResult, key: str) -> str:
        """Store a result without a job, and make a presigned GET of it.

        Args:
            result: The cutout.
            key: The object key without its ending.

        Returns:
            The URL.
        """
        key = f"{key}.{_ENDINGS[result.media_type]}"
        self._put(key, result.data, result.media_type)
        return self.url(key)

    def store(self, job: Job, result: CutoutResult, mask: bytes | None = None) -> JobResult:
        """Store the result of a job.

        Args:
            job: The job.
            result: The cutout.
            mask: The mask (PNG), which is stored beside it.

        Returns:
            The facts of the result, with its object keys.
        """
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
            frames=result.frames,
        )

    def read(self, result: JobResult) -> CutoutResult:
        """Read the result of a job.

        Args:
            result: The facts of the result.

        Returns:
            The cutout.

        Raises:
            GoneError: The result was removed or has expired.
        """
        with s3_call("The result could not be read; try again.", absent=_gone()):
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
            frames=result.frames,
        )

    def links(self) -> Links:
        """Make the maker of presigned GETs, which are valid from now on."""
        return Links(self.url, self._now() + timedelta(seconds=self._url_s))

    def url(self, key: str) -> str:
        """Make a presigned GET, without a call to S3."""
        with s3_call("The URL of the result could not be made; try again."):
            return self._client().generate_presigned_url(
                "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=self._url_s
            )

    def remove(self, job: Job) -> None:
        """Remove all objects that a job may have written, except the report of an end that is reported.

        An object that another job has written to the same key stays.

        Args:
            job: The job.
        """
        alpha = job.options.spec.channels is Channels.ALPHA
        image_format = ImageFormat.PNG if alpha else job.options.spec.format
        names = [f"cutout.{image_format.value}", "mask.png", *([] if job.is_reported else ["result.json"])]
        for name in names:
            self._remove(f"{folder_of(job)}/{name}", job.id)

    def _remove(self, key: str, job_id: str) -> None:
        """Remove an object if this job wrote it, and it was not overwritten after the check."""
        with suppress(GoneError), s3_call("The result could not be removed; try again.", absent=_gone()):
            found = self._client().head_object(Bucket=self._bucket, Key=key)
            if found["Metadata"].get("job") != job_id:
                return
            with if_precondition_met():
                self._client().delete_object(Bucket=self._bucket, Key=key, IfMatch=found["ETag"])

    def _put(self, key: str, data: bytes, media_type: str, job_id: str = "") -> None:
        metadata = {"job": job_id} if job_id else {}
        with s3_call("The result could not be stored; try again."):
            self._client().put_object(
                Bucket=self._bucket, Key=key, Body=data, ContentType=media_type, Metadata=metadata
            )

    def _size(self, response: Response) -> int:
        """Estimate the bytes of the function's answer: the body as base64, or as JSON text with escaped quotes."""
        textual = response.media_type.startswith("application/json")
        body = len(response.body) + 64 if textual else (len(response.body) + 2) // 3 * 4
        return body + _ENVELOPE_BYTES


def folder_of(job: Job) -> str:
    """Make the key prefix of a job's results; predictable for objects that owners upload themselves."""
    return f"results/{job.account_id}/{job.folder}"


def _gone() -> GoneError:
    return GoneError("The result is gone: results are kept for 24 hours, unless deleted before.")


class S3ReportStore:
    """Writes reports to the results bucket; implements :class:`~cutout.jobs.storage.ReportStore`.

    Args:
        client: Gives the S3 client; called on first use.
        bucket: The bucket's name.
    """

    def __init__(self, client: "Callable[[], S3Client]", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def store(self, job: Job, *, overwrite: bool = True) -> None:
        """Write the report of a job that has ended.

        Args:
            job: The job.
            overwrite: Whether an existing report is replaced.

        Raises:
            ServiceUnavailableError: S3 is unavailable.
        """
        condition: Any = {} if overwrite else {"IfNoneMatch": "*"}
        with s3_call("The report could not be stored; try again."), if_precondition_met():
            self._client().put_object(
                Bucket=self._bucket,
                Key=f"{folder_of(job)}/result.json",
                Body=json.dumps(report(job), indent=1).encode(),
                ContentType="application/json",
                Metadata={"job": job.id},
                **condition,
            )


def report(job: Job) -> dict[str, object]:
    """Write the report of a job as JSON; its keys are object keys of the results bucket."""
    document: dict[str, object] = {
        "job_id": job.id,
        "status": job.state.value,
        "created_at": time_text(job.created_at),
        "started_at": time_text(job.started_at),
        "finished_at": time_text(job.finished_at),
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
