"""Bad requests, each to the running service: the contract's error, flat memory, nobody dies, and the next one works.

The whole table is sent once, in order, by the fixture ``record``; the tests look at what came back.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.conftest import FileServer
from tests.contract.bad import JPEG, MEGABYTE, Case, jobs, pictures, wording
from tests.support import decompression_bombs as bombs
from tests.support.builders import multipart
from tests.support.local_service import Service

pytestmark = pytest.mark.timeout(900)  # the first test waits for the whole table

TIMEOUT_S = 60
"""For each request: a bound on hanging, not a measurement; the contract says 2 s on a machine that is free."""
MEMORY_BYTES = 400 * 2**20
"""What the peak of a worker's memory may rise over that of one good cutout: about the largest body, a few times."""
CASES = [case for module in (wording, pictures, jobs) for case in module.bad.cases]


@dataclass(frozen=True, slots=True)
class Record:
    """What came of sending the table: answers by case, and the workers' peak memory in bytes, by process, around it."""

    answers: Mapping[str, httpx.Response | httpx.HTTPError]
    before: Mapping[int, int]
    after: Mapping[int, int]
    good: httpx.Response


@pytest.fixture(scope="module")
def files(file_server: FileServer) -> FileServer:
    folder = file_server.folder
    (folder / "good.jpg").write_bytes(JPEG)
    (folder / "half.jpg").write_bytes(pictures.TRUNCATED["JPEG"])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "page.html").write_bytes(b"<!doctype html><title>not found</title>")
    (folder / "bomb.png").write_bytes(bombs.png_of_a_gigabyte())
    with (folder / "large.jpg").open("wb") as file:
        file.truncate(31 * MEGABYTE)
    return file_server


@pytest.fixture(scope="module")
def record(service: Service, files: FileServer) -> Record:
    ports = {b"{service}": service.url.rpartition(":")[2].encode(), b"{files}": files.url.rpartition(":")[2].encode()}

    with httpx.Client(base_url=service.url, timeout=TIMEOUT_S) as client:
        for _ in range(2 * (os.cpu_count() or 1)):  # every worker has seen a picture
            good(client, service)
        before = peaks()
        answers = {case.name: ask(client, case, ports) for case in CASES}
        return Record(answers, before, peaks(), good(client, service))


def good(client: httpx.Client, service: Service) -> httpx.Response:
    body, media_type = multipart(files={"image_file": ("photo.jpg", JPEG, "image/jpeg")})
    headers = {"x-api-key": service.key, "content-type": media_type}
    return client.post("/v2", content=body, headers=headers, timeout=60)


def ask(client: httpx.Client, case: Case, ports: Mapping[bytes, bytes]) -> httpx.Response | httpx.HTTPError:
    send = dict(case.send())
    for placeholder, port in ports.items():
        if "URL" in case.name:
            send["content"] = send["content"].replace(placeholder, port)
    if case.key is not None:
        send["headers"] = send.get("headers", {}) | {"x-api-key": case.key}
    try:
        return client.request(case.method, case.path, **send)
    except httpx.HTTPError as error:  # no answer in time, or no whole one: for the case's own test to tell
        return error


def peaks() -> dict[int, int]:
    """Peak resident memory of every process below this one that runs a function, in bytes; Linux only."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
            command = (folder / "cmdline").read_bytes()
        except OSError:  # gone meanwhile
            continue
        if b"runtime.py" in command and descends(int(folder.name)):
            found[int(folder.name)] = int(status["VmHWM"].split()[0]) * 1024
    return found


def descends(process: int) -> bool:
    while process > 1:
        if process == os.getpid():
            return True
        process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    return False


def test_the_table_is_long_enough_and_names_each_case_once():
    assert len({case.name for case in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_request_is_answered_in_the_contract_s_words(record, case):
    answer = record.answers[case.name]

    assert isinstance(answer, httpx.Response), repr(answer)
    assert (answer.status_code, answer.json()["error"]["code"]) == (case.status, case.code), answer.text[:500]
    error = answer.json()["error"]
    assert answer.headers["content-type"] == "application/json"
    assert error.keys() == {"code", "message", "status", "request_id", "details"}
    assert error["status"] == case.status
    assert error["request_id"].startswith("req_")
    assert error["message"]
    assert isinstance(error["details"], dict)
    assert len(answer.content) < 4_096


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_error_tells_neither_keys_nor_insides(record, case):
    answer = record.answers[case.name]

    assert isinstance(answer, httpx.Response), repr(answer)
    for secret in ("local-development-key", "Traceback", ".py", "/var/", "cutout.", "PIL", "numpy", "secret@"):
        assert secret not in answer.text


def test_the_next_good_request_works(record):
    assert (record.good.status_code, record.good.headers["content-type"]) == (200, "image/png")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc, which is Linux's")
def test_no_worker_dies_or_grows(record):
    assert len(record.before) >= 3
    assert record.before.keys() == record.after.keys()
    grown = {process: (record.after[process] - peak) // MEGABYTE for process, peak in record.before.items()}
    assert max(grown.values()) * MEGABYTE < MEMORY_BYTES, grown
