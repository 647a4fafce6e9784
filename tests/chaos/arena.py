"""What goes wrong around a running service: workers are killed, messages come twice and in any order."""

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

HELD = 50
"""Messages that a messenger keeps back, to let others overtake them."""


def workers(service_pid: int, function: str) -> list[int]:
    """The processes of a service that run a function; each names it in its command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # gone meanwhile
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == service_pid and function in (folder / "cmdline").read_text():
                found.append(int(folder.name))
    return found


class Killer:
    """Kills a worker of one of the functions, again and again, in the middle of their calls.

    To be told of each call. every: how many calls pass between two deaths, on average. They are counted, and not the
    seconds, so that a slow machine is not a deadlier one.
    """

    def __init__(self, functions: Sequence[str], random: Random, every: float) -> None:
        self.killed = 0
        self.service_pid: int | None = None
        self._functions = functions
        self._random = random
        self._every = every
        self._left = random.expovariate(1 / every)
        self._lock = threading.Lock()

    def on_call(self) -> None:
        with self._lock:
            self._left -= 1
            if self._left > 0 or self.service_pid is None:
                return
            self._left = self._random.expovariate(1 / self._every)
            found = workers(self.service_pid, self._random.choice(self._functions))
            if found:
                with suppress(ProcessLookupError):
                    os.kill(self._random.choice(found), signal.SIGKILL)
                    self.killed += 1


@dataclass
class Messenger:
    """Carries messages from one queue to another: shuffled, some twice, and some given up and put to the dead letters.

    source, target, dead_letters: URLs. twice, given_up: shares.
    """

    sqs: Any
    source: str
    target: str
    dead_letters: str
    random: Random
    twice: float
    given_up: float
    counts: Counter[str] = field(default_factory=Counter)
    held: list[str] = field(default_factory=list)

    def work(self, stop: threading.Event) -> None:
        while not stop.is_set():
            wait_s = 0 if self.held else 1
            answer = self.sqs.receive_message(QueueUrl=self.source, MaxNumberOfMessages=10, WaitTimeSeconds=wait_s)
            messages = answer.get("Messages", [])
            for message in messages:
                self._take(message["Body"])
                self.sqs.delete_message(QueueUrl=self.source, ReceiptHandle=message["ReceiptHandle"])
            self.random.shuffle(self.held)
            while len(self.held) > (HELD if messages else 0):
                self.sqs.send_message(QueueUrl=self.target, MessageBody=self.held[-1])
                self.held.pop()

    def _take(self, body: str) -> None:
        if self.random.random() < self.given_up:
            self.sqs.send_message(QueueUrl=self.dead_letters, MessageBody=body)
            self.counts["given up"] += 1
            return
        copies = 2 if self.random.random() < self.twice else 1
        self.held += [body] * copies
        self.counts["carried"] += 1
        self.counts["repeated"] += copies - 1


@contextmanager
def at_work(messenger: Messenger) -> Iterator[None]:
    """Have the messenger carry while the block lasts."""
    stop = threading.Event()
    thread = threading.Thread(target=messenger.work, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
