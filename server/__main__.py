"""``python -m server``: the service in a container, until SIGTERM."""

import asyncio
import os
import signal
import sys
import tempfile
from pathlib import Path

from local.intrinsics import TemplateError
from local.service import StartError
from server.configuration import Configuration
from server.service import running_server


def main() -> int:
    """Serve until a signal.

    Returns:
        The exit status: 0 after SIGTERM or SIGINT, 1 with one sentence on stderr otherwise.
    """
    try:
        Path(os.environ.get("TMPDIR") or tempfile.gettempdir()).mkdir(exist_ok=True)
        reason = asyncio.run(_serve(Configuration.from_env()))
    except (OSError, StartError, TemplateError) as error:
        reason = str(error)
    if reason:
        print(f"error: {reason}", file=sys.stderr)
    return 1 if reason else 0


async def _serve(configuration: Configuration) -> str:
    """Serve until something asks for the end; return the reason, which is empty for a signal."""
    reasons: asyncio.Queue[str] = asyncio.Queue()
    signals = 0

    def on_signal() -> None:
        nonlocal signals
        signals += 1
        if signals > 1:  # who asks twice does not want to wait
            os._exit(1)
        reasons.put_nowait("")

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    async with running_server(configuration, reasons.put_nowait) as address:
        print(f"Ready on {address} as {configuration.public_url}", flush=True)
        reason = await reasons.get()
        print("Stopping: work in progress comes to its end", flush=True)
    return reason


if __name__ == "__main__":
    sys.exit(main())
