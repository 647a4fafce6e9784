"""The image's entry, in a process of its own, against a runtime API that takes nothing but the protocol."""

import hashlib
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import ROOT
from tests.runtime import toy
from tests.runtime.runtime_api import Reply, RuntimeApi, runtime_api

INVOCATIONS = 1_000
LARGEST = 200 * 1024 * 1024
"""Lambda's quota of a streamed answer."""


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RuntimeApi]:
    """The runtime API with the toy behind it, which is still there in the end."""
    with runtime_api() as api, (tmp_path / "log").open("wb") as log:
        process = start(api, "tests.runtime.toy.handler", log)
        try:
            yield api
            assert process.poll() is None, (tmp_path / "log").read_text()[-2000:]
            assert api.violations == []
        finally:
            process.kill()
            process.wait()


def start(api: RuntimeApi, handler: str, log: object) -> subprocess.Popen:
    path = os.pathsep.join([str(ROOT / "layers/cutout"), str(ROOT)])
    environment = {**os.environ, "AWS_LAMBDA_RUNTIME_API": api.address, "PYTHONPATH": path}
    command = [sys.executable, "-m", "cutout.aws.runtime", handler]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)


def log_lines(folder: Path) -> list[dict[str, Any]]:
    """What the process has logged, and its metrics."""
    return [json.loads(line) for line in (folder / "log").read_text().splitlines() if line.startswith("{")]


def digest(seed: int, size: int) -> str:
    whole = hashlib.sha256()
    for piece in toy.pieces(seed, size):
        whole.update(piece)
    return whole.hexdigest()


def check_stream(reply: Reply, seed: int, size: int) -> None:
    assert (reply.mode, reply.head) == ("streaming", {"statusCode": 200, "multiValueHeaders": {"x-seed": [str(seed)]}})
    assert (reply.size, reply.digest) == (size, digest(seed, size))


def run(api: RuntimeApi, kind: str, seed: int, size: int) -> None:
    """Make one invocation and check all that came of it."""
    event = {"kind": kind, "seed": seed, "size": size}
    if kind == "buffered":
        reply = api.invoke(event)
        assert (reply.mode, reply.content_type) == ("buffered", "application/json")
        assert json.loads(reply.body) == {"statusCode": 200, "body": "x" * size}
    elif kind == "stream":
        reply = api.invoke(event)
        check_stream(reply, seed, size)
        assert reply.error is None
        assert reply.chunks == 1 + -(-size // toy.PIECE)
    elif kind == "error":
        reply = api.invoke(event)
        assert (reply.mode, reply.error["errorType"]) == ("error", "LookupError")
    elif kind == "breaks":
        reply = api.invoke({**event, "kind": "stream", "breaks": True})
        check_stream(reply, seed, size)
        assert (reply.error_type, reply.error["errorType"]) == ("Function.ZeroDivisionError", "ZeroDivisionError")
        assert reply.error["errorMessage"] == "ünterwegs\r\nX-Injected: 1"
    elif kind == "gone":
        reply = api.invoke({**event, "kind": "stream"}, hang_up_after=size // 3)
        assert reply.broken
    else:
        reply = api.invoke({"Records": [{"body": kind}]})
        assert json.loads(reply.body) == {"echo": {"Records": [{"body": kind}]}}


def mixed() -> list[tuple[str, int, int]]:
    """A thousand invocations, by a fixed seed; sizes spread evenly over the orders of magnitude."""
    chance = random.Random(16)
    kinds = ["buffered", "stream", "stream", "stream", "error", "breaks", "gone", "echo"]
    made = []
    for seed in range(INVOCATIONS - 4):
        kind = chance.choice(kinds)
        size = int(2 ** chance.uniform(0, 18))
        made.append((kind, seed, size + 48 * toy.PIECE if kind == "gone" else size))
    large = [("stream", 1, LARGEST), ("stream", 2, 20_000_001), ("breaks", 3, 20_000_000), ("buffered", 4, 5_000_000)]
    made += large
    chance.shuffle(made)
    return made


def test_a_thousand_mixed_invocations_are_answered_by_one_process(api: RuntimeApi, tmp_path: Path) -> None:
    invocations = mixed()
    for each in invocations:
        run(api, *each)
    state = json.loads(api.invoke({"kind": "state"}).body)
    assert state["left"] == sum(kind == "gone" for kind, _, _ in invocations)
    assert len(api.next_connections) == 1, "events are awaited on one connection that is kept"
    assert state["peak_kb"] < 150_000, "200 MB went through, and were never there as a whole"
    counted = Counter(line["reason"] for line in log_lines(tmp_path) if "StreamsBroken" in line)
    kinds = Counter(kind for kind, _, _ in invocations)
    assert counted == {"gone": kinds["gone"], "failed": kinds["breaks"]}
    sent = [line for line in log_lines(tmp_path) if line.get("message") == "sent"]
    assert Counter(line.get("broken") for line in sent) == {**counted, None: kinds["stream"]}
    whole = sum(line["bytes_out"] for line in sent if "broken" not in line)
    assert whole == sum(size for kind, _, size in invocations if kind == "stream")


def test_an_answer_of_which_nothing_is_taken_is_a_broken_stream(api: RuntimeApi, tmp_path: Path) -> None:
    reply = api.invoke({"kind": "stream", "seed": 1, "size": 64 * toy.PIECE}, hang_up_after=-1)
    assert reply.broken
    run(api, "echo", 0, 0)
    (line,) = [line for line in log_lines(tmp_path) if line.get("message") == "sent"]
    assert (line["broken"], line["level"]) == ("gone", "INFO")
    assert line["bytes_out"] < 64 * toy.PIECE


@pytest.mark.parametrize("size", [0, 1, toy.PIECE - 1, toy.PIECE, toy.PIECE + 1])
def test_a_stream_of_any_size_arrives_whole(api: RuntimeApi, size: int) -> None:
    run(api, "stream", 7, size)


@pytest.mark.parametrize("deadline_s", [3, 29, 900])
def test_a_handler_knows_how_much_time_is_left(api: RuntimeApi, deadline_s: float) -> None:
    state = json.loads(api.invoke({"kind": "state"}, deadline_s=deadline_s).body)
    assert (deadline_s - 3) * 1000 < state["remaining_ms"] <= deadline_s * 1000


def test_a_buffered_answer_that_is_too_large_ends_the_process_as_awslambdaric_does(tmp_path: Path) -> None:
    with runtime_api() as api, (tmp_path / "log").open("wb") as log:
        process = start(api, "tests.runtime.toy.handler", log)
        api.invoke({"kind": "buffered", "size": 7_000_000})
        assert process.wait(30) != 0


def test_a_module_that_cannot_be_imported_is_an_init_error(tmp_path: Path) -> None:
    with runtime_api() as api, (tmp_path / "log").open("wb") as log:
        process = start(api, "tests.runtime.missing.handler", log)
        assert process.wait(30) != 0
        ((kind, document),) = api.init_errors
        assert kind == document["errorType"] == "Runtime.ImportModuleError"
