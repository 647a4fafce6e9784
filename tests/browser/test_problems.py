"""What goes wrong is said in words, and the way on is there."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.actions import ASTRONAUT, download, give, set_option, small_file, wait_for_result


@pytest.mark.parametrize(
    ("file", "words"),
    [({"name": "a.psd", "mimeType": "image/png", "buffer": b"8BPS\0\1" + bytes(20)}, "This kind of image is not read"),
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
