"""``result.json`` beside a job's results: what came of it, for people who watch the bucket and not the API."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from cutout.api.job_documents import result_facts
from cutout.aws.job_items import written
from cutout.aws.objects import folder_of
from cutout.aws.s3_errors import if_met
from cutout.errors import ServiceUnavailableError
from cutout.jobs import Job

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class JobReports:
    """Writes to the results bucket. client: gives the client; it is asked for only when needed."""

    def __init__(self, client: "Callable[[], S3Client]", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, job: Job, *, anew: bool = True) -> None:
        """Tell of a job that has ended. anew: else a report that is there stays. Raises ServiceUnavailableError."""
        condition: Any = {} if anew else {"IfNoneMatch": "*"}
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
