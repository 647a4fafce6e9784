"""The JavaScript client on the local service, directly and through a proxy that loses, delays and cuts answers."""

import base64
import io
import json
import re
import shutil
import subprocess
import tarfile
from typing import Any

import httpx
import numpy as np
import pytest
import yaml
from PIL import Image

from local import ROOT
from tests.clients.faulty_proxy import faulty_proxy
from tests.clients.javascript_client import PACKAGE, built, call, run
from tests.dialects.pictures import astronaut, opened, pixels
from tests.support.node_packages import unavailable

OPENAPI = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
SOURCES = {"image_file", "image_url", "image_base64", "image_file_b64", "upload_id", "bg_image_file", "bg_image_base64"}


def as_bytes(data: bytes) -> str:
    return "base64:" + base64.b64encode(data).decode()


def ask(service, method: str, *arguments: Any, url: str = "", **order: Any) -> Any:
    return call(url or service.url, order.pop("key", service.key), {"method": method, "arguments": arguments, **order})


def value(service, method: str, *arguments: Any, **order: Any) -> Any:
    answer = ask(service, method, *arguments, **order)
    assert "value" in answer, answer
    return answer["value"]


def error(service, method: str, *arguments: Any, **order: Any) -> Any:
    answer = ask(service, method, *arguments, **order)
    assert "error" in answer, answer
    return answer["error"]


def picture(result: Any, part: str = "bytes") -> Image.Image:
    return opened(base64.b64decode(result[part]))


def images_charged(service) -> int:
    headers = {"x-api-key": service.key}
    return httpx.get(f"{service.url}/v2/account", headers=headers).json()["usage"]["images"]


def noise(side: int) -> bytes:
    """A half transparent photo that no format makes smaller."""
    colours = np.random.default_rng(5).integers(0, 256, (side, side, 4), np.uint8)
    colours[..., 3] = 200
    buffer = io.BytesIO()
    Image.fromarray(colours).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


class TestPackage:
    def test_the_parts_that_need_no_service_pass_their_own_tests(self):
        built()
        files = sorted(str(path) for path in PACKAGE.glob("tests/*.test.mjs"))
        report = run("--test", "--test-reporter=tap", *files)
        assert re.search(r"^# fail 0$", report, re.MULTILINE)
        assert int(re.findall(r"^# pass (\d+)$", report, re.MULTILINE)[-1]) >= 60

    def test_it_depends_on_nothing(self):
        package = json.loads((PACKAGE / "package.json").read_text())
        assert not {"dependencies", "peerDependencies", "optionalDependencies"} & package.keys()

    def test_it_works_as_npm_packs_it(self, tmp_path):
        npm = shutil.which("npm") or unavailable("npm is not installed")
        command = [npm, "pack", "--ignore-scripts", "--pack-destination", str(tmp_path)]
        subprocess.run(command, cwd=built(), check=True, capture_output=True)
        with tarfile.open(next(tmp_path.glob("cutout-client-*.tgz"))) as archive:
            names = set(archive.getnames())
            archive.extractall(tmp_path / "node_modules", filter="data")
        assert {"package/README.md", "package/dist/LICENSE", "package/dist/esm/index.d.ts"} <= names
        assert not any("node_modules" in name or "tests" in name for name in names)
        (tmp_path / "node_modules" / "package").rename(tmp_path / "node_modules" / "cutout-client")
        for line in ("require('cutout-client/ben').predictImage", "require('cutout-client').Cutout"):
            assert run("--print", f"typeof {line}", folder=tmp_path).strip() == "function"

    def test_it_names_every_option_of_the_contract(self):
        script = "import { IMAGE_OPTIONS } from 'cutout-client'; console.log(JSON.stringify(IMAGE_OPTIONS))"
        built()
        names = json.loads(run("--input-type=module", "--eval", script))
        wire = {re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name) for name in names}
        assert wire == set(OPENAPI["components"]["schemas"]["FormRequest"]["properties"]) - SOURCES

    def test_it_has_a_class_for_every_code_of_the_contract(self):
        script = "import { ERRORS } from 'cutout-client'; console.log(JSON.stringify(Object.keys(ERRORS)))"
        built()
        codes = OPENAPI["components"]["schemas"]["Problem"]["properties"]["error"]["properties"]["code"]["enum"]
        assert sorted(json.loads(run("--input-type=module", "--eval", script))) == sorted(codes)


