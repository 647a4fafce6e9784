"""The account page does to the account what it says, and shows what the API tells."""

import re
import time
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from cutout_client.webhooks import verify
from tests.browser.actions import PHOTOS, open_page, small
from tests.support.local_service import Service


@pytest.fixture
def account(page: Page, service: Service) -> Page:
    tab = open_page(page, f"{service.url}/#account")
    tab.get_by_role("heading", name="Key and account").wait_for()
    return tab


def ask(service: Service, path: str, method: str = "GET", **more: Any) -> Any:
    return requests.request(method, service.url + path, headers={"x-api-key": service.key}, timeout=60, **more).json()


def keys(service: Service) -> dict[str, str]:
    return {key["label"]: key["status"] for key in ask(service, "/v2/account/keys")["keys"]}


def test_the_month_and_the_account_are_those_of_the_api(account: Page, service: Service):
    answer = ask(service, "/v2/account")
    assert account.locator(".usage .figure").inner_text() == f"{answer['usage']['images']:,}"
    label = account.locator(".usage-bar").get_attribute("aria-label")
    assert label.startswith(f"{answer['usage']['images']:,} images, no monthly limit. ")
    for word in (answer["api_key"]["fingerprint"], answer["account"]["email"], answer["account"]["plan"], "active"):
        expect(account.locator(".facts-list")).to_contain_text(word)


def test_a_key_is_made_rotated_and_revoked(account: Page, service: Service):
    account.get_by_label("Label").fill("web shop")
    account.get_by_role("button", name="Make a key").click()
    made = account.locator("#new-key").inner_text()
    assert requests.get(f"{service.url}/v2/account", headers={"x-api-key": made}, timeout=60).ok
    account.get_by_role("button", name="I have kept it").click()

    account.get_by_role("button", name="Rotate web shop").click()
    account.get_by_role("button", name="Rotate", exact=True).last.click()
    successor = account.locator("#new-key").inner_text()
    assert successor != made
    account.get_by_role("button", name="I have kept it").click()
    expect(account.get_by_role("row", name="web shop")).to_have_count(2)

    for left in (1, 0):
        account.get_by_role("button", name="Revoke web shop").first.click()
        account.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        expect(account.get_by_role("row", name="web shop")).to_have_count(left)
    assert keys(service)["web shop"] == "revoked"


def test_nothing_is_revoked_when_the_question_is_denied(account: Page, service: Service):
    ask(service, "/v2/account/keys", "POST", json={"label": "stays"})
    account.reload()
    account.get_by_role("button", name="Revoke stays").click()
    account.get_by_role("button", name="Cancel").click()
    assert keys(service)["stays"] == "active"


def test_the_webhook_secret_is_shown_when_asked_for_and_replaced(account: Page, service: Service):
    before = ask(service, "/v2/account/webhook-secret")["secret"]
    assert before not in account.content()
    account.locator(".webhook-body").get_by_role("button", name="Show").click()
    expect(account.locator("#webhook-secret")).to_have_text(before)
    account.get_by_role("button", name="Replace").click()
    account.get_by_role("dialog").get_by_role("button", name="Replace").click()
    expect(account.locator("#webhook-secret")).not_to_have_text(before)
    assert account.locator("#webhook-secret").inner_text() == ask(service, "/v2/account/webhook-secret")["secret"]


def test_jobs_are_listed_filtered_and_deleted(account: Page, service: Service):
    photo = (PHOTOS / "coffee.jpg").read_bytes()
    headers = {"x-api-key": service.key, "prefer": "respond-async"}
    job = requests.post(f"{service.url}/v2", photo, headers=headers, timeout=60).json()["id"]
    while ask(service, f"/v2/jobs/{job}")["status"] in {"queued", "running"}:
        time.sleep(0.3)
    account.get_by_role("button", name="Refresh").click()
    row = account.get_by_role("row", name=job[:12])
    expect(row).to_contain_text("succeeded")
    expect(row).to_contain_text("600 \N{MULTIPLICATION SIGN} 400")
    account.get_by_label("Show jobs that are").select_option("failed")
    expect(row).to_have_count(0)
    account.get_by_label("Show jobs that are").select_option("succeeded")
    account.get_by_role("button", name=f"Delete job {job}").click()
    account.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_contain_text("deleted")
    assert ask(service, f"/v2/jobs/{job}")["deleted_at"]


