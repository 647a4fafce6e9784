"""The MCP server, by the SDK's own client: every tool, both transports, both modes, and no path outside."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from PIL import Image

from local import ROOT
from tests.dialects.pictures import astronaut, cat
from tests.support.local_service import Service

COMMAND = "from cutout_client.cli import main; main()"
PATH = os.pathsep.join([str(ROOT / "clients" / "python"), str(ROOT / "layers" / "cutout"), *filter(None, sys.path)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """allowed/ with photos, and secret/ beside it."""
    (tmp_path / "allowed" / "photos").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    (tmp_path / "allowed" / "person.jpg").write_bytes(astronaut(120))
    for number in range(3):
        (tmp_path / "allowed" / "photos" / f"{number}.jpg").write_bytes(cat(60 + number, 40, "JPEG"))
    (tmp_path / "secret" / "plan.jpg").write_bytes(cat(60, 40, "JPEG"))
    return tmp_path


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CUTOUT_")}
    return {**kept, "PYTHONPATH": PATH, "CUTOUT_CONFIG": "/nowhere.toml", **more}


def over_stdio(folder: Path, use: Callable[[Any], Awaitable[None]], *arguments: str, **variables: str) -> None:
    """Start the server as an agent does, and use it."""
    command = ["-c", COMMAND, "mcp", "--allow", str(folder / "allowed"), *arguments]
    parameters = StdioServerParameters(command=sys.executable, args=command, env=environment(**variables))

    async def run() -> None:
        async with Client(parameters) as client:
            await use(client)

    asyncio.run(run())


def value(result: Any) -> dict[str, Any]:
    assert not result.is_error, result.content
    return result.structured_content or json.loads(result.content[0].text)


def test_every_tool_works_in_this_process(folder: Path) -> None:
    async def use(client: Any) -> None:
        listed = (await client.list_tools()).tools
        assert not any("\n  " in tool.description for tool in listed)  # a docstring's indentation is the code's
        tools = {tool.name for tool in listed}
        assert tools == {"remove_background", "make_product_photo", "batch", "account"}
        cutout = value(await client.call_tool("remove_background", {"image": "person.jpg", "output": "person.png"}))
        assert (cutout["width"], cutout["model"]) == (120, "cutout-s")
        product = {"image": "person.jpg", "output": "shop/person.jpg", "width": 300, "height": 200, "shadow": "contact"}
        value(await client.call_tool("make_product_photo", product))
        batch = {"folder": "photos", "output": "out", "format": "webp"}
        assert value(await client.call_tool("batch", batch))["made"] == 3
        assert value(await client.call_tool("batch", batch))["skipped"] == 3
        assert value(await client.call_tool("account", {}))["mode"] == "local"

    over_stdio(folder, use, "--local")
    with Image.open(folder / "allowed" / "person.png") as cutout:
        assert cutout.mode == "RGBA"
    with Image.open(folder / "allowed" / "shop" / "person.jpg") as product:
        assert product.size == (300, 200)
        assert min(product.getpixel((2, 2))) > 250
    assert len(list((folder / "allowed" / "out").glob("*.webp"))) == 3


def test_no_path_leaves_the_allowed_folders(folder: Path) -> None:
    (folder / "allowed" / "link.jpg").symlink_to(folder / "secret" / "plan.jpg")
    (folder / "allowed" / "linked").symlink_to(folder / "secret")
    (folder / "allowed" / "mixed").mkdir()
    (folder / "allowed" / "mixed" / "link.jpg").symlink_to(folder / "secret" / "plan.jpg")
    images = [
        "../secret/plan.jpg",
        str(folder / "secret" / "plan.jpg"),
        "link.jpg",
        "linked/plan.jpg",
        "http://127.0.0.1/x.jpg",
    ]
    outputs = ["../secret/x.png", "linked/x.png", "/etc/x.png"]

    async def use(client: Any) -> None:
        calls = [("remove_background", {"image": image, "output": "x.png"}) for image in images]
        calls += [("remove_background", {"image": "person.jpg", "output": output}) for output in outputs]
        calls += [("remove_background", {"image": "person.jpg", "output": "x.png", "background": images[0]})]
        calls += [("batch", {"folder": each, "output": "x"}) for each in ("../secret", "linked", "mixed")]
        calls += [("batch", {"folder": "photos", "output": "linked"})]
        for name, arguments in calls:
            result = await client.call_tool(name, arguments)
            assert result.is_error, arguments
            words = result.content[0].text
            assert "outside the allowed folders" in words or "URLs are for the service" in words

    over_stdio(folder, use, "--local")
    assert [each.name for each in (folder / "secret").iterdir()] == ["plan.jpg"]
    assert not (folder / "allowed" / "x.png").exists()


def test_errors_are_told_in_words(folder: Path) -> None:
    (folder / "allowed" / "broken.jpg").write_bytes(b"\xff\xd8\xff no")

    async def use(client: Any) -> None:
        for image, words in (("broken.jpg", "invalid_image"), ("nowhere.jpg", "No such file")):
            result = await client.call_tool("remove_background", {"image": image, "output": "x.png"})
            assert result.is_error
            assert words in result.content[0].text

    over_stdio(folder, use, "--local")


def test_over_the_service_and_streamable_http(folder: Path, service: Service) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", COMMAND, "mcp", "--allow", str(folder / "allowed"), "--http", "--port", str(port)]
    variables = environment(CUTOUT_API_KEY=service.key, CUTOUT_BASE_URL=service.url)

    async def use() -> None:
        async with Client(f"http://127.0.0.1:{port}/mcp") as client:
            made = {"image": "person.jpg", "output": "person.webp", "crop": True}
            assert value(await client.call_tool("remove_background", made))["model"] == "cutout-s"
            account = value(await client.call_tool("account", {}))
            assert account["email"] == "local@localhost"
            assert account["usage"]["images"] > 0

    with subprocess.Popen(command, env=variables, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for_port(port)
            asyncio.run(use())
        finally:
            process.terminate()
    assert (folder / "allowed" / "person.webp").read_bytes()[8:12] == b"WEBP"


def wait_for_port(port: int) -> None:
    end_s = time.monotonic() + 60
    while time.monotonic() < end_s:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("the MCP server did not start")
