"""The command line as processes: over the service, interrupted and gone on with, on a terminal, watching a folder."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cutout_client import Cutout
from local import ROOT
from tests.clients.python.hostile import DROPS_AFTER, HALF, TOO_MANY, hostile
from tests.dialects.pictures import cat
from tests.support.local_service import Service

PHOTOS = 7
COMMAND = [sys.executable, "-c", "from cutout_client.cli import main; main()"]
PATH = os.pathsep.join([str(ROOT / "clients" / "python"), str(ROOT / "layers" / "cutout"), *filter(None, sys.path)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with PHOTOS photos in photos/."""
    (tmp_path / "photos").mkdir()
    for number in range(PHOTOS):
        (tmp_path / "photos" / f"{number:02}.jpg").write_bytes(cat(60 + number, 40, "JPEG"))
    return tmp_path


def environment(folder: Path, service: Service | None = None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CUTOUT_")}
    kept |= {"PYTHONPATH": PATH, "CUTOUT_CONFIG": str(folder / "config.toml"), "COLUMNS": "100", "TERM": "xterm"}
    return kept | ({"CUTOUT_API_KEY": service.key, "CUTOUT_BASE_URL": service.url} if service else {})


def cutout(
    folder: Path, *arguments: str, service: Service | None = None, **how: Any
) -> subprocess.CompletedProcess[Any]:
    command = [*COMMAND, *arguments]
    how = {"text": True, **how}
    return subprocess.run(
        command, cwd=folder, env=environment(folder, service), capture_output=True, check=False, timeout=240, **how
    )


def test_a_first_local_run_leaves_its_cutout_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "a.png").write_bytes(cat(60, 40))
    alone = environment(tmp_path) | {"HOME": str(tmp_path / "home"), "CUTOUT_CONFIG": str(tmp_path / "home" / "none")}
    alone.pop("ORT_DISABLE_TELEMETRY", None)  # onnxruntime would note, and report, that it was used
    command = [*COMMAND, "remove", "a.png", "--local"]
    subprocess.run(command, cwd=tmp_path, env=alone, capture_output=True, check=True, timeout=240)
    assert sorted(each.name for each in tmp_path.rglob("*")) == ["a-cutout.png", "a.png", "home"]


@contextmanager
def started(folder: Path, *arguments: str, service: Service | None = None) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*COMMAND, *arguments], cwd=folder, env=environment(folder, service), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def made(folder: Path) -> dict[str, int]:
    """Files that were made, and when."""
    return {each.name: each.stat().st_mtime_ns for each in folder.glob("[!.]*.*")} if folder.exists() else {}


def wait_for(what: Callable[[], object], seconds: float = 120.0) -> None:
    end_s = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end_s, "it did not happen"
        time.sleep(0.02)


def interrupt_after_two(folder: Path, *arguments: str, service: Service | None = None) -> tuple[int, dict[str, int]]:
    with started(folder, "remove", "photos", "-o", "out", *arguments, service=service) as process:
        wait_for(lambda: len(made(folder / "out")) >= 2)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
    return process.returncode, made(folder / "out")


def test_after_ctrl_c_the_same_command_goes_on_where_it_was(folder: Path) -> None:
    code, before = interrupt_after_two(folder, "--local", "-j", "1")
    assert code == 130
    assert 2 <= len(before) < PHOTOS
    assert not list((folder / "out").glob("*.part"))
    done = cutout(folder, "remove", "photos", "-o", "out", "--local", "-j", "1", "--json")
    summary = json.loads(done.stdout.splitlines()[-1])["summary"]
    assert (done.returncode, summary["skipped"], summary["made"]) == (0, len(before), PHOTOS - len(before))
    after = made(folder / "out")
    assert {name: after[name] for name in before} == before, "what was done was not done again"


def test_after_a_kill_nothing_half_made_counts_as_done(folder: Path) -> None:
    with started(folder, "remove", "photos", "-o", "out", "--local", "-j", "2") as process:
        wait_for(lambda: len(made(folder / "out")) >= 2)
        process.kill()
        process.communicate()
    done = cutout(folder, "remove", "photos", "-o", "out", "--local", "--json")
    assert done.returncode == 0
    assert len(made(folder / "out")) == PHOTOS
    assert json.loads(done.stdout.splitlines()[-1])["summary"]["skipped"] >= 1


def test_over_the_service_every_photo_is_charged_once_although_it_was_interrupted(
    folder: Path, service: Service
) -> None:
    with Cutout(service.key, service.url) as client:
        before = client.usage().images
        code, first = interrupt_after_two(folder, "-j", "2", service=service)
        assert (code, len(first) < PHOTOS) == (130, True)
        done = cutout(folder, "remove", "photos", "-o", "out", "-j", "2", service=service)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), "in a pipe it is quiet"
        assert client.usage().images == before + PHOTOS


def test_a_bad_network_costs_nothing_twice(folder: Path, service: Service) -> None:
    with Cutout(service.key, service.url) as client, hostile(service.url, DROPS_AFTER, TOO_MANY, HALF) as proxy:
        before = client.usage().images
        bad = Service(proxy.url, service.key, service.endpoints, service.logs, service.pid)
        done = cutout(folder, "remove", "photos", "-o", "out", service=bad)
        assert (done.returncode, done.stderr) == (0, "")
        assert client.usage().images == before + PHOTOS


