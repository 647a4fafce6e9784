"""Every option of the API by its control, at once, and as a program."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Page, expect

from local import ROOT
from tests.browser.actions import download, give, pixels, sent_fields, set_option, small, small_file, wait_for_result
from tests.support.local_service import Service
from tests.support.node_packages import node

VALUES = {
    "format": "webp", "size": "medium", "bg_color": "tomato", "bg_fit": "fit", "bg_blur": "12", "crop": "true",
    "crop_margin": "5%", "canvas": "120x90", "canvas_fit": "cover", "scale": "70%", "position": "top-left",
    "shadow": "drop", "shadow_opacity": "40", "shadow_blur": "6px", "shadow_offset_x": "-3%", "shadow_offset_y": "4%",
    "shadow_color": "#112233", "stroke_width": "2px", "stroke_color": "gold", "stroke_opacity": "80",
    "stroke_softness": "1px", "despill": "true", "semitransparency": "false", "own_alpha": "discard",
    "on_empty": "error",
    "roi": "0% 0% 100% 100%", "frames": "all", "depth": "16", "profile": "keep", "metadata": "keep",
}  # fmt: skip
"""A value of each option that is not its default, all of which go together; ``channels`` has a test of its own."""


def test_every_option_of_the_contract_has_a_control_that_reaches_the_api(playground: Page):
    contract = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
    parameters = [parameter["$ref"].rpartition("/")[2] for parameter in contract["paths"]["/v2"]["post"]["parameters"]]
    assert set(parameters) - {"prefer", "idempotencyKey"} == VALUES.keys() | {"channels"}
    give(playground, small_file(2))
    wait_for_result(playground)
    playground.locator("#live").set_checked(False)
    with playground.expect_file_chooser() as choosing:
        playground.get_by_role("button", name="Choose an image").click()
    choosing.value.set_files([small_file(3, "ground.png")])
    for name, value in VALUES.items():
        set_option(playground, name, value)
    fields = sent_fields(playground)
    playground.get_by_role("button", name="Run", exact=True).click()
    name, content = download(playground)
    assert name == "photo-cutout.webp"
    assert pixels(content).shape == (90, 120, 3), "the background fills all of the canvas"
    assert {name: fields[0][name] for name in VALUES} == VALUES
    assert fields[0].keys() - VALUES.keys() == {"image_file", "bg_image_file"}


def test_a_change_of_an_option_shows_at_once_and_the_history_brings_the_former_one_back(playground: Page):
    give(playground, small_file(4))
    first = pixels(download(playground)[1])
    fields = sent_fields(playground)
    set_option(playground, "bg_color", "#ff0000")
    playground.wait_for_selector("#history-items li:nth-child(2)")
    assert tuple(pixels(download(playground)[1])[0, 0][:3]) == (255, 0, 0)
    playground.locator("#history-items button").nth(1).click()
    assert (pixels(download(playground)[1]) == first).all()
    expect(playground.locator("#o-bg_color")).to_have_value("")
    assert len(fields) == 1, "what was made before is not asked for again"


@pytest.mark.parametrize("language", ["curl", "python", "javascript"])
def test_the_request_as_a_program_does_what_the_page_did(playground: Page, tmp_path: Path, service: Service, language):
    name = 'it\'s "mine" & 50%.png'
    give(playground, small_file(7, name))
    wait_for_result(playground)
    set_option(playground, "bg_color", "#00ff0080")
    playground.wait_for_selector("#history-items li:nth-child(2)")
    saved, content = download(playground)
    playground.locator(f"#languages [value={language}]").check(force=True)
    playground.get_by_role("button", name="Copy").click()
    program = playground.evaluate("navigator.clipboard.readText()")
    assert service.key not in program
    (tmp_path / name).write_bytes(small(7))
    (tmp_path / "program.mjs").write_text(program)
    runs = {"curl": ["bash", "-c", program], "python": [sys.executable, "-c", program]}
    command = runs.get(language) or [node(), "program.mjs"]
    environment = {
        "PATH": "/usr/bin:/bin",
        "CUTOUT_KEY": service.key,
        "PYTHONPATH": ":".join(sys.path),
        "NODE_NO_WARNINGS": "1",
    }
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    written = next(path for path in tmp_path.iterdir() if path.name not in {name, "program.mjs"})
    assert written.name.endswith("-cutout.png")
    assert (pixels(written.read_bytes()) == pixels(content)).all()
    assert saved.endswith("-cutout.png")
