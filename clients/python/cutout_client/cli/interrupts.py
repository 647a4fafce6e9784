"""Ctrl-C as a flag: work that has begun is finished, and nothing is torn in the middle."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cutout_client.cli.failures import INTERRUPTED

_SLICE_S = 0.2


class Stop:
    """Whether to stop. requested: Ctrl-C was pressed while somebody listened."""

    def __init__(self) -> None:
        """Nobody has asked to stop."""
        self.requested = False

    @contextmanager
    def listening(self) -> Iterator[Stop]:
        """Take note of Ctrl-C instead of raising KeyboardInterrupt; a second one ends the process at once.

        A KeyboardInterrupt that is raised inside a weak reference's callback would be lost. Main thread only.
        """
        before = signal.signal(signal.SIGINT, self._on_interrupt)
        try:
            yield self
        finally:
            signal.signal(signal.SIGINT, before)

    def sleep(self, seconds: float) -> None:
        """Wait; shorter when asked to stop."""
        end_s = time.monotonic() + seconds
        while not self.requested and (left_s := end_s - time.monotonic()) > 0:
            time.sleep(min(_SLICE_S, left_s))

    def _on_interrupt(self, *_: Any) -> None:
        if self.requested:
            os._exit(INTERRUPTED)
        self.requested = True
        if sys.stderr.isatty():
            sys.stderr.write("\nFinishing what is at work; Ctrl-C again ends at once.\n")
