"""The playground in a real browser: from a photo to the pixels of the file that is saved."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import requests
import yaml
from PIL import Image
from playwright.sync_api import Page, Route, expect

from local import ROOT
from tests.browser.conftest import PHOTOS, download, give, open_page, wait_for_result
from tests.support.local_service import Service
from tests.support.node_packages import node

ASTRONAUT = PHOTOS / "astronaut.jpg"
DROP = """
([name, type, bytes]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
  const event = name === "pasted.png"
    ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true })
    : new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
  document.body.dispatchEvent(event);
}
"""
GLASS = """
() => {
  const glass = document.querySelector(".glass");
  const step = (glass.width / glass.getBoundingClientRect().width) * 4;
  const seen = [];
  for (let down = 0; down < 20; down++)
    for (let across = 0; across < 20; across++)
      seen.push(...glass.getContext("2d").getImageData((across + 0.5) * step, (down + 0.5) * step, 1, 1).data);
  return [glass.getBoundingClientRect().width, ...seen];
}
"""


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def small(seed: int, side: int = 48) -> bytes:
    """A small photo: a dark disc on a light ground of its own colour."""
    down, across = np.mgrid[:side, :side]
    picture = np.full((side, side, 3), np.random.default_rng(seed).integers(180, 255, 3), np.uint8)
    picture[(down - side / 2) ** 2 + (across - side / 2) ** 2 < (side / 3) ** 2] = (40, 30, 90)
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def small_file(seed: int, name: str = "photo.png") -> dict[str, object]:
    return {"name": name, "mimeType": "image/png", "buffer": small(seed)}


def sent_fields(page: Page) -> list[dict[str, str]]:
    """The text fields of each POST /v2, from now on."""
    seen: list[dict[str, str]] = []

    def record(route: Route) -> None:
        body = (route.request.post_data_buffer or b"").decode("latin-1")
        parts = body.split("\r\n\r\n")
        names = [part.rpartition('; name="')[2].partition('"')[0] for part in parts[:-1]]
        values = [part.partition("\r\n")[0] for part in parts[1:]]
        seen.append(dict(zip(names, values, strict=True)))
        route.continue_()

    page.route("**/v2", record)
    return seen


def set_option(page: Page, name: str, value: str) -> None:
    """Use the control of an option as a person does."""
    row = page.locator(f'[data-option="{name}"]')
    page.evaluate("(row) => { row.closest('details').open = true; }", row.element_handle())
    if row.locator("select").count():
        row.locator("select").select_option(value)
    elif row.locator("[role=switch]").count():
        row.locator("[role=switch]").set_checked(value == "true")
    elif row.locator("[type=radio]").count():
        row.locator(f'[type=radio][value="{value}"]').check(force=True)
    else:
        field = row.locator("input.mono")
        field.fill(value)
        field.blur()


def test_a_photo_becomes_the_file_that_the_api_itself_gives(playground: Page, service: Service):
    give(playground, ASTRONAUT)
    name, content = download(playground)
    assert name == "astronaut-cutout.png"
    picture = pixels(content)
    assert picture.shape == (512, 512, 4)
    assert picture[20, 20, 3] == 0, "the flag behind her is gone"
    assert (picture[120:150, 210:240, 3] == 255).all(), "her face is there"
    with ASTRONAUT.open("rb") as photo:
        direct = requests.post(f"{service.url}/v2", files={"image_file": photo}, headers={"x-api-key": service.key})
    assert (picture == pixels(direct.content)).all()
    assert "cutout-s" in playground.locator("#facts").inner_text()
    assert "512 \N{MULTIPLICATION SIGN} 512" in playground.locator("#facts").inner_text()


def test_a_sample_works_without_any_other_host(playground: Page):
    playground.get_by_label("Sample: a cat").click()
    name, content = download(playground)
    assert name == "chelsea-cutout.png"
    assert pixels(content).shape == (300, 451, 4)


@pytest.mark.parametrize("name", ["dropped.png", "pasted.png"])
def test_a_photo_can_be_dropped_and_pasted(playground: Page, name: str):
    playground.evaluate(DROP, [name, "image/png", list(small(1))])
    assert download(playground)[0] == f"{name[:-4]}-cutout.png"


def test_a_photo_can_be_taken_by_the_camera(playground: Page):
    playground.get_by_role("button", name="Use camera").click()
    playground.get_by_role("button", name="Take photo").click()
    assert download(playground)[0] == "camera-cutout.png"
    expect(playground.locator("dialog")).to_have_count(0)


def test_a_large_photo_goes_up_by_a_presigned_form(playground: Page, service: Service):
    noise = np.random.default_rng(5).integers(0, 255, (1250, 1250, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG", compress_level=0)
    uploads: list[str] = []
    playground.on("request", lambda request: uploads.append(request.url) if request.method == "POST" else None)
    give(playground, {"name": "large.png", "mimeType": "image/png", "buffer": buffer.getvalue()})
    assert pixels(download(playground)[1]).shape == (1250, 1250, 4)
    assert [url.startswith(service.endpoints["aws"]) for url in uploads] == [False, True, False]


VALUES = {
    "format": "webp", "size": "medium", "bg_color": "tomato", "bg_fit": "fit", "bg_blur": "12", "crop": "true",
    "crop_margin": "5%", "canvas": "120x90", "canvas_fit": "cover", "scale": "70%", "position": "top-left",
    "shadow": "drop", "shadow_opacity": "40", "shadow_blur": "6px", "shadow_offset_x": "-3%", "shadow_offset_y": "4%",
    "shadow_color": "#112233", "stroke_width": "2px", "stroke_color": "gold", "stroke_opacity": "80",
    "stroke_softness": "1px", "despill": "true", "semitransparency": "false", "own_alpha": "discard",
    "roi": "0% 0% 100% 100%",
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


def test_the_mask_is_the_transparency_of_the_result(playground: Page):
    give(playground, ASTRONAUT)
    alpha = pixels(download(playground)[1])[..., 3]
    playground.locator("#views [value=mask]").check(force=True)
    shown = playground.locator("#stage img[alt^='The mask']")
    shown.wait_for()
    assert (pixels(image_of(playground, shown)) == np.dstack([alpha, alpha, alpha, np.full_like(alpha, 255)])).all()


def test_a_mask_of_a_flat_result_is_asked_for(playground: Page):
    give(playground, small_file(6))
    wait_for_result(playground)
    set_option(playground, "format", "jpg")
    expect(playground.locator("#download")).to_have_attribute("download", "photo-cutout.jpg")
    wait_for_result(playground)
    fields = sent_fields(playground)
    playground.locator("#views [value=mask]").check(force=True)
    playground.locator("#stage img[alt^='The mask']").wait_for()
    assert [one["channels"] for one in fields] == ["alpha"]
    assert "format" not in fields[0]


def image_of(page: Page, image: object) -> bytes:
    """The bytes behind an image that is shown, of a blob too."""
    read = "async (image) => [...new Uint8Array(await (await fetch(image.src)).arrayBuffer())]"
    return bytes(page.evaluate(read, image.element_handle()))  # type: ignore[attr-defined]


def test_the_loupe_shows_each_pixel_of_the_result_four_times_as_large(playground: Page):
    give(playground, ASTRONAUT)
    result = pixels(download(playground)[1])
    playground.locator("#views [value=result]").check(force=True)
    playground.get_by_role("button", name="Loupe").click()
    image = playground.locator("#stage img[alt='The result']")
    box = image.bounding_box()
    assert box is not None
    playground.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    width, *values = playground.evaluate(GLASS)
    assert width == 208
    # 52 pixels of the picture, each four wide on the screen; the cross at the middle is left out.
    assert (np.array(values).reshape(20, 20, 4) == result[230:250, 230:250]).all()


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


def test_a_batch_of_fifty_photos_becomes_one_archive(playground: Page):
    names = [f"shoe {index % 40}.png" for index in range(50)]
    give(playground, *[small_file(index, name) for index, name in enumerate(names)])
    playground.get_by_role("button", name="Cut out all 50").click()
    expect(playground.locator("#batch .muted").first).to_have_text("50 of 50 done", timeout=120_000)
    with playground.expect_download() as saving:
        playground.get_by_role("button", name="Download ZIP").click()
    with zipfile.ZipFile(saving.value.path()) as archive:
        assert archive.testzip() is None
        assert len(set(archive.namelist())) == 50
        assert {"shoe 3-cutout.png", "shoe 3-cutout-2.png"} <= set(archive.namelist())
        first = pixels(archive.read("shoe 0-cutout.png"))
    assert first.shape == (48, 48, 4)
    assert first[24, 24, 3] > first[0, 0, 3]


def test_a_batch_says_which_photo_failed_and_waits_when_the_service_is_busy(playground: Page):
    busy = [True]

    def once(route: Route) -> None:
        if busy:
            busy.clear()
            problem = {
                "error": {
                    "code": "rate_limited",
                    "message": "Too many.",
                    "status": 429,
                    "request_id": "req_1",
                    "details": {},
                }
            }
            route.fulfill(
                status=429, body=json.dumps(problem), headers={"retry-after": "1"}, content_type="application/json"
            )
        else:
            route.continue_()

    playground.route("**/v2", once)
    give(
        playground,
        small_file(1, "a.png"),
        small_file(2, "b.png"),
        {"name": "c.txt", "mimeType": "text/plain", "buffer": b"no image"},
    )
    playground.get_by_role("button", name="Cut out all 3").click()
    expect(playground.locator("#batch .muted").first).to_have_text("2 of 3 done, 1 failed")
    expect(playground.locator('.tile[data-state="failed"]')).to_contain_text("This kind of image is not read")


@pytest.mark.parametrize(
    ("file", "words"),
    [({"name": "a.heic", "mimeType": "image/heic", "buffer": b"\0\0\0\x18ftypheic0000heicmif1"}, "HEIC or AVIF"),
     ({"name": "a.jpg", "mimeType": "image/jpeg", "buffer": ASTRONAUT.read_bytes()[:4000]}, "may be damaged")],
)  # fmt: skip
def test_what_is_wrong_with_an_image_is_said_in_words(playground: Page, file, words):
    give(playground, file)
    expect(playground.get_by_role("alert").first).to_contain_text(words)
    expect(playground.locator("#download")).to_have_attribute("aria-disabled", "true")


def test_a_wrong_option_is_explained_and_the_next_right_one_works(playground: Page):
    give(playground, small_file(8))
    wait_for_result(playground)
    set_option(playground, "roi", "nonsense")
    expect(playground.locator("#problem")).to_contain_text("roi must be four lengths")
    expect(playground.locator("#o-roi")).to_have_attribute("aria-invalid", "true")
    set_option(playground, "roi", "0% 0% 50% 100%")
    expect(playground.locator("#problem")).to_be_empty()
    expect(playground.locator("#options [aria-invalid]")).to_have_count(0)
    assert download(playground)[0] == "photo-cutout.png"


def test_a_service_that_cannot_be_reached_is_said_in_words_and_tried_again(playground: Page):
    playground.route("**/v2", lambda route: route.abort())
    give(playground, small_file(9))
    expect(playground.locator("#problem")).to_contain_text("The service cannot be reached")
    playground.unroute("**/v2")
    playground.get_by_role("button", name="Try again").click()
    assert download(playground)[0] == "photo-cutout.png"


def test_a_key_that_does_not_work_leads_to_the_account_page(playground: Page):
    playground.evaluate("sessionStorage.setItem('cutout.key', 'wrong')")
    give(playground, small_file(10))
    expect(playground.locator("#problem")).to_contain_text("This key does not work")
    playground.get_by_role("link", name="Open the account page").click()
    expect(playground.get_by_role("heading", name="Account")).to_be_visible()


def test_the_key_ends_with_the_tab(playground: Page, service: Service):
    assert playground.evaluate("sessionStorage.getItem('cutout.key')") == service.key
    assert service.key not in json.dumps(playground.evaluate("({ ...localStorage, cookie: document.cookie })"))


def test_all_of_it_works_by_the_keyboard(playground: Page):
    playground.get_by_label("Sample: an astronaut").focus()
    playground.keyboard.press("Enter")
    wait_for_result(playground)
    playground.locator("#views input:checked").focus()
    playground.keyboard.press("Tab")
    playground.keyboard.press("Tab")
    assert playground.evaluate("document.activeElement.id") == "loupe"
    playground.keyboard.press("Tab")
    slider = playground.get_by_label("Before and after: how much of the original is seen")
    expect(slider).to_be_focused()
    playground.keyboard.press("Home")
    assert (
        playground.evaluate("getComputedStyle(document.querySelector('.comparison')).getPropertyValue('--split')")
        == "0%"
    )
    reached = []
    for _ in range(3):
        playground.keyboard.press("Tab")
        reached.append(playground.evaluate("document.activeElement.id"))
    assert reached[:2] == ["another", "download"]
    playground.locator("#download").focus()
    with playground.expect_download() as saving:
        playground.keyboard.press("Enter")
    assert saving.value.suggested_filename == "astronaut-cutout.png"
    playground.locator("#views input:checked").focus()
    playground.keyboard.press("ArrowRight")
    expect(playground.locator("#stage img")).to_have_attribute("alt", "The result")


@pytest.mark.parametrize("look", [{"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}])
def test_nothing_is_cut_off_at_the_width_of_a_phone(playground: Page, service: Service, look):
    def overflow() -> int:
        return int(playground.evaluate("document.documentElement.scrollWidth - innerWidth"))

    assert overflow() <= 0
    playground.get_by_label("Sample: a cat").tap()
    wait_for_result(playground)
    for group in playground.locator("#options details").all():
        playground.evaluate("(group) => { group.open = true; }", group.element_handle())
    assert overflow() <= 0
    give(playground, small_file(1), small_file(2))
    assert overflow() <= 0
    for place in ("/#account", "/docs", "/docs?contract=fal"):
        open_page(playground, service.url + place)
        assert overflow() <= 0
