"""When a request is sent again, and after how long. Pure: time passes elsewhere.

Full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015), unless the service says when.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Union

from cutout_client.errors import TransportError, error_of
from cutout_client.messages import Answer, Flow, Pause, Request

Outcome = Union[Answer, TransportError]

_SERVER_FAULTS = frozenset({500, 502, 503, 504})
_TOO_MANY, _CONFLICT = 429, 409


@dataclass(frozen=True)
class RetryPolicy:
    """How patient a client is.

    Attributes:
        retries: Times that a request is sent again after a fault of the network or the service.
        base_s: Upper bound of the first pause, in seconds; it doubles with each fault.
        max_pause_s: Upper bound of any pause that the service did not ask for, in seconds.
        patience_s: Seconds that all pauses of one request may take together. Pauses that the service asks for
            (429, and 409 while the same request is at work) are bounded by this alone.
        jitter: Gives a number from 0 to 1.
    """

    retries: int = 4
    base_s: float = 0.5
    max_pause_s: float = 20.0
    patience_s: float = 120.0
    jitter: Callable[[], float] = random.random

    def pause_s(self, request: Request, outcome: Outcome, faults: int, waited_s: float) -> float | None:
        """Return the seconds until the request is sent again; None when it is not.

        Args:
            request: What was sent.
            outcome: What came of it.
            faults: Earlier faults of the network or the service.
            waited_s: Seconds of earlier pauses.
        """
        asked = is_told_to_wait(request, outcome)
        if not asked and (faults >= self.retries or not is_worth_repeating(request, outcome)):
            return None
        told = outcome.retry_after_s if isinstance(outcome, Answer) else None
        backoff = min(self.max_pause_s, self.base_s * 2.0 ** min(faults, 30))
        # Where the service says when, jitter only spreads those who were told the same.
        seconds = backoff * self.jitter() if told is None else told + self.base_s * self.jitter()
        return seconds if waited_s + seconds <= self.patience_s else None


def is_told_to_wait(request: Request, outcome: Outcome) -> bool:
    """Whether the service did nothing and asks for the same request a little later."""
    if not isinstance(outcome, Answer):
        return False
    if outcome.status == _CONFLICT and "idempotency-key" in request.headers:
        return outcome.retry_after_s is not None
    return outcome.status == _TOO_MANY


def is_worth_repeating(request: Request, outcome: Outcome) -> bool:
    """Whether another try may end better, and can do no harm."""
    if isinstance(outcome, Answer):
        return request.repeatable and outcome.status in _SERVER_FAULTS
    return request.repeatable or not outcome.may_have_arrived


def send(request: Request, policy: RetryPolicy) -> Flow[Answer]:
    """Send a request until it is answered, within what the policy allows.

    Returns:
        An answer of a status below 400.

    Raises:
        ApiError: The service refused it, or failed until the end.
        TransportError: No whole answer came until the end.
        UnexpectedAnswerError: The answer is none of the API's.
    """
    faults, waited_s = 0, 0.0
    while True:
        outcome = yield request
        assert outcome is not None  # noqa: S101 - a request is never answered by nothing
        if isinstance(outcome, Answer) and outcome.status < 400:  # noqa: PLR2004
            return outcome
        pause_s = policy.pause_s(request, outcome, faults, waited_s)
        if pause_s is None:
            raise outcome if isinstance(outcome, TransportError) else _error(outcome)
        faults += not is_told_to_wait(request, outcome)
        waited_s += pause_s
        yield Pause(pause_s)


def _error(answer: Answer) -> Exception:
    return error_of(answer.status, answer.body, answer.request_id, answer.retry_after_s)
