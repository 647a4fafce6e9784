"""Every block of every guide is run as it stands, or looked at where it needs Docker or a terminal of its own."""

import base64
import json
import re
import socket
import subprocess
import sys
import tomllib
from datetime import UTC, datetime

import httpx
import numpy as np
import pytest

from cutout.webhooks import WebhookEvent, signed_headers
from local import ROOT
from tests.clients.javascript_client import built
from tests.dialects.pictures import opened
from tests.guides.guide import DOCS, GUIDES, MINUTES, RUN, START, WRITTEN, blocks, is_cutout, picture


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_every_block_is_of_a_kind_that_is_tried(guide):
    for block in blocks(guide):
        assert block.language in (WRITTEN if block.title else (*RUN, "console")), (block.language, block.text[:80])


@pytest.mark.parametrize(
    "line", sorted({line for guide in GUIDES if guide != MINUTES for each in blocks(guide) if each.language == "console"
                    for line in each.text.splitlines()})
)  # fmt: skip
def test_what_needs_docker_or_a_terminal_names_what_there_is(line, template):
    if make := re.fullmatch(r"(?:CUTOUT_[A-Z_]+=\S+ )?make ([a-z]+)", line):
        assert re.search(rf"^{make[1]}:.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return
    if build := re.fullmatch(r"docker build --target (\w+) -t cutout \.", line):
        assert f" AS {build[1]}\n" in (ROOT / "Dockerfile").read_text()
        return
    if run := re.fullmatch(r"docker run -p 8585:8585 -v cutout:(/\w+) -e (\w+)=\S+ cutout", line):
        text = (ROOT / "docs/container.md").read_text()
        assert f"`{run[2]}`" in text  # tests/sam/test_server_image.py runs it
        assert f"the volume `{run[1]}`" in text
        return
    invoke = re.fullmatch(r"\.venv-sam/bin/sam local invoke (\w+) -e (\S+)", line)
    assert invoke, line  # tests/sam runs all events in Docker
    assert invoke[1] in template.functions
    assert json.loads((ROOT / invoke[2]).read_text())


def test_the_start(reader):
    assert json.loads(reader.follow(DOCS / "index.md"))["status"] == "ok"


def test_curl(reader):
    reader.follow(START / "curl.md")
    assert is_cutout(picture(reader, "cutout.png"))
    assert picture(reader, "white.jpg").format == "JPEG"
    assert picture(reader, "mask.png").mode == "L"
    assert picture(reader, "mug.webp").size == (120, 120)
    assert picture(reader, "large.png").size == (160, 160)


def test_python(reader):
    assert reader.follow(START / "python.md").startswith("160 160 ")
    assert is_cutout(picture(reader, "cutout.webp"))
    assert picture(reader, "photos/1.png").size == (91, 60)
    assert picture(reader, "cropped.png").height < 160
    assert is_cutout(picture(reader, "local.png"))


def test_javascript(reader):
    (reader.folder / "node_modules").mkdir()
    (reader.folder / "node_modules" / "cutout-client").symlink_to(built())
    assert reader.follow(START / "javascript.md").startswith("160 160 ")
    assert is_cutout(picture(reader, "cutout.webp"))
    assert picture(reader, "photos/1.png").size == (91, 60)
    assert picture(reader, "mask.png").mode == "L"


def test_the_command_line(reader):
    printed = reader.follow(START / "command-line.md")
    assert json.loads(printed.splitlines()[0])["summary"]["skipped"] == 2
    assert is_cutout(picture(reader, "cutout.png"))
    assert picture(reader, "out/1.webp").size == (91, 60)
    assert picture(reader, "white.jpg").size == (800, 800)
    assert picture(reader, "mask.png").mode == "L"
    assert picture(reader, "config.webp").height < 160


def test_the_drop_folder(reader):
    reader.follow(START / "drop-folder.md")
    assert is_cutout(picture(reader, "cutout.webp"))
    assert picture(reader, "mask.png").mode == "L"
    assert json.loads((reader.folder / "result.json").read_text())["status"] == "succeeded"


def test_the_container(reader):
    assert reader.follow(START / "container.md").strip() == "PNG"


def test_product_photos(reader, hooks):
    printed = reader.follow(DOCS / "guides" / "product-photos.md")
    assert "3 jobs" in printed
    assert json.loads((reader.folder / "log.jsonl").read_text().splitlines()[-1])["summary"]["made"] == 2
    assert sum(1 for _ in reader.folder.glob("job_*.webp")) == 3
    assert (reader.folder / "sheet" / "index.html").is_file()


def test_marketplaces(reader):
    reader.follow(DOCS / "guides" / "marketplaces.md")
    asked = {"amazon": ((2000, 2000), 0.85, 255), "ebay": ((1600, 1600), 0.9, 255), "etsy": ((2800, 2100), 0.75, 242)}
    for shop, (size, share, ground) in asked.items():
        for name in (f"{shop}.jpg", f"{shop}-served.jpg"):
            made = picture(reader, name)
            assert (made.format, made.mode, made.size) == ("JPEG", "RGB", size), name
            pixels = np.asarray(made).astype(int)
            assert pixels[:40, :40, 2].min() == pixels[:40, -40:, 2].max() == ground, name
            subject = np.argwhere(np.abs(pixels - pixels[0, 0]).max(axis=-1) > 60)
            taken = (subject.max(axis=0) - subject.min(axis=0) + 1) / (size[1], size[0])
            assert taken.max() == pytest.approx(share, abs=0.04), name
    assert picture(reader, "amazon-curl.jpg").size == (2000, 2000)


def test_webhooks(reader):
    reader.follow(DOCS / "guides" / "webhooks.md")
    secret = (reader.folder / "secret.txt").read_text().strip()
    body = json.dumps({"id": "evt_1", "type": "job.succeeded", "data": {"id": "job_1"}}).encode()
    headers = signed_headers(WebhookEvent("evt_1", body), (secret,), datetime.now(UTC))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    with subprocess.Popen(
        [sys.executable, "receiver.py", port], cwd=reader.folder, env=reader.environment, stdout=subprocess.PIPE
    ) as process:
        sent = [_posted(f"http://127.0.0.1:{port}", sent, headers) for sent in (body, body, body + b" ")]
        process.terminate()
        assert process.stdout is not None
        assert sent == [204, 204, 400]
        assert process.stdout.read().decode().splitlines() == ["job.succeeded job_1"]


def _posted(url: str, body: bytes, headers: dict[str, str]) -> int:
    with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
        return client.post(url, content=body, headers=headers).status_code


def test_moving(reader):
    reader.follow(DOCS / "guides" / "moving.md")
    for vendor in ("ben", "clipdrop", "photoroom", "rembg", "removebg", "slazzer"):
        assert is_cutout(picture(reader, f"{vendor}.png")), vendor
    answers = {name: json.loads((reader.folder / f"{name}.json").read_text()) for name in ("api4ai", "fal", "picsart")}
    entity = answers["api4ai"]["results"][0]["entities"][0]
    assert is_cutout(opened(base64.b64decode(entity["image"])))
    assert answers["fal"]["image"]["url"].startswith("http")
    assert answers["picsart"]["status"] == "success"


def test_memory_and_model(reader):
    printed = reader.follow(DOCS / "guides" / "memory-and-model.md")
    text = (DOCS / "guides" / "memory-and-model.md").read_text()
    told = re.findall(r"^\| (.+?) \| ([\d.]+) s \| ([\d.]+) GB \|", text, re.MULTILINE)
    rows = tomllib.loads((ROOT / "models" / "manifest.toml").read_text())["models"]
    assert {(name.strip("`"), float(cpu), float(gb)) for name, cpu, gb in told} == {
        (name, row["cpu_s"], round(row["peak_mb"] / 1000 + 1e-9, 1)) for name, row in rows.items()
    }
    assert re.search(r"^cutout-s +3008 MB +0\.\d s requests$", printed, re.MULTILINE)
    assert re.search(r"^ben2 .* s\b", printed, re.MULTILINE)


def test_costs(reader):
    printed = reader.follow(DOCS / "guides" / "costs.md")
    assert re.search(r"^cutout-s +0\.090 \$", printed, re.MULTILINE)
    assert "| **together** | **0.090** |" in (DOCS / "capacity.md").read_text()
    assert json.loads(printed[printed.index("{") :])["images"] >= 0
