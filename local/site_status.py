"""The page's status document, of what passes: in the cloud the canary writes it (``operations/canary.py``)."""

import json
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

KEPT: Final = 576
"""Checks that are kept: two every five minutes for a day, as the canary's."""
_SERVICE_FAULT: Final = 500

Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class StatusLog:
    """The latest removals: when they came, whether the service was at fault, and how long they took."""

    def __init__(self) -> None:
        self._checks: deque[dict[str, object]] = deque(maxlen=KEPT)

    def watching(self, send: Send) -> Send:
        """Wrap the ``send`` of a request to ``POST /v2`` (ASGI 3), so that its answer is noted.

        Args:
            send: The server's.

        Returns:
            What the application gets in its place.
        """
        started = time.perf_counter()

        async def noted(message: Mapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self._note(message["status"], (time.perf_counter() - started) * 1000)
            await send(message)

        return noted

    def document(self) -> bytes:
        """Write the document: JSON, the oldest check first."""
        return json.dumps({"source": "requests", "updated_at": _now(), "checks": list(self._checks)}).encode()

    def _note(self, status: int, elapsed_ms: float) -> None:
        fine = status < _SERVICE_FAULT
        self._checks.append({"at": _now(), "way": "direct", "ok": fine, "ms": round(elapsed_ms, 1)})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
