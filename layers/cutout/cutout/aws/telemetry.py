"""Logs, metrics and traces (Powertools). A request logs a first and a last line; never a key, a body or a URL's query.

The service name and the log level come from Powertools' own environment variables.
"""

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import asdict
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from cutout.accounts import AuditEntry
from cutout.api.request import Body, Request, Response
from cutout.errors import CutoutError
from cutout.ids import AccountId, JobId
from cutout.imaging.spec import CutoutResult
from cutout.jobs.job import Job
from cutout.usage import Charge

Handler = Callable[[Mapping[str, Any], Any], Any]
"""A Lambda handler: event and context to answer."""
NAMESPACE = "Cutout"
"""CloudWatch namespace of every metric."""

logger = Logger(use_rfc3339=True)
metrics = Metrics(namespace=NAMESPACE)


def instrumented(handler: Handler, *, tracing: bool) -> Handler:
    """Wrap a handler with logger, metrics and traces.

    Args:
        handler: The handler.
        tracing: Whether X-Ray segments are written; its SDK adds 0.3 s to every cold start.

    Returns:
        The wrapped handler.
    """
    if tracing:
        handler = Tracer().capture_lambda_handler(handler, capture_response=False)
    measured = metrics.log_metrics(capture_cold_start_metric=True)(handler)
    logged: Handler = logger.inject_lambda_context(clear_state=True)(measured)
    return logged


def request_started(request: Request) -> None:
    """Log a request; every later line of this invocation has the request id."""
    logger.append_keys(request_id=request.request_id)
    logger.info("request", method=request.method, route=request.route)


def request_ended(request: Request, response: Response, elapsed_ms: float) -> None:
    """Log a response, and count the request.

    Args:
        request: The request.
        response: Its response.
        elapsed_ms: Milliseconds between them.
    """
    metrics.add_metric("Requests", MetricUnit.Count, 1)
    metrics.add_metric("RequestTime", MetricUnit.Milliseconds, elapsed_ms)
    logger.info(
        "response",
        method=request.method,
        route=request.route,
        status=response.status,
        bytes_out=len(response.body) if isinstance(response.body, bytes) else None,  # else known when it is sent
        elapsed_ms=round(elapsed_ms, 1),
    )


def sent(response: Response) -> Generator[bytes]:
    """Pass the body of a streamed response on; in the end log and count its bytes, since the handler is over by then.

    A stream that breaks is counted as ``StreamsBroken``, by the reason: ``gone``, the caller took no more of it, or
    ``failed``, the body could not be made.

    Args:
        response: The response.

    Returns:
        The body in pieces, none of them empty; to be read to its end or closed.
    """
    pieces = _sent(response)
    next(pieces)  # what has begun tells its end, even where nobody takes the first piece
    return pieces


def _sent(response: Response) -> Generator[bytes]:
    started, size, broken = time.perf_counter(), 0, ""
    try:
        with closing(_pieces(response.body)) as pieces:
            yield b""
            for piece in filter(None, pieces):
                size += len(piece)
                yield piece
    except GeneratorExit:
        broken = "gone"
        raise
    except BaseException:
        broken = "failed"
        raise
    finally:
        elapsed_ms = (time.perf_counter() - started) * 1000
        metrics.add_metric("StreamedBytes", MetricUnit.Bytes, size)
        metrics.add_metric("StreamTime", MetricUnit.Milliseconds, elapsed_ms)
        metrics.flush_metrics()
        if broken:
            _count("StreamsBroken", "reason", broken)
        level = logger.error if broken == "failed" else logger.info
        level("sent", status=response.status, bytes_out=size, elapsed_ms=round(elapsed_ms, 1), broken=broken or None)


def _pieces(body: Body) -> Generator[bytes]:
    """Make an iterator of any body; to close it closes the body's own."""
    yield from (body,) if isinstance(body, bytes) else body


def request_failed(error: CutoutError, status: int) -> None:
    """Count an error by its code, and log it with its HTTP status and its cause."""
    _count("Errors", "code", error.code)
    cause = f"{type(error.__cause__).__name__}: {error.__cause__}" if error.__cause__ else None
    level = logger.error if status >= 500 else logger.info  # noqa: PLR2004
    level("problem", code=error.code, status=status, details=error.details, cause=cause)


def message_received(message_id: str, receives: int) -> None:
    """Count and log a message; every later line names it, until the next message.

    Args:
        message_id: The message.
        receives: Receipts so far, this one included.
    """
    metrics.add_metric("Messages", MetricUnit.Count, 1)
    logger.remove_keys(["job", "account"])
    logger.append_keys(message=message_id)
    logger.info("message", receives=receives)


