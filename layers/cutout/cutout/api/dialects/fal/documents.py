"""The documents of this contract: a run, and a request in the queue, as JSON."""

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
"""The note of a removal request and of its job with the seed, which is returned."""
ENDED: Final = 200
PENDING: Final = 202


def reply(document: dict[str, object], request_id: str, status: int = 200, units: int = 0) -> Response:
    """Write a JSON document with the headers of every answer.

    Args:
        document: The document.
        request_id: The value of ``x-fal-request-id``.
        status: The HTTP status.
        units: The charged images.

    Returns:
        The response.
    """
    answer = json_answer(document, status)
    headers = {"x-fal-request-id": request_id} | ({"x-fal-billable-units": str(units)} if units else {})
    return Response(answer.status, answer.media_type, answer.body, headers)


def output(url: str, name: str, size: tuple[int, int], file_size: int, seed: str) -> dict[str, object]:
    """Write the output of a run.

    Args:
        url: The URL of the result.
        name: The file name without its ending.
        size: Width and height in pixels.
        file_size: Bytes.
        seed: The seed.

    Returns:
        The document.
    """
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
    """Write the output of a request in the queue.

    Args:
        job: Its job, in a final state.
        links: Makes URLs of results.

    Returns:
        The document.

    Raises:
        CutoutError: The error of the job; GoneError if it was cancelled or deleted.
    """
    if error := error_of_job(job):
        raise error
    result = job.result
    if result is None:
        raise GoneError("The result was deleted.")
    size = (result.width, result.height)
    return output(links.url(result.key), public_id(job), size, result.bytes, job.notes[SEED])


def submitted(job: Job) -> dict[str, object]:
    """Write the answer to a submitted request."""
    request_id = public_id(job)
    return {"status": "IN_QUEUE", **job_urls(job), "gateway_request_id": request_id, "queue_position": 0}


def status_document(job: Job, *, logs: bool) -> dict[str, object]:
    """Write the status of a request. The position in the queue is unknown, so it is always reported as 0.

    A failed or cancelled request is reported as completed, with the reason, because clients know no other end.

    Args:
        job: Its job.
        logs: Whether to add the log.

    Returns:
        The document.
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
    """Return the HTTP status of an answer about a request."""
    return ENDED if job.state.is_final else PENDING


def error_of_job(job: Job) -> CutoutError | None:
    """Return the reason why a request has no output; None: it has one, or has not ended."""
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
    """Write the log: one line for each known step."""
    steps = [(job.created_at, "Request was queued."), (job.started_at, f"Attempt {job.attempts} began.")]
    ended = (job.finished_at, f"Request ended: {job.state.value}.")
    return [_log(moment, message) for moment, message in (*steps, ended) if moment]


def _log(moment: datetime, message: str) -> dict[str, object]:
    timestamp = moment.isoformat(timespec="milliseconds")
    return {"message": message, "level": "INFO", "source": "queue", "timestamp": timestamp}