def test_mask_first_a_url_and_standard_input_over_the_service(folder: Path, service: Service, file_server) -> None:
    (file_server.folder / "from url.png").write_bytes(cat())
    url = f"{file_server.url}/from%20url.png"
    done = cutout(folder, "remove", url, "photos/00.jpg", "-o", "out", "--mask-first", service=service)
    assert done.returncode == 1, "a URL is fetched by the service, which then has the whole image"
    assert "mask_first needs the image itself" in done.stderr
    assert cutout(folder, "remove", url, "-o", "out", "--crop", service=service).returncode == 0
    assert sorted(made(folder / "out")) == ["00.png", "from_url.png"]
    piped = cutout(folder, "remove", "-", service=service, input=cat(), text=False)
    assert (piped.returncode, piped.stderr) == (0, b"")
    assert piped.stdout.startswith(b"\x89PNG")


def test_what_the_account_refuses_ends_the_run_with_3(folder: Path, service: Service) -> None:
    done = cutout(folder, "remove", "photos", "-o", "out", "--api-key", "wrong", service=service)
    assert done.returncode == 3
    assert "invalid_api_key" in done.stderr
    assert "were not tried" in done.stderr
    nobody = cutout(folder, "account", "--base-url", "http://127.0.0.1:9", service=service)
    assert (nobody.returncode, "no connection to http://127.0.0.1:9" in nobody.stderr) == (3, True)
    assert cutout(folder, "usage", "--base-url", "ftp://x", service=service).returncode == 2


def test_account_usage_keys_and_jobs(folder: Path, service: Service) -> None:
    def run(*arguments: str) -> str:
        done = cutout(folder, *arguments, service=service)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    assert "local@localhost" in run("account")
    assert json.loads(run("account", "--json"))["mode"] == "live"
    assert re.match(r"\d{4}-\d\d: \d+ images", run("usage"))
    key = run("keys", "create", "--label", "cli").strip()
    listed = json.loads(run("keys", "list", "--json"))
    made_key = next(each["fingerprint"] for each in listed if each["label"] == "cli")
    assert cutout(folder, "account", "--api-key", key, service=service).returncode == 0
    successor = run("keys", "rotate", made_key, "--grace", "0").strip()
    assert successor.startswith("ct_live_")
    assert "revoked" in run("keys", "list") or "expired" in run("keys", "list")
    job = run("jobs", "create", "photos/00.jpg", "-O", "size=preview", "-O", "format=webp", "--mask").strip()
    assert run("jobs", "wait", job, "-o", "job.webp") == ""
    assert (folder / "job.webp").read_bytes()[8:12] == b"WEBP"
    assert json.loads(run("jobs", "show", job))["status"] == "succeeded"
    assert job in run("jobs", "list")
    run("jobs", "delete", job)
    assert "deleted_at" in run("jobs", "show", job)
    assert cutout(folder, "jobs", "create", "photos/00.jpg", "-O", "colour=1", service=service).returncode == 2


def test_on_a_terminal_progress_rate_and_a_summary_are_shown(folder: Path) -> None:
    shown = on_a_terminal(folder, "remove", "photos", "-o", "out", "--local", "-j", "1")
    assert f"{PHOTOS} made in" in shown
    assert "/s)" in shown
    assert re.search(rf"\d+/{PHOTOS}", shown)
    again = on_a_terminal(folder, "remove", "photos", "-o", "out", "--local", "-j", "1")
    assert f"0 made, {PHOTOS} were done already" in again
    one = on_a_terminal(folder, "remove", "photos/00.jpg", "--local")
    assert re.search(r"photos/00-cutout.png +\(60 x 40, \d+ kB, \d+\.\d s\)", one)
    assert "a picture does not go to a terminal" in on_a_terminal(folder, "remove", "-", "--local")


def on_a_terminal(folder: Path, *arguments: str) -> str:
    """What a command shows on a terminal of its own."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *arguments], cwd=folder, env=environment(folder), stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        end_s = time.monotonic() + 120
        while time.monotonic() < end_s:
            if not select.select([ours], [], [], 0.5)[0]:
                continue
            try:
                part = os.read(ours, 4096)
            except OSError:  # Linux tells the end of a terminal so
                break
            if not part:
                break
            shown += part
        process.kill()
    os.close(ours)
    return shown.decode()


def test_a_folder_is_watched_until_ctrl_c(folder: Path) -> None:
    with started(folder, "watch", "photos", "-o", "out", "--local", "-j", "1", "--every", "0.1") as process:
        wait_for(lambda: len(made(folder / "out")) == PHOTOS)
        (folder / "photos" / "new.jpg").write_bytes(cat(90, 40, "JPEG"))
        wait_for(lambda: "new.png" in made(folder / "out"))
        first = made(folder / "out")["00.png"]
        (folder / "photos" / "00.jpg").write_bytes(cat(91, 40, "JPEG"))
        wait_for(lambda: made(folder / "out")["00.png"] != first)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "")


def test_serve_starts_the_service_of_this_checkout(folder: Path, tmp_path: Path) -> None:
    copied = dict(environment(folder))
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", "--checkout", str(ROOT)],
        cwd=folder,
        env=copied,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            ready = next(line for line in process.stdout if line.startswith("Ready"))
            url = re.search(r"http://127\.0\.0\.1:\d+", ready)
            assert url is not None
            with Cutout(base_url=url[0]) as client:
                assert client.health()["status"] == "ok"
        finally:
            process.terminate()
            process.communicate(timeout=60)