def record_ignored(reason: str, facts: Mapping[str, str]) -> None:
    """Log a message, or a record of one, that is ignored."""
    logger.info("ignored", reason=reason, facts=dict(facts))


def job_started(job: Job) -> None:
    """Log the start of an attempt; every later line names the job and its account, until the next attempt."""
    logger.append_keys(job=job.id, account=job.account_id)
    logger.info("job started", source=job.source.kind.value, attempt=job.attempts, faults=job.faults)


def job_finished(job: Job) -> None:
    """Count and log the end of a job."""
    _count("Jobs", "status", job.state.value)
    waited_s = (job.finished_at - job.created_at).total_seconds() if job.finished_at else None
    code = job.error.code if job.error else None
    logger.info("job ended", job=job.id, account=job.account_id, status=job.state.value, code=code, seconds=waited_s)


def job_abandoned(job: Job) -> None:
    """Log an attempt without effect: the owner deleted the job, or it has expired."""
    logger.info("job abandoned", job=job.id)


def job_fault(job: Job, error: Exception) -> None:
    """Count and log an attempt that a fault of the service has ended; the fault is logged with the message."""
    metrics.add_metric("JobFaults", MetricUnit.Count, 1)
    logger.warning("job fault", job=job.id, attempt=job.attempts, fault=type(error).__name__)


def webhook_attempted(job_id: JobId, outcome: str, answer: int | str | None) -> None:
    """Count and log an attempt to deliver a webhook.

    Args:
        job_id: The job.
        outcome: The name of the outcome.
        answer: The receiver's HTTP status, or the reason why there is none.
    """
    _count("Webhooks", "outcome", outcome)
    logger.info("webhook", job=job_id, outcome=outcome, answer=answer)


def caller_identified(account_id: AccountId, fingerprint: str, mode: str) -> None:
    """Add the account, the key's fingerprint and its mode to every later line of this invocation."""
    logger.append_keys(account=account_id, key=fingerprint, mode=mode)


def rate_not_counted(error: Exception) -> None:
    """Count and log a request that was admitted although its rate could not be counted."""
    metrics.add_metric("RateNotCounted", MetricUnit.Count, 1)
    logger.warning("rate not counted", cause=f"{type(error).__name__}: {error}")


def quota_not_checked(error: Exception) -> None:
    """Count and log a request that was admitted although its account's usage could not be read."""
    metrics.add_metric("QuotaNotAsked", MetricUnit.Count, 1)
    logger.warning("quota not asked", cause=f"{type(error).__name__}: {error}")


def audited(entry: AuditEntry) -> None:
    """Log a change to an account or its keys, with the names of the changed fields but not their values."""
    logger.info(
        "audit",
        action=entry.action,
        target_account=entry.account_id,
        target=entry.target,
        actor=entry.actor.name,
        changed=sorted(entry.changes),
    )


def charge_not_counted(charge: Charge, error: CutoutError) -> None:
    """Count and log a charge that could not be counted, with all facts that are needed to count it by hand."""
    metrics.add_metric("ChargesNotCounted", MetricUnit.Count, 1)
    logger.error(
        "charge not counted",
        exc_info=error,
        charge={"id": charge.id, "account": charge.account_id, "at": charge.at.isoformat(), **asdict(charge.usage)},
    )


def job_accepted(job: Job, *, repeated: bool) -> None:
    """Log the job that was made for a request.

    Args:
        job: The job.
        repeated: Whether an earlier, identical request made it.
    """
    logger.info("job ordered", job=job.id, source=job.source.kind.value, status=job.state.value, again=repeated)


def image_made(result: CutoutResult) -> None:
    """Count a cutout and the time of each stage, and log its facts."""
    metrics.add_metric("Images", MetricUnit.Count, 1)
    for stage, ms in result.stages_ms.items():
        metrics.add_metric(f"{stage.capitalize()}Time", MetricUnit.Milliseconds, ms)
    logger.info(
        "image",
        source_px=[result.source_width, result.source_height],
        result_px=[result.width, result.height],
        frames=result.frames,
        model=result.model,
        stages_ms={stage: round(ms, 1) for stage, ms in result.stages_ms.items()},
    )


def _count(name: str, dimension: str, value: str) -> None:
    """Count one event by a dimension of its own; Powertools adds the stack's name as ``service``."""
    with single_metric(name, MetricUnit.Count, 1, namespace=NAMESPACE) as metric:
        metric.add_dimension(dimension, value)
