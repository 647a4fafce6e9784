"""The webhooks' queue: tells the owners of jobs that these have ended, again and again until they have heard it."""

import json
import secrets
from datetime import UTC, datetime

from cutout import container as warm
from cutout.aws.sqs import ComeAgainError, Message, queue_handler
from cutout.services.webhook_delivery import Told
from cutout.webhooks import backoff_s


def deliver(message: Message) -> None:
    """Deliver what a message stands for; where that fails for now, have the message come again after a while."""
    job_id = json.loads(message.body)["job_id"]
    if warm.courier().tell(job_id, datetime.now(UTC)) is Told.NOT_DELIVERED:
        chance = secrets.randbelow(1_001) / 1_000
        delay_s = backoff_s(message.receives, warm.settings().webhook_backoff_s, chance)
        warm.webhook_queue().postpone(message.receipt_handle, delay_s)
        raise ComeAgainError


handler = queue_handler(deliver)