def test_a_key_that_does_not_work_is_said_in_words_and_another_one_helps(account: Page, service: Service):
    account.get_by_label("API key of this tab").fill("wrong")
    account.get_by_role("button", name="Use", exact=True).click()
    expect(account.get_by_role("alert").first).to_contain_text("This key does not work")
    account.get_by_label("API key of this tab").fill(service.key)
    account.get_by_role("button", name="Use", exact=True).click()
    expect(account.locator(".facts-list")).to_contain_text("requests per second")
    account.get_by_role("button", name="Forget").click()
    expect(account.locator(".facts-list")).to_have_count(0)
    expect(account.locator("#key-chip")).to_contain_text("No key")


def test_images_are_kept_for_training_only_if_the_owner_says_so(account: Page, service: Service):
    box = account.get_by_label("Images of jobs may be kept for training")
    expect(box).not_to_be_checked()
    for allowed in (True, False):
        box.click()
        expect(box).to_be_enabled()
        expect(box).to_be_checked(checked=allowed)
        assert ask(service, "/v2/account")["account"]["training_opt_in"] is allowed
    account.route(
        "**/v2/account", lambda route: route.abort() if route.request.method == "PATCH" else route.continue_()
    )
    box.click()
    expect(account.get_by_role("alert").filter(has_text="cannot be reached")).to_be_visible()
    expect(box).not_to_be_checked()
    assert ask(service, "/v2/account")["account"]["training_opt_in"] is False


def test_usage_is_shown_by_day_and_key(account: Page, service: Service):
    requests.post(
        f"{service.url}/v2", small(3), headers={"x-api-key": service.key, "content-type": "image/png"}, timeout=60
    )
    account.reload()
    days = ask(service, "/v2/account/usage")["days"]
    total = sum(day["images"] for day in days)
    expect(account.locator(".days-chart")).to_have_attribute("aria-label", re.compile(f"^{total} images on "))
    account.get_by_text("As a table").click()
    rows = account.get_by_role("region", name="By day and key").get_by_role("row")
    expect(rows).to_have_count(len(days) + 1)
    expect(rows.last).to_contain_text(days[-1]["day"])


def test_a_receiver_of_webhooks_is_tried(account: Page, service: Service, hooks):
    account.get_by_label("Try a receiver").fill(hooks.url("/from-the-page"))
    account.get_by_role("button", name="Send a test").click()
    expect(account.locator("#webhook-outcome")).to_contain_text("Delivered: the receiver answered 204")
    (delivery,) = hooks.at("/from-the-page")
    secret = ask(service, "/v2/account/webhook-secret")["secret"]
    assert verify(delivery.body, delivery.headers, secret)["type"] == "webhook.test"
    account.get_by_label("Try a receiver").fill(hooks.url("/gone/from-the-page"))
    account.get_by_role("button", name="Send a test").click()
    expect(account.locator("#webhook-outcome")).to_contain_text("Not taken: the receiver answered 410")


def test_the_status_page_says_what_works(page: Page, service: Service):
    requests.post(
        f"{service.url}/v2", small(4), headers={"x-api-key": service.key, "content-type": "image/png"}, timeout=60
    )
    tab = open_page(page, f"{service.url}/status")
    expect(tab.locator("#verdict")).to_have_text("All works.")
    expect(tab.locator("#now")).to_contain_text("cutout-s")
    expect(tab.locator("#day")).to_contain_text("100 % of")
