"""The API reference shows every operation of every contract, with programs that work."""

import os
import subprocess
from pathlib import Path

import pytest
import requests
import yaml
from playwright.sync_api import Page, expect

from local import ROOT
from tests.browser.actions import PHOTOS, open_page
from tests.support.local_service import Service

DOCUMENTS = {"cutout": ROOT / "docs" / "openapi.yaml"} | {
    file.stem: file for file in sorted((ROOT / "docs" / "openapi").glob("*.yaml"))
}
METHODS = {"get", "post", "put", "patch", "delete"}


def operations(document: dict) -> set[str]:
    """The ids of a document's own operations: those of its own tags."""
    tags = {tag["name"] for tag in document["tags"]}
    items = [item for item in document["paths"].values() if "$ref" not in item]
    every = [item[method] for item in items for method in METHODS & item.keys()]
    return {operation["operationId"] for operation in every if tags & set(operation["tags"])}


@pytest.fixture
def reference(page: Page, service: Service) -> Page:
    return open_page(page, f"{service.url}/docs")


def test_every_contract_can_be_chosen_and_shows_all_of_its_operations(reference: Page):
    values = reference.locator("#contract option").evaluate_all("(options) => options.map((option) => option.value)")
    assert set(values) == DOCUMENTS.keys()
    for name, file in DOCUMENTS.items():
        document = yaml.safe_load(file.read_text())
        reference.get_by_label("Contract", exact=True).select_option(name)
        expect(reference.get_by_role("heading", level=1)).to_have_text(document["info"]["title"])
        shown = reference.locator("article").evaluate_all("(all) => all.map((article) => article.id)")
        assert set(shown) == operations(document), name
        assert "undefined" not in reference.locator("#content").inner_text()


def test_every_parameter_and_every_error_code_is_there(reference: Page):
    document = yaml.safe_load(DOCUMENTS["cutout"].read_text())
    named = reference.locator("#removeBackground .property > code").all_text_contents()
    assert {"shadow_offset_x", "image_base64", "bg_image_file", "Idempotency-Key"} <= set(named)
    codes = document["components"]["schemas"]["Problem"]["properties"]["error"]["properties"]["code"]["enum"]
    assert reference.locator("#errors .codes code").all_text_contents() == codes


def test_the_example_of_an_operation_is_answered_as_it_says(reference: Page, service: Service, tmp_path: Path):
    (tmp_path / "photo.jpg").write_bytes((PHOTOS / "coffee.jpg").read_bytes())
    for operation in ("removeBackground", "getAccount", "createUpload", "listJobs"):
        program = reference.locator(f"#{operation} .operation-code code").first.text_content()
        done = subprocess.run(
            ["bash", "-c", str(program)], cwd=tmp_path, env={"PATH": os.environ["PATH"], "CUTOUT_KEY": service.key},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, (operation, done.stdout, done.stderr)
    assert (tmp_path / "answer").read_bytes().startswith(b"\x89PNG")


def test_operations_are_found_by_words_and_linked(reference: Page, service: Service):
    reference.get_by_label("Filter operations").fill("rotate")
    links = reference.locator("#operations a:visible")
    expect(links).to_have_count(1)
    links.first.click()
    expect(reference.locator("#rotateKey h3")).to_be_in_viewport()
    assert reference.url == f"{service.url}/docs#rotateKey"


def test_the_documents_are_the_contracts_as_json(service: Service):
    main = requests.get(f"{service.url}/openapi.json", timeout=60).json()
    assert main["paths"]["/api/remove"] == {"$ref": "openapi/rembg.json#/paths/~1api~1remove"}
    assert main["paths"]["/v2"] == yaml.safe_load(DOCUMENTS["cutout"].read_text())["paths"]["/v2"]
    rembg = requests.get(f"{service.url}/openapi/rembg.json", timeout=60).json()
    assert rembg == yaml.safe_load(DOCUMENTS["rembg"].read_text())
