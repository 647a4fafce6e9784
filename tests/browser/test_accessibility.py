"""axe-core finds nothing serious on any view, in light and in dark. Source of the rules: WCAG 2.2, levels A and AA."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.actions import give, open_page, wait_for_result
from tests.support.local_service import Service
from tests.support.node_packages import install

FOLDER = Path(__file__).parent / "node"
RUN = """
async () => {
  const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const { violations } = await axe.run(document, { runOnly: rules });
  return violations.map((one) => [one.impact, one.id, one.nodes.map((node) => node.target.join(" ")).slice(0, 5)]);
}
"""


@pytest.fixture(scope="module")
def axe() -> str:
    install(FOLDER)
    return (FOLDER / "node_modules" / "axe-core" / "axe.min.js").read_text()


def findings(page: Page, axe: str) -> list[list[object]]:
    page.evaluate(axe)
    return [one for one in page.evaluate(RUN) if one[0] in {"serious", "critical"}]


@pytest.mark.parametrize("look", [
    {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light", "reduced_motion": "reduce"},
    {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark", "reduced_motion": "reduce"},
], ids=["light", "dark phone"])  # fmt: skip
def test_no_view_has_a_serious_fault(page: Page, service: Service, axe: str, look):
    found = {}
    open_page(page, service.url)
    found["start"] = findings(page, axe)
    page.get_by_label("Sample: a cat").click()
    wait_for_result(page)
    page.evaluate("document.querySelectorAll('#options details').forEach((group) => { group.open = true; })")
    page.locator('[data-option="shadow"] [value=drop]').check(force=True)
    page.get_by_role("button", name="Loupe").click()
    page.wait_for_selector("#history-items li:nth-child(2)")
    found["workbench"] = findings(page, axe)
    give(page, {"name": "a.txt", "mimeType": "text/plain", "buffer": b"no image"})
    page.wait_for_selector("#problem strong")
    found["problem"] = findings(page, axe)
    give(page, *[{"name": f"{n}.txt", "mimeType": "text/plain", "buffer": b"no image"} for n in range(2)])
    found["batch"] = findings(page, axe)
    page.goto(f"{service.url}/#account")
    page.get_by_role("button", name="Rotate local development").wait_for()
    found["account"] = findings(page, axe)
    page.get_by_role("button", name="Rotate local development").click()
    found["dialog"] = findings(page, axe)
    open_page(page, f"{service.url}/docs?contract=rembg")
    found["reference"] = findings(page, axe)
    open_page(page, f"{service.url}/status")
    found["status"] = findings(page, axe)
    assert found == {view: [] for view in found}
