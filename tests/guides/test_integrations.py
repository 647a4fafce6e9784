"""The integrations of the guides, with as much of the other side as they use."""

import json
import re
import shutil
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.clients.javascript_client import built
from tests.dialects.pictures import opened
from tests.guides.guide import INTEGRATIONS, is_cutout, picture
from tests.support.node_packages import node, unavailable


def test_wordpress(reader):
    reader.follow(INTEGRATIONS / "wordpress.md")
    php = shutil.which("php")
    if php is None:
        unavailable("PHP is not installed")
    reader.run(php, "-d", "display_errors=stderr", str(Path(__file__).with_name("wordpress.php")))
    made = picture(reader, "white.jpg")
    assert (made.format, made.size) == ("JPEG", (160, 160))
    assert min(made.getpixel((155, 3))) > 250


def test_shopify(reader, service, hooks):
    reader.follow(INTEGRATIONS / "shopify.md")
    filled = (reader.folder / "flow.json").read_text()
    for name, value in {"product.featuredImage.url": "https://shop.example/mug.jpg", "product.id": "17"}.items():
        filled = filled.replace("{{" + name + "}}", value)
    reader.write("flow.json", filled)
    order = ["curl", "-sf", "-H", f"x-api-key: {service.key}", "-H", "content-type: application/json"]
    job = json.loads(reader.run(*order, "-d", "@flow.json", f"{service.url}/v2/jobs"))
    event = json.loads(_delivered(hooks, job["id"]))
    assert event["type"] == "job.succeeded"
    script = """
import { variables } from './media.mjs'
console.log(JSON.stringify(variables(JSON.parse(process.argv[1]), 'gid://17')))
"""
    told = json.loads(reader.run(node(), "--input-type=module", "-e", script, json.dumps(event)))
    assert told["media"][0]["originalSource"] == event["data"]["result"]["url"]
    assert event["data"]["result"]["width"] == 2048


def _delivered(hooks, job_id: str) -> bytes:
    for _ in range(300):
        for delivery in hooks.at("/shopify?product=17"):
            if job_id.encode() in delivery.body:
                return delivery.body
        time.sleep(0.1)
    pytest.fail("no webhook came")


def test_nextjs(reader):
    reader.follow(INTEGRATIONS / "nextjs.md")
    script = """
import { POST } from './app/api/cutout/route.mjs'
import { readFile, writeFile } from 'node:fs/promises'
const form = new FormData()
const bad = await POST(new Request('http://shop/api/cutout', { method: 'POST', body: (form.append('x', 'y'), form) }))
form.append('photo', new File([await readFile('photo.jpg')], 'photo.jpg'))
const good = await POST(new Request('http://shop/api/cutout', { method: 'POST', body: form }))
await writeFile('made.webp', Buffer.from(await good.arrayBuffer()))
console.log(bad.status, good.status, good.headers.get('content-type'))
"""
    assert reader.run(node(), str(reader.write("try.mjs", script))).split() == ["400", "200", "image/webp"]
    assert is_cutout(picture(reader, "made.webp"))
    jsx = reader.folder / "app" / "cutout-form.jsx"
    options = ["--noEmit", "--allowJs", "--jsx", "preserve", "--skipLibCheck", "--types", ""]
    tsc = str(built() / "node_modules" / "typescript" / "bin" / "tsc")
    reader.run(node(), tsc, *options, str(jsx))


def test_django(reader):
    reader.follow(INTEGRATIONS / "django.md")
    script = """
import django
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
settings.configure(ROOT_URLCONF="shop.urls", ALLOWED_HOSTS=["testserver"])
django.setup()
page = Client()
file = lambda name: SimpleUploadedFile(name, open(name, "rb").read())
made = page.post("/cutout/", {"photo": file("photo.jpg")})
open("made.webp", "wb").write(made.content)
bad = page.post("/cutout/", {"photo": file("notes.txt")})
print(made.status_code, bad.status_code, bad.json()["code"])
print(page.post("/cutout/").status_code, page.get("/cutout/").status_code)
"""
    assert reader.run(sys.executable, "-c", script).split() == ["200", "400", "unsupported_image_format", "400", "405"]
    assert is_cutout(picture(reader, "made.webp"))


def test_n8n(reader):
    """The node's parameters are carried out as n8n does."""
    reader.follow(INTEGRATIONS / "n8n.md")
    (step,) = json.loads((reader.folder / "n8n.json").read_text())["nodes"]
    told = step["parameters"]

    def value(text: str) -> str:
        return re.sub(r"\{\{ \$env\.(\w+) \}\}", lambda found: reader.environment[found[1]], text.removeprefix("="))

    parts = told["bodyParameters"]["parameters"]
    data = {each["name"]: each["value"] for each in parts if "value" in each}
    binary = [each["name"] for each in parts if each["parameterType"] == "formBinaryData"]
    answer = httpx.request(
        told["method"], value(told["url"]), data=data,
        headers={each["name"]: value(each["value"]) for each in told["headerParameters"]["parameters"]},
        files={name: (reader.folder / "photo.jpg").read_bytes() for name in binary}, timeout=60,
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    made = opened(answer.content)
    assert made.format == "WEBP"
    assert made.height < 160


def test_zapier(reader, service):
    reader.follow(INTEGRATIONS / "zapier.md")
    step = (reader.folder / "zapier.js").read_text()
    given = {"url": reader.here("https://shop.example/mug.jpg"), "base": service.url, "key": service.key}
    script = f"let output; const inputData = {json.dumps(given)}\n{step}\nconsole.log(JSON.stringify(output))"
    told = json.loads(reader.run(node(), str(reader.write("zap.mjs", script))))
    assert told["status"] == "succeeded"
    assert told["url"].startswith("http")
