"""The workers of one function: hands each event to a free one, lets a bounded number wait, replaces the dead."""

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from local.resources import Function
from local.worker import START_TIMEOUT_S, Fault, InitError, Outcome, Worker

logger = logging.getLogger(__name__)

MAX_WAITING = 64
"""Invocations that may wait for a free worker; Lambda would start another environment instead."""
MAX_WAIT_S = 30.0
"""An invocation waits no longer than this; about the integration timeout of a REST API (29 s)."""

DEADLY = frozenset({Fault.EXITED, Fault.TIMED_OUT})
"""Faults after which a worker has to be replaced."""

Start = Callable[[], Coroutine[Any, Any, Worker]]


class BusyError(Exception):
    """All workers are taken and the queue is full, or the wait was too long."""


class WarmUpError(Exception):
    """A worker started, but its first event was not answered well. function: its name; the message has the answer."""

    def __init__(self, function: str, answer: bytes) -> None:
        super().__init__(f"{function} does not answer: {answer.decode()}")
        self.function = function


class Pool:
    """Workers made by ``start``; each slot holds one, or None while its worker is still to be made.

    ready: how many are made before the first event (all, unless said otherwise); the others when there is need of them.
    """

    def __init__(
        self,
        function: Function,
        start: Start,
        size: int,
        *,
        ready: int | None = None,
        warm_event: bytes | None = None,
        max_waiting: int = MAX_WAITING,
        max_wait_s: float = MAX_WAIT_S,
    ) -> None:
        self._function = function
        self._start = start
        self.size = size
        self._ready = size if ready is None else min(ready, size)
        self._warm_event = warm_event
        self._max_waiting = max_waiting
        self._max_wait_s = max_wait_s
        self._free: asyncio.LifoQueue[Worker | None] = asyncio.LifoQueue()  # what is warm comes first
        self._alive: set[Worker] = set()
        self._waiting = 0
        self._stopped = False
        self._renewals: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start the ready workers and show each the warm event. Raises InitError or WarmUpError."""
        started = await asyncio.gather(*(self._new_worker() for _ in range(self._ready)))
        for outcome in await asyncio.gather(*map(self._warm_up, started)):
            if outcome.fault is not None or json.loads(outcome.payload).get("statusCode") != HTTPStatus.OK:
                raise WarmUpError(self._function.name, outcome.payload)
        for worker in [*[None] * (self.size - self._ready), *started]:
            self._free.put_nowait(worker)

    async def invoke(self, payload: bytes, request_id: str) -> Outcome:
        """Run the function on an event (JSON). Raises BusyError."""
        worker = await self._take()
        if worker is not None and not worker.alive:  # ended from outside while it was free
            self._alive.discard(worker)
            await worker.stop()
            worker = None
        try:
            worker = worker or await self._new_worker()
            outcome = await worker.invoke(payload, request_id, self._function.timeout_s)
        except InitError as error:
            self._free.put_nowait(None)
            return Outcome(error.payload, Fault.UNHANDLED)
        except BaseException:
            self._renew(worker)
            raise
        if outcome.fault in DEADLY:
            self._renew(worker)
        else:
            self._free.put_nowait(worker)
        return outcome

    async def stop(self) -> None:
        """Kill every worker. What is being invoked ends with a fault."""
        self._stopped = True
        for task in self._renewals:
            task.cancel()
        await asyncio.gather(*self._renewals, return_exceptions=True)
        await asyncio.gather(*(worker.stop() for worker in self._alive))

    async def _take(self) -> Worker | None:
        if self._free.empty() and self._waiting >= self._max_waiting:
            raise BusyError
        self._waiting += 1
        try:
            async with asyncio.timeout(self._max_wait_s):
                return await self._free.get()
        except TimeoutError as error:
            raise BusyError from error
        finally:
            self._waiting -= 1

    async def _new_worker(self) -> Worker:
        worker = await self._start()
        self._alive.add(worker)
        return worker

    async def _warm_up(self, worker: Worker) -> Outcome:
        if self._warm_event is None:
            return Outcome(b'{"statusCode": 200}')
        return await worker.invoke(self._warm_event, "warm-up", START_TIMEOUT_S)

    def _renew(self, dead: Worker | None) -> None:
        """Fill the slot in the background; where that fails, the next invocation tries again and is told why."""
        if dead is not None:
            self._alive.discard(dead)
        if not self._stopped:
            task = asyncio.create_task(self._fill())
            self._renewals.add(task)
            task.add_done_callback(self._renewals.discard)

    async def _fill(self) -> None:
        worker = None
        try:
            worker = await self._new_worker()
            if (await self._warm_up(worker)).fault in DEADLY:
                self._alive.discard(worker)
                worker = None
        except InitError as error:
            logger.warning("%s", error)  # the traceback is in the function's log
        finally:
            self._free.put_nowait(worker)