class TestRemove:
    def test_bytes_become_the_cutout_that_the_service_makes(self, service):
        result = value(service, "remove", as_bytes(astronaut()))
        form = {"files": {"image_file": astronaut()}, "headers": {"x-api-key": service.key}}
        direct = httpx.post(f"{service.url}/v2", **form)
        assert base64.b64decode(result["bytes"]) == direct.content
        assert (result["width"], result["height"], result["mediaType"]) == (160, 160, "image/png")
        assert (result["model"], result["replayed"]) == ("cutout-s", False)
        assert result["timings"].keys() >= {"decode", "predict", "encode"}
        assert result["requestId"].startswith("req_")

    def test_a_path_and_options(self, service, tmp_path):
        (tmp_path / "photo.jpg").write_bytes(astronaut())
        options = {"format": "webp", "bgColor": "#ff00ff", "canvas": "200x100", "shadow": "drop", "shadowOffsetX": "4%"}
        result = value(service, "remove", str(tmp_path / "photo.jpg"), options)
        made = picture(result)
        assert (made.format, made.size, result["masked"]) == ("WEBP", (200, 100), "mask_unavailable")
        assert made.convert("RGB").getpixel((3, 3)) == pytest.approx((255, 0, 255), abs=8)

    def test_a_url_that_the_service_fetches(self, service, file_server):
        (file_server.folder / "js.jpg").write_bytes(astronaut())
        assert picture(value(service, "remove", f"{file_server.url}/js.jpg")).size == (160, 160)

    def test_mask_and_box_are_those_of_the_service(self, service):
        result = value(service, "remove", as_bytes(astronaut()))
        alpha = np.asarray(picture(result))[..., 3]
        assert np.array_equal(np.asarray(picture(result, "mask")), alpha)
        headers = httpx.post(
            f"{service.url}/v1/segment", files={"image_file": astronaut()}, headers={"x-api-key": service.key}
        ).headers
        box = {side: int(headers[f"x-foreground-{side}"]) for side in ("left", "top", "width", "height")}
        assert result["box"] == box

    @pytest.mark.parametrize("options", [{"channels": "alpha"}, {"format": "zip"}])
    def test_answers_that_are_or_hold_a_mask(self, options, service):
        whole = value(service, "remove", as_bytes(astronaut()))
        part = value(service, "remove", as_bytes(astronaut()), options)
        assert np.array_equal(np.asarray(picture(part, "mask")), np.asarray(picture(whole, "mask")))

    def test_a_large_photo_goes_by_upload(self, service):
        photo = noise(1500)
        assert len(photo) > 6_000_000
        result = value(service, "remove", as_bytes(photo), {"ownAlpha": "keep"})
        assert np.array_equal(pixels(base64.b64decode(result["bytes"])), pixels(photo))
        assert result["requestId"].startswith("req_")

    def test_an_answer_that_is_too_large_for_lambda_is_fetched_from_elsewhere(self, service, file_server):
        def store(body: bytes) -> str:
            (file_server.folder / "js-answer.png").write_bytes(body)
            return f"{file_server.url}/js-answer.png"

        with faulty_proxy(service.url, "elsewhere", store=store) as proxy:
            result = value(service, "remove", as_bytes(astronaut()), url=proxy.url)
        assert base64.b64decode(result["bytes"]) == (file_server.folder / "js-answer.png").read_bytes()
        assert (result["mediaType"], result["model"], result["width"]) == ("image/png", "cutout-s", 160)

    def test_what_is_just_below_the_limit_goes_directly(self, service):
        size = len(astronaut())
        with faulty_proxy(service.url, "pass") as proxy:
            value(service, "remove", as_bytes(astronaut()), url=proxy.url, client={"directBytes": size})
            value(service, "remove", as_bytes(astronaut()), url=proxy.url, client={"directBytes": size - 1})
        assert [seen.path for seen in proxy.seen] == ["/v2", "/v2/uploads", "/v2"]

    def test_an_upload_is_used_twice(self, service):
        upload = value(service, "uploads.create", as_bytes(astronaut()))
        results = [value(service, "remove", upload, {"size": size}) for size in ("full", "full")]
        assert results[0]["bytes"] == results[1]["bytes"]

    def test_progress_tells_bytes(self, service):
        answer = ask(service, "remove", as_bytes(astronaut()), {}, progress=True)
        stages = [event["stage"] for event in answer["progress"]]
        assert stages[:2] == ["upload", "upload"]
        assert answer["progress"][-1]["loaded"] == len(base64.b64decode(answer["value"]["bytes"]))

    def test_many_photos_in_their_order_with_one_that_is_none(self, service, tmp_path):
        paths = []
        for side in (40, 60, 80, 100):
            paths.append(str(tmp_path / f"{side}.jpg"))
            (tmp_path / f"{side}.jpg").write_bytes(astronaut(side))
        (tmp_path / "60.jpg").write_bytes(b"no photo")
        outcomes = value(service, "map", paths, {"concurrency": 3, "format": "jpg"})
        assert [outcome["index"] for outcome in outcomes] == [0, 1, 2, 3]
        assert [outcome.get("error") for outcome in outcomes] == [None, "unsupported_image_format", None, None]
        assert [outcome["result"]["width"] for outcome in outcomes if outcome["ok"]] == [40, 80, 100]


