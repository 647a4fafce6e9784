"""Writers of jobs as their owners see them: in answers, lists and webhooks."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from cutout.api.answers import foreground_of, json_answer
from cutout.api.headers import REPLAYED
from cutout.api.request import Request, Response
from cutout.api.uploads import UploadForm
from cutout.imaging.spec import CutoutSpec, Rgba
from cutout.jobs.job import Job
from cutout.jobs.parts import JobOptions, JobResult, JobSource, SourceKind
from cutout.jobs.store import JobPage


@dataclass(frozen=True, slots=True)
class Links:
    """A maker of URLs by which results are read without a key.

    Attributes:
        url: Makes a presigned GET from an object key.
        until: When these URLs expire (UTC).
    """

    url: Callable[[str], str]
    until: datetime


def job_document(job: Job, links: Links, upload: UploadForm | None = None) -> dict[str, object]:
    """Write a job as JSON.

    Args:
        job: The job.
        links: Makes URLs of results.
        upload: The form for the upload of its image.

    Returns:
        The document; parts that the job does not have (``upload``, ``result``, ``error``, ...) are left out.
    """
    document: dict[str, object] = {
        "id": job.id,
        "status": job.state.value,
        "created_at": _time(job.created_at),
        "started_at": _time(job.started_at),
        "finished_at": _time(job.finished_at),
        "expires_at": _time(job.expires_at),
        "attempts": job.attempts,
        "options": _options(job.options),
        "source": _source(job.source),
    }
    if job.webhook_url:
        document["webhook_url"] = job.webhook_url
    if upload:
        document["upload"] = upload.document()
    if job.result:
        document["result"] = _result(job.result, links)
    if job.error:
        error = job.error
        document["error"] = {"code": error.code, "message": error.message, "details": dict(error.details)}
    if job.deleted_at:
        document["deleted_at"] = _time(job.deleted_at)
    return document


def job_answer(job: Job, links: Links, status: int = 200) -> Response:
    """Write a job as a response."""
    return json_answer(job_document(job, links), status)


def accepted_answer(
    job: Job, links: Links, request: Request, upload: UploadForm | None = None, *, repeated: bool = False
) -> Response:
    """Write the response to a request that became a job: 202, with the job's URL in ``Location``.

    Args:
        job: The job.
        links: Makes URLs of results.
        request: The request.
        upload: The form for the upload of the job's image.
        repeated: Whether an earlier, identical request made the job.

    Returns:
        The response.
    """
    answer = json_answer(job_document(job, links, upload), 202)
    location = {"location": f"{request.base_path}/v2/jobs/{job.id}"}
    return replace(answer, headers=location | (REPLAYED if repeated else {}))


def page_answer(page: JobPage, links: Links) -> Response:
    """Write a page of jobs: ``{"jobs": [...], "next_cursor": text or null}``."""
    return json_answer({"jobs": [job_document(job, links) for job in page.jobs], "next_cursor": page.cursor})


def _options(options: JobOptions) -> dict[str, object]:
    """Write the parsed options; those of layout and scene only if they differ from the default."""
    spec = options.spec
    usual: dict[str, object] = {
        "format": spec.format.value,
        "channels": spec.channels.value,
        "size": spec.size.value,
        "crop": spec.crop,
        "bg_color": _color(spec.bg_color),
        "despill": spec.despill,
        "mask": options.mask,
    }
    if options.background_url:
        usual["bg_image_url"] = options.background_url
    if spec.keep_profile:
        usual["profile"] = "keep"
    if spec.keep_metadata:
        usual["metadata"] = "keep_gps" if spec.keep_gps else "keep"
    given, default = asdict(spec), asdict(CutoutSpec())
    renamed = {"keep_profile", "keep_metadata", "keep_gps"}
    return {name: value for name, value in given.items() if value != default[name] and name not in renamed} | usual


def _source(source: JobSource) -> dict[str, object]:
    """Write the source of the image; of objects only the key, which their owner chose."""
    document: dict[str, object] = {"kind": source.kind.value}
    if source.url:
        document["url"] = source.url
    if source.kind is SourceKind.OBJECT:
        document["key"] = source.key
    return document


def result_facts(result: JobResult) -> dict[str, object]:
    """Write the facts of a result: sizes, whether anything was found, the model, and milliseconds by stage."""
    return {
        "media_type": result.media_type,
        "width": result.width,
        "height": result.height,
        "source_width": result.source_width,
        "source_height": result.source_height,
        "frames": result.frames,
        "bytes": result.bytes,
        "foreground": foreground_of(result.foreground),
        "model": result.model,
        "stages_ms": {stage: round(ms, 1) for stage, ms in result.stages_ms.items()},
    }


def _result(result: JobResult, links: Links) -> dict[str, object]:
    document: dict[str, object] = {
        "url": links.url(result.key),
        "url_expires_at": _time(links.until),
        **result_facts(result),
    }
    if result.mask_key:
        document["mask_url"] = links.url(result.mask_key)
    return document


def _color(color: Rgba | None) -> str | None:
    if color is None:
        return None
    return "#" + bytes(color[:3] if color[3] == 255 else color).hex()  # noqa: PLR2004 - opaque


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None
