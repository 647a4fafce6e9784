"""The process behind the functions: moto's server with the template's resources, and a journal of their content.

It prints its URL when everything is restored. Where a change cannot be made durable it ends, and is not answered: what
was acknowledged is in the journal, and the next start goes on from there.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from local.aws_server import make_aws_server, one_at_a_time
from local.cloud import create_cloud
from local.template import load_template
from server.durable import DurableState
from server.journal import Journal, JournalError

SWEEP_S = 600
"""Seconds between two removals of what has expired."""

logger = logging.getLogger(__name__)


def main(folder: str, template_path: str) -> None:
    """Serve until the parent process ends.

    Args:
        folder: Where the journal is.
        template_path: The SAM template with tables, queues and buckets.
    """
    os.umask(0o077)  # accounts and pictures are nobody else's
    template = load_template(Path(template_path))
    try:
        state = DurableState(Journal(Path(folder)), template.buckets)
    except JournalError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    server = make_aws_server(record=_or_end(state.record))
    url = f"http://{server.host}:{server.port}"
    threading.Thread(target=server.serve_forever, name="moto", daemon=True).start()
    create_cloud(template, url)
    with one_at_a_time:
        state.restore()
        state.expire(datetime.now(UTC))
    print(url, flush=True)
    while True:
        time.sleep(SWEEP_S)
        with one_at_a_time:
            _or_end(state.expire)(datetime.now(UTC))


def _or_end(change: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function that ends this process where the given one raises: memory and journal would differ from then."""

    def changed(*arguments: Any) -> Any:
        try:
            return change(*arguments)
        except Exception:
            logger.exception("a change could not be made durable")
            _end()

    return changed


def _end() -> NoReturn:
    os._exit(1)  # from any thread, and before the request is answered


if __name__ == "__main__":
    main(*sys.argv[1:])
