"""What this contract says of a run and of a request in the queue, as JSON."""

from datetime import datetime
from typing import Final

from cutout.api.answers import json_answer
from cutout.api.dialects.fal.addresses import job_urls, public_id
from cutout.api.dialects.fal.problems import problem_document
from cutout.api.job_documents import Links
from cutout.api.problems import error_of
from cutout.api.request import Response
from cutout.errors import CutoutError, GoneError, ImageUrlFetchFailedError
from cutout.jobs.job import Job, JobState

SEED: Final = "seed"
"""Note of an order and of its job: the seed that is told back."""
ENDED: Final = 200
PENDING: Final = 202


def reply(document: dict[str, object], request_id: str, status: int = 200, units: int = 0) -> Response:
    """A JSON document with the headers of every answer. units: what was charged, in images."""
    answer = json_answer(document, status)
    headers = {"x-fal-request-id": request_id} | ({"x-fal-billable-units": str(units)} if units else {})
    return Response(answer.status, answer.media_type, answer.body, headers)


def output(url: str, name: str, size: tuple[int, int], file_size: int, seed: str) -> dict[str, object]:
    """What a run gives. size: width and height in pixels; file_size: bytes."""
    image = {
        "url": url,
        "content_type": "image/png",
        "file_name": f"{name}.png",
        "file_size": file_size,
        "width": size[0],
        "height": size[1],
    }
    return {"image": image, "seed": int(seed)}


def job_output(job: Job, links: Links) -> dict[str, object]:
    """What a request in the queue gave. Raises what it failed by, GoneError for one that was cancelled or deleted."""
    if error := error_of_job(job):
        raise error
    result = job.result
    if result is None:
        raise GoneError("The result was deleted.")
    size = (result.width, result.height)
    return output(links.url(result.key), public_id(job), size, result.bytes, job.notes[SEED])


def submitted(job: Job) -> dict[str, object]:
    """The answer to a submit."""
    request_id = public_id(job)
    return {"status": "IN_QUEUE", **job_urls(job), "gateway_request_id": request_id, "queue_position": 0}


def status_of(job: Job, *, logs: bool) -> dict[str, object]:
    """Where a request stands. The queue tells no positions, so whoever waits is told to be next.

    A failed or cancelled request is complete, with the reason; clients know no other end.
    """
    logged = _logs(job) if logs else None
    if job.state is JobState.QUEUED:
        return {"status": "IN_QUEUE", **job_urls(job), "queue_position": 0}
    if job.state is JobState.RUNNING:
        return {"status": "IN_PROGRESS", **job_urls(job), "logs": logged}
    document: dict[str, object] = {"status": "COMPLETED", **job_urls(job), "logs": logged, "metrics": _metrics(job)}
    if error := error_of_job(job):
        status, body = problem_document(error)
        detail = body["detail"]
        kind = detail[0]["type"] if isinstance(detail, list) else body.get("error_type", error.code)
        document |= {"error": f"Invalid status code: {status}", "error_type": kind}
    return document


def status_code(job: Job) -> int:
    """The HTTP status of an answer that tells of a request."""
    return ENDED if job.state.is_final else PENDING


def error_of_job(job: Job) -> CutoutError | None:
    """Why a request has no output; None: it has one, or has not ended."""
    if job.state is JobState.CANCELLED:
        return GoneError("The request was cancelled.")
    if job.error is None:
        return None
    error = error_of(job.error.code, job.error.message, job.error.details)
    return ImageUrlFetchFailedError(error.message) if error.code == "not_found" else error


def _metrics(job: Job) -> dict[str, object]:
    stages = job.result.stages_ms if job.result else {}
    return {"inference_time": round(sum(stages.values()) / 1000, 3)} if stages else {}


def _logs(job: Job) -> list[dict[str, object]]:
    """What is known of the way so far."""
    steps = [(job.created_at, "Request was queued."), (job.started_at, f"Attempt {job.attempts} began.")]
    ended = (job.finished_at, f"Request ended: {job.state.value}.")
    return [_log(moment, message) for moment, message in (*steps, ended) if moment]


def _log(moment: datetime, message: str) -> dict[str, object]:
    timestamp = moment.isoformat(timespec="milliseconds")
    return {"message": message, "level": "INFO", "source": "queue", "timestamp": timestamp}
