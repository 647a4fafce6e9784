"""The webhooks' queue: delivers the events of jobs that have ended, again and again until the owner has them."""

import json
import secrets
from datetime import UTC, datetime

from cutout.aws.sqs_events import QueueMessage, RetryLaterError, queue_handler
from cutout.container import container
from cutout.services.webhook_delivery import DeliveryOutcome
from cutout.webhooks import backoff_s


def deliver(message: QueueMessage) -> None:
    """Deliver the event that a message stands for; where that fails for now, let the message come again later."""
    app, job_id = container(), json.loads(message.body)["job_id"]
    if app.webhook_sender.deliver(job_id, datetime.now(UTC)) is DeliveryOutcome.NOT_DELIVERED:
        chance = secrets.randbelow(1_001) / 1_000
        delay_s = backoff_s(message.receives, app.settings.webhook_backoff_s, chance)
        app.webhook_queue.postpone(message.receipt_handle, delay_s)
        raise RetryLaterError


handler = queue_handler(deliver, tracing=container().settings.tracing)
