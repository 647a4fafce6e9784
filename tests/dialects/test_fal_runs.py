"""fal: direct runs, which are answered when the image is made."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from cutout.accounts import KeyMode
from cutout.container import container
from tests.conftest import FileServer
from tests.dialects.callers import customer, images_of, second_stands_still
from tests.dialects.fal_bench import KEY, RUN, data_uri, run, stored
from tests.dialects.pictures import cat, pixels, plain
from tests.dialects.shapes import image_of, problem_of_fal, success_of_fal
from tests.support.in_process_api import URL
from tests.support.local_service import LIVE_KEY

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture(autouse=True)
def _allow(file_server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUTOUT_URL_ALLOW", file_server.authority)


def post(api: Any, document: Any = None, **more: Any) -> Any:
    return api.post(f"{URL}{RUN}", **{"json": document, "headers": KEY, **more})


class TestHappyPath:
    pytestmark = pytest.mark.covers("happy")

    def test_a_data_uri_becomes_a_cutout_behind_a_url(self, api):
        answer = run(api, cat(), seed=7)

        assert answer.status_code == 200
        success_of_fal(answer)
        image = answer.json()["image"]
        data = stored(image["url"])
        assert image == {
            "url": image["url"],
            "content_type": "image/png",
            "file_name": f"{answer.headers['x-fal-request-id']}.png",
            "file_size": len(data),
            "width": 120,
            "height": 80,
        }
        picture = image_of(data, "PNG")
        assert (picture.mode, picture.size) == ("RGBA", (120, 80))
        alpha = pixels(data)[..., 3]
        assert alpha.min() == 0
        assert alpha[40, 40] == 255
        assert abs(pixels(data)[40, 40, :3] - pixels(cat())[40, 40]).max() < 16
        assert answer.json()["seed"] == 7

    @pytest.mark.parametrize("image_format", ["JPEG", "WEBP", "BMP", "TIFF", "GIF"])
    def test_every_format_is_read_and_png_comes_back(self, api, image_format):
        picture = cat(image_format=image_format)
        answer = post(api, {"image_url": data_uri(picture, f"image/{image_format.lower()}")})

        assert image_of(stored(answer.json()["image"]["url"]), "PNG").size == (120, 80)

    def test_a_public_url_is_fetched(self, api, file_server):
        (file_server.folder / "fal.png").write_bytes(cat())

        answer = post(api, {"image_url": f" {file_server.url}/fal.png "})

        assert answer.status_code == 200
        assert answer.json()["image"]["width"] == 120

    def test_a_run_is_charged_once_and_says_so(self, api):
        answer = run(api, cat())

        assert answer.headers["x-fal-billable-units"] == "1"
        assert images_of() == 1

    def test_a_synthetic_key_is_not_charged(self, api):
        account_id, raw_key = customer(mode=KeyMode.SYNTHETIC)

        answer = post(api, {"image_url": data_uri(cat())}, headers={"authorization": f"Key {raw_key}"})

        assert answer.status_code == 200
        assert "x-fal-billable-units" not in answer.headers
        assert images_of(account_id) == 0

    def test_the_request_id_is_a_uuid_and_another_each_time(self, api):
        ids = [run(api, cat()).headers["x-fal-request-id"] for _ in range(2)]

        assert all(UUID.fullmatch(one) for one in ids)
        assert ids[0] != ids[1]

    @pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
    def test_the_content_type_is_not_asked_for(self, api, content_type):
        body = f'{{"image_url": "{data_uri(cat())}"}}'.encode()

        assert post(api, data=body, headers=KEY | {"content-type": content_type}).status_code == 200


class TestOptions:
    pytestmark = pytest.mark.covers("options")

    @pytest.mark.parametrize("seed", [0, -1, 2**63 - 1, -(2**63)])
    def test_a_seed_is_told_back(self, api, seed):
        assert run(api, cat(), seed=seed).json()["seed"] == seed

    @pytest.mark.parametrize(("given", "seed"), [("42", 42), (" -3 ", -3), (5.0, 5), (True, 1)])
    def test_a_seed_is_read_as_pydantic_reads_integers(self, api, given, seed):
        assert run(api, cat(), seed=given).json()["seed"] == seed

    @pytest.mark.parametrize("given", [{}, {"seed": None}, {"seed": ""}])
    def test_without_a_seed_one_is_drawn(self, api, given):
        seeds = {run(api, cat(), **given).json()["seed"] for _ in range(2)}

        assert all(0 <= seed < 2**31 for seed in seeds)
        assert len(seeds) == 2

    def test_other_fields_and_headers_are_ignored(self, api):
        headers = KEY | {"x-fal-queue-priority": "low", "x-fal-store-io": "0", "x-fal-no-retry": "1"}

        answer = post(api, {"image_url": data_uri(cat()), "sync_mode": True, "prompt": ["x"]}, headers=headers)

        assert answer.json()["image"]["url"].startswith("https://")


FAULTS = [
    (b"", ["body", "image_url"], "missing"),
    (b"{}", ["body", "image_url"], "missing"),
    (b'{"image_url": ""}', ["body", "image_url"], "missing"),
    (b'{"image_url": null}', ["body", "image_url"], "missing"),
    (b'{"image_url": 5}', ["body", "image_url"], "string_type"),
    (b'{"image_url": {"url": "x"}}', ["body", "image_url"], "string_type"),
    (b"[]", ["body"], "model_attributes_type"),
    (b"{", ["body"], "json_invalid"),
    (b"\xff", ["body"], "json_invalid"),
    (b'{"image_url": NaN}', ["body"], "json_invalid"),
    (b"[" * 100_000, ["body"], "json_invalid"),
    (b'{"image_url": "cat.png"}', ["body", "image_url"], "file_download_error"),
    (b'{"image_url": "http://127.0.0.1/cat.png"}', ["body", "image_url"], "file_download_error"),
    (b'{"image_url": "http://[::1/cat.png"}', ["body", "image_url"], "file_download_error"),
    (b'{"image_url": "\\ud800"}', ["body", "image_url"], "file_download_error"),
    (b'{"image_url": "data:image/png;base64,A*"}', ["body", "image_url"], "image_load_error"),
    (b'{"image_url": "data:image/png;base64,AAAA"}', ["body", "image_url"], "unsupported_image_format"),
    (b'{"image_url": "data:,"}', ["body", "image_url"], "unsupported_image_format"),
]


class TestErrors:
    pytestmark = pytest.mark.covers("errors")

    @pytest.mark.parametrize(("body", "place", "kind"), FAULTS)
    def test_what_is_wrong_with_the_input_is_told_by_place_and_type(self, api, body, place, kind):
        answer = post(api, data=body)

        assert answer.status_code == 422
        problem_of_fal(answer)
        (item,) = answer.json()["detail"]
        assert (item["loc"], item["type"]) == (place, kind)
        assert answer.headers["x-fal-error-type"] == kind
        assert answer.headers["x-fal-retryable"] == "false"
        assert answer.headers["x-fal-billable-units"] == "0"
        assert images_of() == 0

    @pytest.mark.parametrize(
        ("seed", "kind"),
        [
            (1.5, "int_type"),
            ("one", "int_type"),
            ([], "int_type"),
            (2**63, "int_parsing_size"),
            (1e300, "int_parsing_size"),
        ],
    )
    def test_all_faults_are_told_at_once(self, api, seed, kind):
        answer = post(api, {"seed": seed})

        assert [item["type"] for item in answer.json()["detail"]] == ["missing", kind]

    def test_a_short_value_is_echoed_and_a_long_one_is_not(self, api):
        short, long = (post(api, {"image_url": "x", "seed": text}).json()["detail"][0] for text in ("one", "x" * 41))

        assert short["input"] == "one"
        assert "input" not in long

    def test_a_damaged_image_is_a_load_error(self, api):
        answer = post(api, {"image_url": data_uri(cat()[:500])})

        assert answer.json()["detail"][0]["type"] == "image_load_error"
        problem_of_fal(answer)
        assert images_of() == 0

    def test_a_url_that_answers_404_is_a_download_error(self, api, file_server):
        answer = post(api, {"image_url": f"{file_server.url}/nowhere.png"})

        assert answer.json()["detail"][0]["type"] == "file_download_error"
        problem_of_fal(answer)

    @pytest.mark.parametrize("path", ["/fal-ai/flux/dev", "/queue/fal-ai/ben/v1", "/fal-ai/ben"])
    def test_an_unknown_path_is_told_by_name(self, api, path):
        for method in ("GET", "POST", "PUT"):
            answer = api.request(method, f"{URL}{path}")

            assert (answer.status_code, answer.json()) == (404, {"detail": f"Path {path} not found"})
            problem_of_fal(answer)

    def test_another_method_is_refused_with_those_that_are_allowed(self, api):
        answer = api.get(f"{URL}{RUN}", headers=KEY)

        assert answer.status_code == 405
        assert "POST" in answer.headers["allow"]
        problem_of_fal(answer)

    def test_storage_that_is_away_may_be_tried_again_and_costs_nothing(self, api, monkeypatch):
        results = container().results
        monkeypatch.setattr(results, "_bucket", replace(results._bucket, name="no-such-bucket"))

        answer = run(api, cat())

        assert answer.status_code == 503
        assert answer.json()["error_type"] == answer.headers["x-fal-error-type"] == "runner_scheduling_failure"
        assert (answer.headers["x-fal-retryable"], answer.headers["retry-after"]) == ("true", "1")
        assert images_of() == 0

    def test_a_bug_is_told_as_nothing_more_than_an_internal_error(self, api, monkeypatch):
        def broken(*_: object) -> None:
            raise RuntimeError("secret")

        monkeypatch.setattr(container(), "fetch_image", broken)
        monkeypatch.setattr(type(container()), "removals", property(broken))

        answer = run(api, cat())

        assert answer.status_code == 500
        assert answer.json() == {"detail": "Internal server error", "error_type": "internal_error"}
        assert UUID.fullmatch(answer.headers["x-fal-request-id"])


class TestKeys:
    pytestmark = pytest.mark.covers("auth")

    @pytest.mark.parametrize("scheme", ["Key", "key", "Bearer"])
    def test_a_key_is_taken_by_its_scheme(self, api, scheme):
        headers = {"authorization": f"{scheme} {LIVE_KEY}"}

        assert post(api, {"image_url": data_uri(cat())}, headers=headers).status_code == 200

    def test_a_key_of_two_parts_is_one_key(self, api):
        container().keys.create_key("acct_local", "id:secret", KeyMode.LIVE)

        headers = {"authorization": "Key id:secret"}
        assert post(api, {"image_url": data_uri(cat())}, headers=headers).status_code == 200

    @pytest.mark.parametrize("headers", [{}, {"authorization": "Key"}, {"authorization": "Key nobody"}])
    def test_no_key_and_an_unknown_key_are_401(self, api, headers):
        answer = post(api, {"image_url": data_uri(cat())}, headers=headers)

        assert answer.status_code == 401
        assert isinstance(answer.json()["detail"], str)
        problem_of_fal(answer)

    def test_the_query_is_no_place_for_a_key(self, api, monkeypatch):
        monkeypatch.setenv("CUTOUT_LEGACY_KEYS", "true")

        answer = api.post(f"{URL}{RUN}?key={quote(LIVE_KEY)}", json={"image_url": data_uri(cat())})

        assert answer.status_code == 401

    def test_an_account_that_is_suspended_is_403(self, api):
        account_id, raw_key = customer(status="suspended")

        answer = post(api, {"image_url": data_uri(cat())}, headers={"authorization": f"Key {raw_key}"})

        assert answer.status_code == 403
        problem_of_fal(answer)
        assert images_of(account_id) == 0


class TestLimits:
    pytestmark = pytest.mark.covers("limits")

    def test_a_quota_that_is_used_up_is_403_which_no_client_sends_again(self, api):
        account_id, raw_key = customer("free", used=50)

        answer = post(api, {"image_url": data_uri(cat())}, headers={"authorization": f"Key {raw_key}"})

        assert answer.status_code == 403
        problem_of_fal(answer)
        assert images_of(account_id) == 50

    def test_above_the_rate_it_is_429_with_the_time_to_wait(self, api):
        _, raw_key = customer(rate=1)
        headers = {"authorization": f"Key {raw_key}"}
        with second_stands_still():
            answers = [post(api, {}, headers=headers) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [422, 429]
        problem_of_fal(answers[1])
        assert answers[1].headers["x-fal-retryable"] == "true"

    def test_too_many_bytes_are_told_with_the_limit(self, api, monkeypatch):
        monkeypatch.setenv("CUTOUT_MAX_IMAGE_BYTES", "1000")

        (item,) = post(api, {"image_url": data_uri(cat())}).json()["detail"]

        assert (item["type"], item["ctx"]["max_bytes"]) == ("file_too_large", 1000)

    def test_too_many_pixels_are_told_with_the_limit(self, api, monkeypatch):
        monkeypatch.setenv("CUTOUT_MAX_PIXELS", "9999")

        answer = post(api, {"image_url": data_uri(plain(100, 100))})

        (item,) = answer.json()["detail"]
        assert (item["type"], item["ctx"]["max_pixels"], item["ctx"]["width"]) == ("image_too_large", 9999, 100)
        problem_of_fal(answer)

    def test_a_result_lives_for_an_hour(self, api):
        url = run(api, cat()).json()["image"]["url"]

        assert f"X-Amz-Expires={int(timedelta(hours=1).total_seconds())}" in url
