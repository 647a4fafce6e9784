"""The playground in a real browser: from a photo to the pixels of the file that is saved."""

import io
import json

import numpy as np
import pytest
import requests
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.actions import (
    ASTRONAUT,
    download,
    give,
    image_of,
    open_page,
    pixels,
    sent_fields,
    set_option,
    small,
    small_file,
    wait_for_result,
)
from tests.support.local_service import Service

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


def test_a_photo_comes_from_an_address(page: Page, service: Service, file_server):
    (file_server.folder / "disc.png").write_bytes(small(7))
    open_page(page, service.url)
    page.get_by_label("Or from an address").fill(f"{file_server.url}/disc.png")
    page.get_by_role("button", name="Fetch").click()
    name, content = download(page)
    assert name.startswith("disc")
    assert pixels(content).shape == (48, 48, 4)


def test_an_address_that_is_not_public_is_refused_in_words(page: Page, service: Service):
    open_page(page, service.url)
    page.get_by_label("Or from an address").fill("http://10.0.0.1/disc.png")
    page.get_by_role("button", name="Fetch").click()
    expect(page.locator("#address-problem")).not_to_be_empty()
    assert page.locator("#playground").get_attribute("data-state") == "start"
