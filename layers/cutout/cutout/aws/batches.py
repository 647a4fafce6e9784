"""A batch of SQS messages, one after another: what is done leaves the queue, what failed comes again.

Source: Lambda developer guide, "Using Lambda with Amazon SQS", reporting batch item failures.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from cutout.aws import telemetry, warm


@dataclass(frozen=True, slots=True)
class Message:
    """What a queue gave us. receipt_handle: names this receipt of it."""

    body: str
    receipt_handle: str
    receives: int
    """How often it came so far, this time included; the queue counts approximately."""
    time_left: Callable[[], float]
    """Seconds until this process may be killed, as of the call."""


class ComeAgainError(Exception):
    """Puts a message back into its queue, for a reason that is told elsewhere."""


def queue_handler(work: Callable[[Message], None]) -> telemetry.Handler:
    """The handler of a function that is fed by a queue. work: does what one message asks for, or raises."""

    def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        def time_left() -> float:
            return float(context.get_remaining_time_in_millis() / 1000)

        def one(record: SQSRecord) -> None:
            receives = int(record.attributes.approximate_receive_count)
            telemetry.message_received(record.message_id, receives)
            try:
                work(Message(record.body, record.receipt_handle, receives, time_left))
            except ComeAgainError:
                raise
            except Exception:
                telemetry.logger.exception("message failed")
                raise

        processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
        return dict(process_partial_response(dict(event), one, processor, context))

    return telemetry.instrumented(handler, tracing=warm.settings().tracing)