class TestErrors:
    @pytest.mark.parametrize(
        ("order", "name", "code", "status"),
        [({"key": "wrong"}, "InvalidApiKeyError", "invalid_api_key", 403),
         ({"key": ""}, "MissingApiKeyError", "missing_api_key", 401),
         ({"options": {"shadowBlur": 4}}, "InvalidOptionError", "invalid_option", 400),
         ({"options": {"size": "huge"}}, "InvalidOptionError", "invalid_option", 400),
         ({"image": b"no photo"}, "UnsupportedImageFormatError", "unsupported_image_format", 400),
         ({"image": astronaut()[:900]}, "InvalidImageError", "invalid_image", 400),
         ({"image": b""}, "MissingImageError", "missing_image", 400)],
    )  # fmt: skip
    def test_a_refusal_has_the_class_of_its_code(self, order, name, code, status, service):
        image, options = order.pop("image", astronaut()), order.pop("options", {})
        refused = error(service, "remove", as_bytes(image), options, **order)
        assert (refused["name"], refused["code"], refused["status"]) == (name, code, status)
        assert refused["requestId"].startswith("req_")

    def test_nobody_there(self, service):
        lost = error(service, "account", url="http://127.0.0.1:9", client={"retry": {"maxRetries": 1, "baseMs": 1}})
        assert (lost["name"], lost["code"]) == ("ConnectionError", "connection_failed")


class TestJobs:
    def test_a_job_with_its_mask(self, service):
        result = value(service, "jobs.run", as_bytes(astronaut()), {"format": "jpg", "mask": True, "bgColor": "white"})
        assert (picture(result).format, picture(result, "mask").mode) == ("JPEG", "L")
        assert result["requestId"].startswith("job_")

    def test_a_job_that_fails_says_why(self, service):
        failed = error(service, "jobs.run", as_bytes(b"no photo"))
        assert (failed["name"], failed["code"]) == ("JobFailedError", "unsupported_image_format")

    def test_a_job_is_ordered_watched_listed_and_deleted(self, service, file_server, hooks):
        (file_server.folder / "job.jpg").write_bytes(astronaut())
        order = {"webhookUrl": hooks.url("/js"), "idempotencyKey": "js-job"}
        job = value(service, "jobs.create", f"{file_server.url}/job.jpg", order)
        assert value(service, "jobs.create", f"{file_server.url}/job.jpg", order)["id"] == job["id"]
        done = value(service, "jobs.wait", job["id"])
        assert (done["status"], done["result"]["width"]) == ("succeeded", 160)
        page = value(service, "jobs.page", {"limit": 100})
        assert job["id"] in {one["id"] for one in page["jobs"]}
        assert "deleted_at" in value(service, "jobs.delete", job["id"])
        assert error(service, "jobs.get", "job_" + "0" * 32)["name"] == "NotFoundError"


class TestAccount:
    def test_account_usage_and_health(self, service):
        account = value(service, "account")
        assert (account["status"], account["api_key"]["mode"]) == ("ok", "live")
        assert value(service, "usage").keys() == {"period", "images", "megapixels", "quota", "remaining"}
        assert value(service, "health", {"deep": True})["model"] == "cutout-s"

    def test_keys_are_made_used_rotated_and_revoked(self, service):
        made = value(service, "keys.create", {"label": "from JavaScript"})
        assert value(service, "account", key=made["key"])["api_key"]["fingerprint"] == made["fingerprint"]
        successor = value(service, "keys.rotate", made["fingerprint"], {"graceS": 0})
        assert successor["replaces"]["fingerprint"] == made["fingerprint"]
        assert value(service, "keys.revoke", successor["fingerprint"])["status"] == "revoked"
        statuses = {key["fingerprint"]: key["status"] for key in value(service, "keys.list")}
        assert statuses[successor["fingerprint"]] == "revoked"

    def test_the_secret_of_webhooks(self, service):
        assert value(service, "webhookSecret.get")["secret"].startswith("whsec_")


QUICK = {"retry": {"baseMs": 20}}
FAULTS = {
    "the connection is lost before the work": ["drop", "pass"],
    "the connection is lost after the work": ["lose", "pass"],
    "the connection is lost during the work": ["leave", "pass"],
    "half of the answer comes": ["half", "pass"],
    "the rate limit": ["limit", "pass"],
    "a proxy finds nobody": ["unavailable", "pass"],
    "all of it": ["limit", "drop", "unavailable", "half", "lose", "pass"],
}


