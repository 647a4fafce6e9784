"""A batch of SQS messages, one after another: what is done leaves the queue, what failed comes again.

Source: Lambda developer guide, "Using Lambda with Amazon SQS", reporting batch item failures.
"""

from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from cutout.aws import telemetry, warm


class ComeAgainError(Exception):
    """Puts a message back into its queue, for a reason that is told elsewhere."""


def queue_handler(work: Callable[[SQSRecord], None]) -> telemetry.Handler:
    """The handler of a function that is fed by a queue. work: does what one message asks for, or raises."""

    def one(record: SQSRecord) -> None:
        telemetry.message_received(record.message_id, receives(record))
        try:
            work(record)
        except ComeAgainError:
            raise
        except Exception:
            telemetry.logger.exception("message failed")
            raise

    def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
        return dict(process_partial_response(dict(event), one, processor, context))

    return telemetry.instrumented(handler, tracing=warm.settings().tracing)


def receives(record: SQSRecord) -> int:
    """How often a message came so far, this time included; the queue counts approximately."""
    return int(record.attributes.approximate_receive_count)
