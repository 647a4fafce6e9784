"""What an instance leaves on disk for others to find it: ``<state>/<port>/`` with logs and ``endpoints.json``."""

import fcntl
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local.cloud import LOCAL_ACCOUNT
from local.resources import Queue, Template
from local.template import ACCOUNT, REGION

_BUCKETS = {"uploads_bucket": "CUTOUT_UPLOADS_BUCKET", "results_bucket": "CUTOUT_RESULTS_BUCKET"}


def log_folder(state: Path, port: int) -> Path:
    """The folder of an instance's logs, made where it is missing."""
    folder = state / str(port) / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def last_error(log: Path) -> str:
    """What a function last logged as the cause of an error (in Powertools' JSON lines); empty when it named none."""
    for line in reversed(log.read_text(errors="replace").splitlines()):
        if line.startswith("{") and '"level":"ERROR"' in line:
            entry = json.loads(line)
            cause = str(entry.get("exception") or entry.get("cause") or "")
            if cause:
                return cause.rstrip().rpartition("\n")[2]
    return ""


def variables(template: Template, name: str) -> list[str]:
    """The values that the functions' environments give a variable, without repetition."""
    values = (function.environment.get(name) for function in template.functions.values())
    return sorted({value for value in values if value})


def queue_url(aws: str, queue: Queue) -> str:
    """The URL of a queue in moto's server."""
    return f"{aws}/{ACCOUNT}/{queue.name}"


def endpoints(template: Template, api: str, aws: str) -> dict[str, str]:
    """Where an instance is reached and what it is called; a bucket that no function uses is left out."""
    found = {"api": api, "aws": aws, "region": REGION, "account": LOCAL_ACCOUNT.id}
    for name, variable in _BUCKETS.items():
        for bucket in variables(template, variable):
            found[name] = bucket
    for logical_id, queue in template.queues.items():
        found[re.sub(r"(?<!^)(?=[A-Z])", "_", logical_id).lower()] = queue_url(aws, queue)
    return found


@contextmanager
def announced(state: Path, port: int, content: Mapping[str, str]) -> Iterator[None]:
    """Write ``<state>/<port>/endpoints.json``, and ``<state>/endpoints.json`` unless another live instance owns it.

    Both are gone when the block ends. The owner is who holds the lock, so a killed instance owns nothing.
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
