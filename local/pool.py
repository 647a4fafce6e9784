"""The workers of one function: each event goes to a free one, a bounded number waits, dead workers are replaced."""

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from local.resources import Function
from local.streaming import Sink
from local.worker import START_TIMEOUT_S, Fault, InitError, Outcome, Worker

logger = logging.getLogger(__name__)

MAX_WAITING = 64
"""Invocations that may wait for a free worker; Lambda would start another environment instead."""
MAX_WAIT_S = 30.0
"""Longest wait of an invocation; about the integration timeout of a REST API (29 s)."""

FATAL_FAULTS = frozenset({Fault.EXITED, Fault.TIMED_OUT})
"""Faults after which a worker has to be replaced."""

Start = Callable[[], Coroutine[Any, Any, Worker]]


class BusyError(Exception):
    """No worker was free: the queue is full, or the wait was too long."""


class ProbeError(Exception):
    """A worker that started and failed the probe event.

    Attributes:
        function: The name of the function.
    """

    def __init__(self, function: str, response: bytes) -> None:
        super().__init__(f"{function} does not answer: {response.decode()}")
        self.function = function


class Pool:
    """The workers of a function; a slot holds one, or None while its worker is still to be started.

    Args:
        function: Its name and timeout.
        start: Starts a worker.
        size: Number of slots.
        ready: Workers that are started before the first event, the others on demand; None: all.
        probe_event: First event of every worker (JSON), to be answered with status 200; None: there is none.
        max_waiting: Invocations that may wait for a worker.
        max_wait_s: Longest wait in seconds.
    """

    def __init__(
        self,
        function: Function,
        start: Start,
        size: int,
        *,
        ready: int | None = None,
        probe_event: bytes | None = None,
        max_waiting: int = MAX_WAITING,
        max_wait_s: float = MAX_WAIT_S,
    ) -> None:
        self._function = function
        self._start_worker = start
        self.size = size
        self._ready = size if ready is None else min(ready, size)
        self._probe_event = probe_event
        self._max_waiting = max_waiting
        self._max_wait_s = max_wait_s
        self._free: asyncio.LifoQueue[Worker | None] = asyncio.LifoQueue()  # started workers are on top
        self._workers: set[Worker] = set()
        self._waiting = 0
        self._stopped = False
        self._replacements: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start the ready workers and send each the probe event.

        Raises:
            InitError: The handler cannot be imported.
            ProbeError: The probe event was not answered with status 200.
        """
        started = await asyncio.gather(*(self._new_worker() for _ in range(self._ready)))
        for outcome in await asyncio.gather(*map(self._probe, started)):
            if outcome.fault is not None or json.loads(outcome.payload).get("statusCode") != HTTPStatus.OK:
                raise ProbeError(self._function.name, outcome.payload)
        for worker in [*[None] * (self.size - self._ready), *started]:
            self._free.put_nowait(worker)

    async def invoke(self, payload: bytes, request_id: str, sink: Sink | None = None) -> Outcome:
        """Run the function on an event.

        Args:
            payload: The event as JSON.
            request_id: The id that the function finds in its context.
            sink: Takes the pieces of a streamed answer; None: they become the payload of the outcome.

        Raises:
            BusyError: No worker became free.
        """
        worker = await self._acquire()
        if worker is not None and not worker.alive:  # ended from outside while it was free
            self._workers.discard(worker)
            await worker.stop()
            worker = None
        try:
            worker = worker or await self._new_worker()
            outcome = await worker.invoke(payload, request_id, self._function.timeout_s, sink)
        except InitError as error:
            self._free.put_nowait(None)
            return Outcome(error.payload, Fault.UNHANDLED)
        except BaseException:
            self._replace(worker)
            raise
        if outcome.fault in FATAL_FAULTS:
            self._replace(worker)
        else:
            self._free.put_nowait(worker)
        return outcome

    async def stop(self) -> None:
        """Kill every worker; running invocations end with a fault."""
        self._stopped = True
        for task in self._replacements:
            task.cancel()
        await asyncio.gather(*self._replacements, return_exceptions=True)
        await asyncio.gather(*(worker.stop() for worker in self._workers))

    async def _acquire(self) -> Worker | None:
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
        worker = await self._start_worker()
        self._workers.add(worker)
        return worker

    async def _probe(self, worker: Worker) -> Outcome:
        if self._probe_event is None:
            return Outcome(b'{"statusCode": 200}')
        return await worker.invoke(self._probe_event, "probe", START_TIMEOUT_S)

    def _replace(self, dead: Worker | None) -> None:
        """Fill the slot in the background; where that fails, the next invocation tries again and reports the error."""
        if dead is not None:
            self._workers.discard(dead)
        if not self._stopped:
            task = asyncio.create_task(self._start_replacement())
            self._replacements.add(task)
            task.add_done_callback(self._replacements.discard)

    async def _start_replacement(self) -> None:
        worker = None
        try:
            worker = await self._new_worker()
            if (await self._probe(worker)).fault in FATAL_FAULTS:
                self._workers.discard(worker)
                worker = None
        except InitError as error:
            logger.warning("%s", error)  # the traceback is in the function's log
        finally:
            self._free.put_nowait(worker)
