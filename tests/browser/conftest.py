"""The page in Chromium: a browser for each file of tests, a fresh profile for each test.

A test fails when the page breaks its own policy, throws, or asks any other host for anything.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.actions import open_page
from tests.browser.chromium import QUIET, chromium
from tests.support.local_service import Service

CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
PATIENCE_MS = 60_000
"""Beyond this the page has failed; a busy machine takes its time."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = chromium()
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=[*QUIET, *CAMERA])
        yield running
        running.close()


@pytest.fixture
def look() -> dict[str, Any]:
    """How the browser looks to the page; a test may parametrize it."""
    return {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}


@pytest.fixture
def context(browser: Browser, look: dict[str, Any]) -> Iterator[BrowserContext]:
    with browser.new_context(**look, accept_downloads=True) as fresh:
        fresh.set_default_timeout(PATIENCE_MS)
        fresh.grant_permissions(["clipboard-read", "clipboard-write"])
        yield fresh


@pytest.fixture
def page(context: BrowserContext, service: Service) -> Iterator[Page]:
    """A tab that watches itself; ``open_page`` leads it to the service."""
    tab = context.new_page()
    thrown: list[str] = []
    strangers: list[str] = []
    policy: list[str] = []
    storage = service.endpoints["aws"]
    tab.on("pageerror", lambda error: thrown.append(str(error)))
    tab.on(
        "console", lambda message: policy.append(message.text) if "Content Security Policy" in message.text else None
    )
    tab.on("request", lambda request: strangers.append(request.url) if not ours(request.url, storage) else None)

    def ours(url: str, storage: str) -> bool:
        return url.startswith((service.url, storage, "blob:", "data:"))

    yield tab
    assert (thrown, policy, strangers) == ([], [], [])


@pytest.fixture
def playground(page: Page, service: Service) -> Page:
    """The start page, ready to be used with the local key."""
    return open_page(page, service.url)