class TestFaultyNetwork:
    """Every call ends right or with a typed error; whatever is sent again has the same key, and is charged once."""

    def removed(self, service, proxy, **client: Any) -> Any:
        settings = QUICK | client
        return ask(service, "remove", as_bytes(astronaut(96)), url=proxy.url, client=settings)

    @pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
    def test_the_cutout_comes_all_the_same_and_is_charged_once(self, faults, service):
        before = images_charged(service)
        with faulty_proxy(service.url, *faults) as proxy:
            answer = self.removed(service, proxy)
        assert picture(answer["value"]).size == (96, 96)
        assert len({seen.idempotency_key for seen in proxy.seen}) == 1
        assert len(proxy.seen) >= len(faults)
        assert images_charged(service) == before + 1

    def test_an_answer_that_does_not_come_in_time_is_asked_for_again(self, service):
        before = images_charged(service)
        with faulty_proxy(service.url, "hold", "pass") as proxy:
            answer = self.removed(service, proxy, timeoutMs=8000)
        assert answer["value"]["replayed"]
        assert len({seen.idempotency_key for seen in proxy.seen}) == 1
        assert images_charged(service) == before + 1

    @pytest.mark.parametrize(
        ("fault", "name", "requests"),
        [("drop", "ConnectionError", 3), ("half", "ConnectionError", 3), ("unavailable", "ServiceUnavailableError", 3),
         ("limit for an hour", "RateLimitedError", 1)],
    )  # fmt: skip
    def test_a_fault_that_stays_ends_with_a_typed_error(self, fault, name, requests, service):
        with faulty_proxy(service.url, fault) as proxy:
            answer = self.removed(service, proxy, retry={"baseMs": 20, "maxRetries": 2})
        assert (answer["error"]["name"], len(proxy.seen)) == (name, requests)
        assert len({seen.idempotency_key for seen in proxy.seen}) == 1

    def test_two_removals_of_one_image_have_different_keys(self, service):
        with faulty_proxy(service.url, "pass") as proxy:
            value(service, "map", [], url=proxy.url)
            for _ in range(2):
                self.removed(service, proxy)
        assert len({seen.idempotency_key for seen in proxy.seen}) == 2

    def test_a_key_is_not_made_twice(self, service):
        with faulty_proxy(service.url, "lose") as proxy:
            assert (
                error(service, "keys.create", {"label": "once"}, url=proxy.url, client=QUICK)["name"]
                == "ConnectionError"
            )
        assert len(proxy.seen) == 1

    def test_a_job_that_is_ordered_again_is_one_job(self, service, file_server):
        (file_server.folder / "once.jpg").write_bytes(astronaut())
        with faulty_proxy(service.url, "lose", "half", "limit", "pass") as proxy:
            job = value(service, "jobs.create", f"{file_server.url}/once.jpg", url=proxy.url, client=QUICK)
        jobs = value(service, "jobs.page", {"limit": 100})["jobs"]
        ours = [one["id"] for one in jobs if one["source"].get("url", "").endswith("/once.jpg")]
        assert ours == [job["id"]]


class TestBenDropIn:
    SCRIPT = """
        const { readFileSync } = require('node:fs')
        const { predictImage } = require('cutout-client/ben')
        predictImage(readFileSync(process.argv[1]), process.argv[2], process.argv[3]).then(result => {
          const text = Object.entries(result ?? {}).map(([name, buffer]) => [name, buffer.toString('base64')])
          console.log(JSON.stringify(result && Object.fromEntries(text)))
        })
    """

    def predicted(self, *arguments: str) -> Any:
        built()
        return json.loads(run("--eval", self.SCRIPT, *arguments))

    def test_it_gives_mask_and_foreground_from_the_url_it_is_given(self, service, tmp_path):
        (tmp_path / "photo.jpg").write_bytes(astronaut())
        result = self.predicted(str(tmp_path / "photo.jpg"), service.key, f"{service.url}/v2")
        mask, foreground = picture(result, "mask"), picture(result, "foreground")
        assert (mask.mode, mask.size, foreground.mode, foreground.size) == ("L", (160, 160), "RGBA", (160, 160))
        assert np.array_equal(np.asarray(foreground)[..., 3], np.asarray(mask))
        assert mask.getextrema() == (0, 255)

    def test_it_gives_null_where_it_fails(self, service, tmp_path):
        (tmp_path / "photo.jpg").write_bytes(astronaut())
        assert self.predicted(str(tmp_path / "photo.jpg"), "wrong", f"{service.url}/v2") is None
