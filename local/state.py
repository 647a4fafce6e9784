"""Files of an instance in the state folder: ``<state>/<port>/`` with logs and ``endpoints.json``."""

import fcntl
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local.cloud import LOCAL_ACCOUNT
from local.resources import Queue, Template
from local.template import ACCOUNT, REGION

_BUCKET_VARIABLES = {"uploads_bucket": "CUTOUT_UPLOADS_BUCKET", "results_bucket": "CUTOUT_RESULTS_BUCKET"}


def log_folder(state: Path, port: int) -> Path:
    """Return the folder of an instance's logs; it is made where it is missing."""
    folder = state / str(port) / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def last_error(log: Path) -> str:
    """Find the cause of the last error in the log of a function.

    Args:
        log: A file with Powertools' JSON lines among others.

    Returns:
        The last line of the exception; empty when no error names a cause.
    """
    for line in reversed(log.read_text(errors="replace").splitlines()):
        if line.startswith("{") and '"level":"ERROR"' in line:
            entry = json.loads(line)
            cause = str(entry.get("exception") or entry.get("cause") or "")
            if cause:
                return cause.rstrip().rpartition("\n")[2]
    return ""


def environment_values(template: Template, name: str) -> list[str]:
    """Return the different values that the functions' environments give a variable, sorted."""
    values = (function.environment.get(name) for function in template.functions.values())
    return sorted({value for value in values if value})


def queue_url(aws: str, queue: Queue) -> str:
    """Return the URL of a queue in moto's server at ``aws``."""
    return f"{aws}/{ACCOUNT}/{queue.name}"


def endpoints(template: Template, api: str, aws: str) -> dict[str, str]:
    """Describe where an instance is reached.

    Args:
        template: The served template.
        api: URL of the API.
        aws: URL of moto's server.

    Returns:
        The content of ``endpoints.json``; a bucket that no function uses is left out.
    """
    found = {"api": api, "aws": aws, "region": REGION, "account": LOCAL_ACCOUNT.id}
    for name, variable in _BUCKET_VARIABLES.items():
        for bucket in environment_values(template, variable):
            found[name] = bucket
    for logical_id, queue in template.queues.items():
        found[re.sub(r"(?<!^)(?=[A-Z])", "_", logical_id).lower()] = queue_url(aws, queue)
    return found


@contextmanager
def endpoints_file(state: Path, port: int, content: Mapping[str, str]) -> Iterator[None]:
    """Keep ``<state>/<port>/endpoints.json`` while the block lasts.

    ``<state>/endpoints.json`` is written too unless another live instance owns it. The owner is who holds a file lock,
    so an instance that was killed owns nothing.
    """
    text = json.dumps(content, indent=2) + "\n"
    files = [state / str(port) / "endpoints.json"]
    with (state / "owner.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            files.append(state / "endpoints.json")
        for file in files:
            file.write_text(text)
        try:
            yield
        finally:
            for file in files:
                file.unlink(missing_ok=True)
