"""The pool with real processes and toy functions."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from local.cloud import aws_environment
from local.pool import BusyError, Pool, ProbeError
from local.resources import Function
from local.template import load_template
from local.worker import Fault, InitError, Outcome, Worker, worker_environment
from tests.local.instance import wait_until_ended

HERE = Path(__file__).parent
SLEEP = b'{"queryStringParameters": {"how": "sleep"}}'
PATH = b'{"queryStringParameters": {"how": "path"}}'


@pytest.fixture(scope="module")
def echo() -> Function:
    return load_template(HERE / "toy.yaml").functions["Echo"]


@asynccontextmanager
async def pool_of(function: Function, log: Path, size: int = 1, **more) -> AsyncIterator[Pool]:
    environment = worker_environment(function, aws_environment("http://127.0.0.1:1"), {"EXTRA": "yes"})
    with log.open("ab") as file:
        pool = Pool(function, partial(Worker.start, function, environment, file), size, **more)
        try:
            await pool.start()
            yield pool
        finally:
            await pool.stop()


def run(function: Function, log: Path, *payloads: bytes, **more) -> list[Outcome]:
    """Invoke one after another on one worker."""

    async def scenario() -> list[Outcome]:
        async with pool_of(function, log, **more) as pool:
            return [await pool.invoke(payload, f"id-{number}") for number, payload in enumerate(payloads)]

    return asyncio.run(scenario())


def query(how: str) -> bytes:
    return json.dumps({"queryStringParameters": {"how": how}}).encode()


def body(outcome: Outcome) -> dict:
    assert outcome.fault is None, outcome.payload
    return json.loads(json.loads(outcome.payload)["body"])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "function.log"


def test_the_handler_gets_the_event_and_a_context_like_lambdas(echo, log):
    (outcome,) = run(echo, log, b'{"hello": "world"}')
    context = body(outcome)["context"]
    assert body(outcome)["event"] == {"hello": "world"}
    assert context["id"] == "id-0"
    assert context["name"] == "cutout-local-Echo"
    assert context["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:cutout-local-Echo"
    assert context["memory"] == "512"
    assert 0 < context["left_ms"] <= 2000


def test_a_process_has_the_functions_environment_and_nothing_of_the_shell(echo, log, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("SECRET_OF_THE_SHELL", "x")
    environment = body(run(echo, log, b"{}")[0])["env"]
    assert environment["TABLE"] == "cutout-local-Things"
    assert environment["EXTRA"] == "yes"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "cutout-local-Echo"
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert environment["AWS_CONFIG_FILE"] == os.devnull
    assert not environment.keys() & {"AWS_PROFILE", "AWS_LAMBDA_RUNTIME_API", "PYTHONPATH", "SECRET_OF_THE_SHELL"}


def test_a_zip_function_sees_its_folder_and_its_layer_but_not_the_repository(echo, log):
    found = body(run(echo, log, query("path"))[0])
    assert found["path"][:2] == [str(HERE / "echo"), str(HERE / "layer")]
    assert str(HERE.parents[1]) not in found["path"]
    assert found["cwd"] == str(HERE / "echo")


def test_paths_in_the_image_are_found_in_the_functions_folder():
    slow = load_template(HERE / "toy.yaml").functions["Slow"]
    in_image = replace(slow, environment={"MODELS": "/var/task/models", "OTHER": "/var/tasks"})
    environment = worker_environment(in_image, {}, {})
    assert environment["MODELS"] == str(HERE / "models")
    assert environment["OTHER"] == "/var/tasks"


def test_a_worker_serves_event_after_event_in_one_process(echo, log):
    first, second = run(echo, log, PATH, PATH)
    assert body(first)["pid"] == body(second)["pid"]


def test_an_exception_is_lambdas_error_document_and_leaves_the_worker_alive(echo, log):
    before, failed, after = run(echo, log, PATH, query("raise"), PATH)
    error = json.loads(failed.payload)
    assert failed.fault is Fault.UNHANDLED
    assert (error["errorType"], error["errorMessage"], error["requestId"]) == ("ValueError", "no such luck", "id-1")
    assert any("raise ValueError" in line for line in error["stackTrace"])
    assert body(before)["pid"] == body(after)["pid"]


def test_a_response_that_is_not_json_is_an_error(echo, log):
    (failed,) = run(echo, log, query("object"))
    assert failed.fault is Fault.UNHANDLED
    assert json.loads(failed.payload)["errorType"] == "TypeError"


def test_a_process_that_ends_is_replaced(echo, log):
    before, ended, after = run(echo, log, PATH, query("exit"), PATH)
    assert ended.fault is Fault.EXITED
    assert json.loads(ended.payload)["errorType"] == "Runtime.ExitError"
    assert body(before)["pid"] != body(after)["pid"]


def test_a_worker_that_was_killed_while_it_was_free_costs_no_event(echo, log):
    async def scenario() -> tuple[int, Outcome]:
        async with pool_of(echo, log) as pool:
            before = body(await pool.invoke(PATH, "1"))["pid"]
            os.kill(before, signal.SIGKILL)
            await asyncio.to_thread(wait_until_ended, [before])
            return before, await pool.invoke(PATH, "2")

    before, after = asyncio.run(scenario())
    assert body(after)["pid"] != before


def test_workers_beyond_the_ready_ones_are_started_on_demand(tmp_path, log):
    slow = replace(
        load_template(HERE / "toy.yaml").functions["Slow"],
        environment={"CUTOUT_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        timeout_s=30,
    )
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    payload = json.dumps({"queryStringParameters": {"meet": str(meeting)}}).encode()

    async def scenario() -> list[Outcome]:
        async with pool_of(slow, log, size=2, ready=1) as pool:
            alone = [await pool.invoke(b"{}", "1"), await pool.invoke(b"{}", "2")]
            return [*alone, *await asyncio.gather(pool.invoke(payload, "3"), pool.invoke(payload, "4"))]

    first, again, one, other = [body(outcome)["pid"] for outcome in asyncio.run(scenario())]
    assert first == again, "a started worker is used before another is started"
    assert one != other


def test_a_function_that_takes_too_long_is_killed_and_replaced(echo, log):
    limited = replace(echo, timeout_s=1)
    before, late, after = run(limited, log, PATH, SLEEP, PATH)
    assert late.fault is Fault.TIMED_OUT
    assert "Task timed out after 1.00 seconds" in json.loads(late.payload)["errorMessage"]
    assert body(before)["pid"] != body(after)["pid"]
    with pytest.raises(ProcessLookupError):
        os.kill(body(before)["pid"], 0)


def test_what_a_function_prints_goes_to_its_log(echo, log, capfd):
    run(echo, log, query("raise"))
    assert "ValueError: no such luck" in log.read_text()
    assert "REPORT RequestId: id-0" in log.read_text()
    assert capfd.readouterr() == ("", "")


def test_a_module_that_cannot_be_imported_is_reported_with_its_error(echo, log):
    with pytest.raises(InitError, match="No module named 'nothing'"):
        run(replace(echo, module="nothing"), log)


def test_a_replacement_that_cannot_start_reports_the_error_until_it_can(tmp_path, echo, log):
    flag = tmp_path / "flag"
    module = "import os, pathlib\nif pathlib.Path(os.environ['FLAG']).exists(): raise RuntimeError('broken')\n"
    (tmp_path / "app.py").write_text(module + "def handler(event, context):\n    os._exit(1)\n")
    fragile = replace(echo, folder=tmp_path, layers=(), environment={"FLAG": str(flag)})

    async def scenario() -> list[Outcome]:
        async with pool_of(fragile, log) as pool:
            flag.touch()
            outcomes = [await pool.invoke(b"{}", "1"), await pool.invoke(b"{}", "2")]
            flag.unlink()
            return [*outcomes, await pool.invoke(b"{}", "3")]

    ended, broken, again = asyncio.run(scenario())
    assert (ended.fault, again.fault) == (Fault.EXITED, Fault.EXITED)
    assert broken.fault is Fault.UNHANDLED
    assert json.loads(broken.payload)["errorMessage"] == "broken"


def test_two_events_are_served_at_once_by_two_workers(tmp_path, log):
    slow = replace(
        load_template(HERE / "toy.yaml").functions["Slow"],
        environment={"CUTOUT_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        timeout_s=30,
    )
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    payload = json.dumps({"queryStringParameters": {"meet": str(meeting)}}).encode()

    async def scenario() -> list[Outcome]:
        async with pool_of(slow, log, size=2) as pool:
            return await asyncio.gather(pool.invoke(payload, "1"), pool.invoke(payload, "2"))

    one, other = asyncio.run(scenario())
    assert body(one)["pid"] != body(other)["pid"]


def test_an_invocation_beyond_the_waiting_limit_is_refused(echo, log):
    async def scenario() -> None:
        async with pool_of(echo, log, max_waiting=1) as pool:
            running = asyncio.create_task(pool.invoke(SLEEP, "1"))
            await asyncio.sleep(0)
            waiting = asyncio.create_task(pool.invoke(b"{}", "2"))
            await asyncio.sleep(0)
            with pytest.raises(BusyError):
                await pool.invoke(b"{}", "3")
            for task in (running, waiting):
                task.cancel()
            await asyncio.gather(running, waiting, return_exceptions=True)

    asyncio.run(scenario())


def test_an_invocation_that_waits_too_long_is_refused(echo, log):
    async def scenario() -> None:
        async with pool_of(echo, log, max_wait_s=0.05) as pool:
            running = asyncio.create_task(pool.invoke(SLEEP, "1"))
            await asyncio.sleep(0)
            with pytest.raises(BusyError):
                await pool.invoke(b"{}", "2")
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scenario())


def test_a_cancelled_invocation_ends_its_process_and_frees_the_slot(echo, log):
    async def scenario() -> tuple[int, int]:
        async with pool_of(echo, log) as pool:
            before = body(await pool.invoke(PATH, "1"))["pid"]
            running = asyncio.create_task(pool.invoke(SLEEP, "2"))
            await asyncio.sleep(0)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            return before, body(await pool.invoke(PATH, "3"))["pid"]

    before, after = asyncio.run(scenario())
    assert before != after


def test_a_pool_whose_probe_event_fails_does_not_start(echo, log):
    with pytest.raises(ProbeError, match="no such luck"):
        run(echo, log, probe_event=query("raise"))


def test_large_events_and_responses_are_carried_whole(echo, log):
    text = "x" * 20_000_000
    (outcome,) = run(replace(echo, timeout_s=60), log, json.dumps({"text": text}).encode())
    assert body(outcome)["event"]["text"] == text
