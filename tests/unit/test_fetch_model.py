"""The tool against a server on loopback that sends small ONNX files, breaks off, lies or refuses."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest

from cutout.imaging.models.manifest import Model, load_manifest
from cutout.imaging.models.onnx import OnnxSegmenter, self_test
from tests.unit.imaging.onnx_models import row_for, tiny_onnx
from tools.fetch_model import main

pytestmark = pytest.mark.loopback
MODELS = Path(__file__).parents[2] / "models"
ROWS = load_manifest(MODELS).models
PUBLIC = [name for name, row in ROWS.items() if row.url]


@dataclass
class Server:
    """What is served, and how badly; asked: the Range header of each request, None where there was none."""

    data: bytes = b""
    break_after: list[int] = field(default_factory=list)
    refuse: list[int] = field(default_factory=list)
    ranges: bool = True
    asked: list[str | None] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("range")
            state.asked.append(wanted)
            if state.refuse:
                self.send_error(state.refuse.pop(0))
                return
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and state.ranges else 0
            if start >= len(state.data) > 0:
                self.send_response(416)
                self.send_header("content-range", f"bytes */{len(state.data)}")
                self.send_header("content-length", "0")
                self.end_headers()
                return
            self.send_response(206 if wanted and state.ranges else 200)
            if wanted and state.ranges:
                self.send_header("content-range", f"bytes {start}-{len(state.data) - 1}/{len(state.data)}")
            self.send_header("content-length", str(len(state.data) - start))
            self.end_headers()
            rest = state.data[start:]
            self.wfile.write(rest[: state.break_after.pop(0)] if state.break_after else rest)

        def log_message(self, *_: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        state.url = f"http://127.0.0.1:{http.server_port}/model.onnx"
        yield state
        http.shutdown()
        thread.join()


def folder(tmp_path: Path, name: str, data: bytes) -> tuple[Path, Model]:
    """A models folder whose row ``name`` has the checksums of ``data``."""
    old, new = ROWS[name], row_for(ROWS[name], data)
    text = (MODELS / "manifest.toml").read_text()
    head, row = text.split(f"[models.{name}]")
    row = row.replace(old.sha256, new.sha256, 1).replace(
        f"size_bytes = {old.size_bytes}", f"size_bytes = {new.size_bytes}", 1
    )
    if old.md5:
        row = row.replace(old.md5, new.md5, 1)
    (tmp_path / "manifest.toml").write_text(head + f"[models.{name}]" + row)
    return tmp_path / new.file, new


def run(tmp_path: Path, name: str, server: Server | None = None) -> int:
    arguments = [name, "--models-dir", str(tmp_path)]
    return main(arguments + (["--url", server.url] if server else []), first_wait_s=0.01)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_model_of_every_row_is_fetched_checked_and_runs(name: str, tmp_path: Path, server: Server) -> None:
    server.data = tiny_onnx(ROWS[name].size_px, half=name == "ben2")
    path, model = folder(tmp_path, name, server.data)
    assert run(tmp_path, name, server) == 0
    assert path.read_bytes() == server.data
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted([path.name, "manifest.toml"])
    segmenter = OnnxSegmenter(model, path, 1)
    self_test(segmenter)
    assert segmenter.alpha(np.zeros((9, 9, 3), np.uint8)).shape == (model.size_px, model.size_px)


def test_a_file_that_is_there_and_right_is_not_fetched_again(
    tmp_path: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.data = tiny_onnx(320)
    path, _ = folder(tmp_path, "u2netp", server.data)
    path.write_bytes(server.data)
    assert run(tmp_path, "u2netp", server) == 0
    assert server.asked == []
    assert "is there and right" in capsys.readouterr().out


def test_a_file_that_is_there_and_wrong_is_fetched_anew(tmp_path: Path, server: Server) -> None:
    server.data = tiny_onnx(320)
    path, _ = folder(tmp_path, "u2netp", server.data)
    path.write_bytes(server.data[:-1] + b"x")
    assert run(tmp_path, "u2netp", server) == 0
    assert path.read_bytes() == server.data


def test_a_broken_download_goes_on_where_it_broke_off(tmp_path: Path, server: Server) -> None:
    server.data = tiny_onnx(320)
    server.break_after = [100, 50]
    path, _ = folder(tmp_path, "u2netp", server.data)
    assert run(tmp_path, "u2netp", server) == 0
    assert path.read_bytes() == server.data
    assert server.asked == [None, "bytes=100-", "bytes=150-"]


def test_what_an_earlier_run_left_is_used(tmp_path: Path, server: Server) -> None:
    server.data = tiny_onnx(320)
    path, _ = folder(tmp_path, "u2netp", server.data)
    path.with_name(path.name + ".part").write_bytes(server.data[:77])
    assert run(tmp_path, "u2netp", server) == 0
    assert server.asked == ["bytes=77-"]
    assert path.read_bytes() == server.data


def test_a_complete_part_is_only_checked(tmp_path: Path, server: Server) -> None:
    server.data = tiny_onnx(320)
    path, _ = folder(tmp_path, "u2netp", server.data)
    path.with_name(path.name + ".part").write_bytes(server.data)
    assert run(tmp_path, "u2netp", server) == 0
    assert path.read_bytes() == server.data


def test_a_part_longer_than_the_file_is_thrown_away(tmp_path: Path, server: Server) -> None:
    server.data = tiny_onnx(320)
    path, _ = folder(tmp_path, "u2netp", server.data)
    path.with_name(path.name + ".part").write_bytes(server.data + b"more")
    assert run(tmp_path, "u2netp", server) == 0
    assert path.read_bytes() == server.data


def test_a_server_that_ignores_the_range_starts_the_file_over(tmp_path: Path, server: Server) -> None:
    server.data = tiny_onnx(320)
    server.ranges, server.break_after = False, [100]
    path, _ = folder(tmp_path, "u2netp", server.data)
    assert run(tmp_path, "u2netp", server) == 0
    assert path.read_bytes() == server.data
    assert server.asked == [None, "bytes=100-"]


def test_a_wrong_checksum_removes_the_file_and_says_which(
    tmp_path: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    right = tiny_onnx(320)
    path, model = folder(tmp_path, "u2netp", right)
    server.data = right[:-1] + bytes([right[-1] ^ 1])
    assert run(tmp_path, "u2netp", server) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["manifest.toml"]
    message = capsys.readouterr().err
    assert "sha256" in message
    assert model.sha256 in message
    assert "removed" in message
    server.data = right + b"more"
    assert run(tmp_path, "u2netp", server) == 1
    assert f"{len(right) + 4} bytes instead of {len(right)}" in capsys.readouterr().err
    assert not path.exists()


def test_a_missing_file_on_the_server_is_not_asked_for_twice(
    tmp_path: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.refuse = [404]
    path, _ = folder(tmp_path, "u2netp", b"never sent")
    assert run(tmp_path, "u2netp", server) == 1
    assert len(server.asked) == 1
    assert "404" in capsys.readouterr().err
    assert not path.exists()


def test_a_server_in_trouble_is_asked_again_and_given_up_after_five_tries(
    tmp_path: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.data = tiny_onnx(320)
    path, _ = folder(tmp_path, "u2netp", server.data)
    server.refuse = [503, 500]
    assert run(tmp_path, "u2netp", server) == 0
    path.unlink()
    server.asked.clear()
    server.refuse = [503] * 9
    assert run(tmp_path, "u2netp", server) == 1
    assert len(server.asked) == 5
    assert "gave up" in capsys.readouterr().err


def test_nobody_listening_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder(tmp_path, "u2netp", b"x")
    nowhere = Server(url="http://127.0.0.1:1/model.onnx")
    assert run(tmp_path, "u2netp", nowhere) == 1
    assert "gave up" in capsys.readouterr().err


def test_our_own_model_is_only_verified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tiny_onnx(320)
    path, _ = folder(tmp_path, "cutout-s", data)
    assert run(tmp_path, "cutout-s") == 1
    assert "comes with the repository" in capsys.readouterr().err
    path.write_bytes(data)
    assert run(tmp_path, "cutout-s") == 0
    path.write_bytes(data[:-1] + b"?")
    assert run(tmp_path, "cutout-s") == 1
    assert path.exists()


def test_an_unknown_model_is_a_mistake_of_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder(tmp_path, "u2netp", b"x")
    assert run(tmp_path, "u3net") == 2
    assert "u2netp" in capsys.readouterr().err
    assert main(["u2netp", "--models-dir", str(tmp_path / "none")]) == 2


def test_the_model_in_the_repository_is_the_one_of_the_manifest(capsys: pytest.CaptureFixture[str]) -> None:
    if not (MODELS / ROWS["cutout-s"].file).exists():
        pytest.skip("models/cutout-s.onnx is not here")
    assert main(["cutout-s"]) == 0, capsys.readouterr().err
