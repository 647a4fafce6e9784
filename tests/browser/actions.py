"""What a person does on the page, and what is looked at afterwards."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page, Route

from local import ROOT

PHOTOS = ROOT / "docs" / "images"
ASTRONAUT = PHOTOS / "astronaut.jpg"


def open_page(page: Page, url: str) -> Page:
    page.goto(url)
    page.wait_for_selector("html[data-ready]")
    return page


def give(page: Page, *files: Any) -> None:
    """Choose files as by the file dialog: paths, or files as Playwright takes them."""
    page.set_input_files("#file-input", list(files))


def wait_for_result(page: Page) -> None:
    page.wait_for_selector("#download[href]")


def download(page: Page) -> tuple[str, bytes]:
    """Press the button; the name and the content of the file that is saved."""
    wait_for_result(page)
    with page.expect_download() as saving:
        page.locator("#download").click()
    return saving.value.suggested_filename, Path(saving.value.path()).read_bytes()


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


def image_of(page: Page, image: Locator) -> bytes:
    """The bytes behind an image that is shown, of a blob too."""
    read = "async (image) => [...new Uint8Array(await (await fetch(image.src)).arrayBuffer())]"
    return bytes(page.evaluate(read, image.element_handle()))
