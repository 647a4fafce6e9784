"""Takes the pictures of the page anew, from a running service: python -m tools.page_pictures [FOLDER] [--only NAME].

Chromium works through the page as a person does, and each scene becomes a file of ``docs/images``. Start the service
first (``make run``); its account should have been used a little, or the charts are empty.
"""

import argparse
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.actions import ASTRONAUT, PHOTOS, give, open_page, set_option, small_file, wait_for_result
from tests.browser.chromium import QUIET, chromium

DESKTOP: Final = {"viewport": {"width": 1280, "height": 860}}
PHONE: Final = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
DARK: Final = {"color_scheme": "dark"}
QUALITY: Final = 84
"""Of JPEG: at 84 small text is still clean."""


_CHEEK: Final = "(it) => ({ x: 0.785 * it.clientWidth, y: 0.44 * it.clientHeight })"


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture.

    Attributes:
        path: What is opened.
        act: What is done before the picture is taken.
        look: Settings of the browser's context.
    """

    path: str
    act: Callable[[Page], None]
    look: Mapping[str, Any] = field(default_factory=lambda: DESKTOP)


def main() -> None:
    """Take all scenes, or one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=PHOTOS, help="where the pictures go")
    parser.add_argument("--url", default="http://127.0.0.1:8585", help="the running service")
    parser.add_argument("--only", help="file name of one scene")
    chosen = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(QUIET))
        for name, scene in SCENES.items():
            if chosen.only in (None, name):
                (chosen.folder / name).write_bytes(_taken(browser, chosen.url, scene, name))
                print(name)
        browser.close()


def _taken(browser: Browser, url: str, scene: Scene, name: str) -> bytes:
    with browser.new_context(**scene.look, reduced_motion="reduce") as context:
        page = context.new_page()
        open_page(page, url + scene.path)
        scene.act(page)
        page.wait_for_load_state("networkidle")
        buffer = io.BytesIO()
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        picture.save(buffer, Image.registered_extensions()[Path(name).suffix], quality=QUALITY, optimize=True)
        return buffer.getvalue()


def _nothing(_page: Page) -> None:
    """The page as it opens."""


def _compared(page: Page) -> None:
    give(page, ASTRONAUT)
    wait_for_result(page)
    page.locator(".split").wait_for()


def _under_the_loupe(page: Page) -> None:
    give(page, PHOTOS / "chelsea.jpg")
    wait_for_result(page)
    page.locator(".split").fill("40")
    page.get_by_role("button", name="Loupe").click()
    page.locator(".picture").hover(position=page.locator(".picture").evaluate(_CHEEK))


def _with_options(page: Page) -> None:
    give(page, PHOTOS / "coffee.jpg")
    wait_for_result(page)
    for name, value in {"bg_color": "#f3d9b1", "shadow": "drop", "canvas": "800x800"}.items():
        set_option(page, name, value)
    _settled(page)
    page.locator("#views [value=result]").check(force=True)


def _request(page: Page) -> None:
    _with_options(page)
    page.locator("#languages [value=python]").check(force=True)
    page.evaluate("scrollTo(0, document.querySelector('.history').offsetTop - 90)")


def _mask(page: Page) -> None:
    give(page, PHOTOS / "chelsea.jpg")
    wait_for_result(page)
    page.locator("#views [value=mask]").check(force=True)
    page.locator("#stage img[alt^='The mask']").wait_for()


def _wrong(page: Page) -> None:
    _compared(page)
    set_option(page, "bg_color", "bleu")
    page.wait_for_selector("#problem strong")


def _batch(page: Page) -> None:
    give(page, *(PHOTOS / f"{name}.jpg" for name in ("astronaut", "chelsea", "coffee", "rocket")))
    give(page, {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no image"}, small_file(1, "disc.png"))
    page.get_by_role("button", name="Cut out all").click()
    page.locator("button:enabled", has_text="Download ZIP").wait_for()


def _settled(page: Page) -> None:
    page.wait_for_timeout(500)
    page.wait_for_selector("#stage:not([data-busy])")
    wait_for_result(page)


def _account(page: Page) -> None:
    page.get_by_role("button", name="Rotate local development").wait_for()
    page.locator(".days-chart").first.wait_for()


SCENES: Final = {
    "page.jpg": Scene("/", _under_the_loupe),
    "page-start.jpg": Scene("/", _nothing),
    "page-dark.jpg": Scene("/", _under_the_loupe, DESKTOP | DARK),
    "page-options.jpg": Scene("/", _with_options),
    "page-request.jpg": Scene("/", _request),
    "page-mask.jpg": Scene("/", _mask),
    "page-error.jpg": Scene("/", _wrong),
    "page-batch.jpg": Scene("/", _batch),
    "page-phone.jpg": Scene("/", _compared, PHONE),
    "page-phone-start.jpg": Scene("/", _nothing, PHONE),
    "page-account.png": Scene("/#account", _account, {"viewport": {"width": 1280, "height": 1200}}),
    "page-phone-account.png": Scene("/#account", _account, PHONE | DARK),
    "page-reference.png": Scene("/docs", _nothing),
    "page-status.png": Scene("/status", _nothing),
}

if __name__ == "__main__":
    main()
