"""Many photos at once, and their archive."""

import json
import zipfile

from playwright.sync_api import Page, Route, expect

from tests.browser.actions import give, pixels, small_file


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
