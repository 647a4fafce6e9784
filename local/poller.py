"""Feeds a queue to a function, as Lambda's event source mapping does.

Messages that the function did not report as failed are deleted. The others stay: the queue returns them when their
visibility timeout is over, and moves them to the dead-letter queue after enough receives. The poller does not end
because a function, a worker or the queue's server fails.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from local.pool import BusyError
from local.sqs_events import Message, failed_ids, sqs_event
from local.worker import Outcome

logger = logging.getLogger(__name__)

WAIT_S = 1
"""Seconds for which one ReceiveMessage waits; the service takes no longer than this to stop."""
MAX_PAUSE_S = 5.0
DELETE_ATTEMPTS = 3
MAX_RECEIVED = 10
"""Messages of one ReceiveMessage (SQS quota)."""

Invoke = Callable[[bytes, str], Awaitable[Outcome]]
"""Runs the function on an event (JSON) under a request id. Raises BusyError."""
T = TypeVar("T")


class Poller:
    """One event source mapping.

    Args:
        sqs: An SQS client without retries of its own: the poller retries.
        queue_url: The queue.
        queue_arn: Its ARN, for the events.
        invoke: Runs the function.
        batch_size: Most messages of one event; more than ``MAX_RECEIVED`` count as that.
        concurrency: Most events at one time.
        partial: Whether the function's response names the messages that failed.
    """

    def __init__(
        self,
        sqs: Any,
        queue_url: str,
        queue_arn: str,
        invoke: Invoke,
        *,
        batch_size: int,
        concurrency: int,
        partial: bool,
    ) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._queue_arn = queue_arn
        self._invoke = invoke
        self._batch_size = min(batch_size, MAX_RECEIVED)
        self._partial = partial
        self._slots = asyncio.Semaphore(concurrency)
        self._threads = ThreadPoolExecutor(concurrency + 1, "poller")  # one that receives, the others delete
        self._pause_s = 0.0
        self._stopping = False

    def stop(self) -> None:
        """Receive no more; :meth:`run` ends when the batches in progress have."""
        self._stopping = True

    async def run(self) -> None:
        """Feed until stopped, or cancelled: then what is in progress is abandoned, and its messages return."""
        try:
            async with asyncio.TaskGroup() as batches:
                while not self._stopping:
                    await self._slots.acquire()
                    messages = await self._receive()
                    if messages:
                        batches.create_task(self._feed(messages))
                    else:
                        self._slots.release()
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _receive(self) -> list[Message]:
        """Receive the next messages: none after ``WAIT_S`` without one, or when the queue cannot be reached."""
        try:
            response = await self._call(
                self._sqs.receive_message,
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=self._batch_size,
                WaitTimeSeconds=WAIT_S,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        except (BotoCoreError, ClientError) as error:
            if not self._pause_s:
                logger.warning("%s cannot be reached: %s", self._queue_arn, error)
            self._pause_s = min(MAX_PAUSE_S, 2 * self._pause_s or 0.1)
            await asyncio.sleep(self._pause_s)
            return []
        self._pause_s = 0.0
        messages: list[Message] = response.get("Messages", [])
        return messages

    async def _feed(self, messages: Sequence[Message]) -> None:
        try:
            processed = await self._process(messages)
            if processed:
                await self._delete(processed)
        finally:
            self._slots.release()

    async def _process(self, messages: Sequence[Message]) -> list[Message]:
        """Invoke the function and return the messages that did not fail."""
        ids = {message["MessageId"] for message in messages}
        payload = json.dumps(sqs_event(messages, self._queue_arn)).encode()
        try:
            outcome = await self._invoke(payload, str(uuid4()))
        except BusyError:
            logger.warning("%s: no worker was free for %d message(s)", self._queue_arn, len(ids))
            return []
        failed = ids if outcome.fault else failed_ids(outcome.payload, ids) if self._partial else set()
        if failed:
            cause = outcome.fault.value if outcome.fault else "reported by the function"
            logger.warning("%s: %d of %d message(s) failed: %s", self._queue_arn, len(failed), len(ids), cause)
        return [message for message in messages if message["MessageId"] not in failed]

    async def _delete(self, messages: Sequence[Message]) -> None:
        """Delete messages; the queue returns those that cannot be deleted."""
        entries = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]} for number, message in enumerate(messages)
        ]
        for attempt in range(DELETE_ATTEMPTS):
            try:
                await self._call(self._sqs.delete_message_batch, QueueUrl=self._queue_url, Entries=entries)
            except (BotoCoreError, ClientError) as error:
                logger.warning("%s: %d message(s) not deleted: %s", self._queue_arn, len(entries), error)
                await asyncio.sleep(0.1 * 2**attempt)
            else:
                return

    async def _call(self, operation: Callable[..., T], **arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(operation, **arguments))
