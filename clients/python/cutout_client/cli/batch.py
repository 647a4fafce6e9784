"""Many images, several at a time: what is done is skipped, Ctrl-C ends it in good order."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Optional

from cutout_client.cli.done_log import DoneLog
from cutout_client.cli.engines import RemovalEngine
from cutout_client.cli.failures import INTERRUPTED
from cutout_client.cli.interrupts import Stop
from cutout_client.cli.sources import Item
from cutout_client.errors import (
    AccountSuspendedError,
    ApiError,
    ConnectionFailedError,
    CutoutError,
    ForbiddenError,
    InvalidApiKeyError,
    InvalidOptionError,
    MissingApiKeyError,
    QuotaExceededError,
)
from cutout_client.results import Result

MADE, SKIPPED, FAILED = "made", "skipped", "failed"
FAILURES = (CutoutError, OSError, TypeError, ValueError)
"""What one image may raise."""
_HOPELESS = (AccountSuspendedError, ForbiddenError, InvalidApiKeyError, MissingApiKeyError, QuotaExceededError)
"""Refusals that every further image would get too."""
_LOOK_S = 0.2


@dataclass(frozen=True)
class Outcome:
    """What came of one image."""

    item: Item
    status: str
    result: Optional[Result] = None
    error: Optional[Exception] = None
    seconds: float = 0.0

    @property
    def code(self) -> str:
        """Error code; empty when there is no error."""
        if self.error is None:
            return ""
        return self.error.code if isinstance(self.error, ApiError) else type(self.error).__name__

    @property
    def is_hopeless(self) -> bool:
        """Whether every further image would fail like this one."""
        unreachable = isinstance(self.error, ConnectionFailedError) and not self.error.may_have_arrived
        return unreachable or isinstance(self.error, _HOPELESS)


@dataclass
class Summary:
    """What came of all."""

    made: int = 0
    skipped: int = 0
    failed: int = 0
    seconds: float = 0.0
    interrupted: bool = False
    hopeless: Optional[Exception] = None
    left: int = 0
    model: str = ""
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0: all is done; 1: some images failed; 2: a wrong option; 3: all work is refused; 130: Ctrl-C."""
        if self.interrupted:
            return INTERRUPTED
        if self.hopeless is not None:
            return 2 if isinstance(self.hopeless, InvalidOptionError) else 3
        return 1 if self.failed else 0

    def add(self, outcome: Outcome) -> None:
        """Count one outcome."""
        setattr(self, outcome.status, getattr(self, outcome.status) + 1)
        if outcome.result is not None:
            self.model = outcome.result.model or self.model
        if outcome.error is not None:
            self.counts[outcome.code] = self.counts.get(outcome.code, 0) + 1
        wrong_from_the_start = isinstance(outcome.error, InvalidOptionError) and not self.made
        if outcome.is_hopeless or wrong_from_the_start:
            self.hopeless = outcome.error


def run_batch(
    items: Sequence[Item],
    engine: RemovalEngine,
    tell: Callable[[Outcome], object],
    *,
    stop: Optional[Stop] = None,
    log: Optional[DoneLog] = None,
) -> Summary:
    """Work on all items.

    Args:
        items: Images and what is made of each.
        engine: Does the work.
        tell: Called for each outcome, in this thread.
        stop: Ends the run when it is requested: what is at work is finished. None: nothing does.
        log: What is done already, and is noted; None: everything is made anew and nothing is noted.

    Returns:
        What came of it.
    """
    summary, begun_s = Summary(), time.monotonic()
    todo = iter(items)
    running: set[Future[Outcome]] = set()
    stop = stop or Stop()
    with ThreadPoolExecutor(engine.jobs, thread_name_prefix="cutout") as pool:
        exhausted = False
        while running or not exhausted:
            while not exhausted and len(running) < engine.jobs:
                is_over = stop.requested or summary.hopeless is not None
                item = None if is_over else next(todo, None)
                if item is None:
                    exhausted = True
                elif log is not None and log.is_done(item):
                    _count(summary, Outcome(item, SKIPPED), tell)
                else:
                    running.add(pool.submit(_make, item, engine, log))
            done, running = wait(running, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
            for each in done:
                _count(summary, each.result(), tell)
    summary.interrupted = stop.requested
    summary.left = len(items) - summary.made - summary.skipped - summary.failed
    summary.seconds = time.monotonic() - begun_s
    return summary


def _count(summary: Summary, outcome: Outcome, tell: Callable[[Outcome], object]) -> None:
    summary.add(outcome)
    tell(outcome)


def _make(item: Item, engine: RemovalEngine, log: Optional[DoneLog]) -> Outcome:
    begun_s = time.monotonic()
    try:
        result = engine.remove(item.source)
        item.target.parent.mkdir(parents=True, exist_ok=True)
        result.save(item.target)
        if log is not None:
            log.note(item)
    except FAILURES as error:
        return Outcome(item, FAILED, error=error, seconds=time.monotonic() - begun_s)
    return Outcome(item, MADE, result, seconds=time.monotonic() - begun_s)
