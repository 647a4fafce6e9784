"""remove.bg: keys, limits, and every refusal of its table; none of them is charged."""

import base64

import pytest

from cutout.api.dialects.removebg import DIALECT
from cutout.api.request import Headers, Request
from cutout.container import container
from cutout.errors import CutoutError, DeadlineError, ServiceUnavailableError
from tests.dialects.callers import customer, images_of, second_stands_still
from tests.dialects.pictures import astronaut, cat, plain
from tests.dialects.removebg_client import ACCOUNT, IMPROVE, REMOVE, ask, code_of, key_header
from tests.dialects.shapes import problem_of_removebg, success_of_removebg
from tests.support.local_service import LIVE_KEY
from tests.unit.imaging.pictures import png_of

TEXT = base64.b64encode(astronaut()).decode()
NO_IMAGE = b"neither this nor that"
MB = 2**20


def refused(answer, status: int, code: str) -> dict[str, str]:
    """The one error of a refusal."""
    problem_of_removebg(answer)
    assert (answer.status_code, code_of(answer)) == (status, code)
    return answer.json()["errors"][0]


@pytest.mark.covers("auth")
class TestKeys:
    @pytest.mark.parametrize(
        "headers",
        [
            {"X-API-Key": LIVE_KEY},
            {"X-Api-Key": LIVE_KEY},
            {"x-api-key": LIVE_KEY},
            {"Authorization": f"Bearer {LIVE_KEY}"},
        ],
    )
    def test_a_key_comes_in_a_header_of_its_own_or_as_a_bearer(self, api, headers):
        assert api.post(REMOVE, files={"image_file": astronaut()}, headers=headers).status_code == 200
        assert api.get(ACCOUNT, headers=headers).status_code == 200

    @pytest.mark.parametrize("route", [REMOVE, IMPROVE])
    def test_without_a_key_there_is_a_403_that_says_so(self, api, route):
        error = refused(api.post(route, files={"image_file": astronaut()}), 403, "auth_failed")
        assert error["title"] == "Missing API Key"
        assert refused(api.get(ACCOUNT), 403, "auth_failed")["title"] == "Missing API Key"

    def test_a_wrong_key_is_a_403_whatever_comes_with_it(self, api):
        for headers in (key_header("wrong"), {"Authorization": "Bearer wrong"}):
            error = refused(api.post(REMOVE, data=b"{", headers=headers), 403, "auth_failed")
            assert error["title"] == "API Key invalid"

    def test_a_key_in_the_url_or_in_the_form_is_none(self, api):
        answer = api.post(f"{REMOVE}?api_key={LIVE_KEY}", files={"image_file": astronaut()}, data={"api_key": LIVE_KEY})
        refused(answer, 403, "auth_failed")

    def test_a_suspended_account_is_a_403(self, api):
        _, key = customer(status="suspended")
        refused(ask(api, key=key), 403, "auth_failed")


@pytest.mark.covers("errors")
class TestParameters:
    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"size": "huge"}, "invalid_size"),
            ({"format": "gif"}, "invalid_format"),
            ({"format": "bmp"}, "invalid_format"),
            ({"channels": "rgb"}, "invalid_channels"),
            ({"roi": "1 2 3"}, "invalid_roi"),
            ({"roi": "a b c d"}, "invalid_roi"),
            ({"roi": "10px 10px 10px 90px"}, "roi_region_empty"),
            ({"roi": "0px 0px 161px 160px"}, "roi_exceeds_bounds"),
            ({"crop": "perhaps"}, "invalid_crop"),
            ({"crop": "true", "crop_margin": "501px"}, "invalid_crop_margin"),
            ({"crop_margin": "51%"}, "invalid_crop_margin"),
            ({"crop_margin": "1px 2px 3px"}, "invalid_crop_margin"),
            ({"scale": "9%"}, "invalid_scale"),
            ({"scale": "101%"}, "invalid_scale"),
            ({"position": "101%"}, "invalid_position"),
            ({"position": "somewhere"}, "invalid_position"),
            ({"bg_color": "12345"}, "invalid_bg_color"),
            ({"bg_color": "no colour"}, "invalid_bg_color"),
            ({"semitransparency": "2"}, "invalid_semitransparency"),
            ({"type": "ghost"}, "invalid_type"),
            ({"type_level": "3"}, "invalid_type_level"),
            ({"shadow_type": "long"}, "invalid_shadow_type"),
            ({"shadow_type[car]": "long"}, "invalid_shadow_type"),
            ({"shadow_type[ghost]": "drop"}, "invalid_shadow_type"),
            ({"shadow_opacity": "101"}, "invalid_shadow_opacity"),
            ({"shadow_opacity[ghost]": "10"}, "invalid_shadow_opacity"),
            ({"add_shadow": "maybe"}, "invalid_add_shadow"),
            ({"bg_image_url": "not a url"}, "invalid_bg_image_url"),
            ({"bg_image_url": "http://127.0.0.1:9999/a.png"}, "failed_bg_download"),
            ({"bg_color": "red", "bg_image_url": "https://example.com/a.png"}, "multiple_bg_sources"),
            ({"image_url": "https://example.com/a.png"}, "multiple_sources"),
        ],
    )
    def test_each_wrong_value_has_its_code_and_costs_nothing(self, api, fields, code):
        refused(ask(api, **fields), 400, code)
        assert images_of() == 0

    def test_a_background_file_beside_a_colour_is_one_too_many(self, api):
        refused(ask(api, background=plain(5, 5), bg_color="red"), 400, "multiple_bg_sources")


@pytest.mark.covers("errors")
class TestImages:
    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"data": {}}, "missing_source"),
            ({"data": {"image_file_b64": "", "image_url": ""}}, "missing_source"),
            ({"files": {"image_file": ("a.jpg", b"")}}, "missing_source"),
            ({"data": b"some bytes"}, "missing_source"),
            ({"json": {}}, "missing_source"),
            ({"json": {"image_url": "ftp://example.com/a.png"}}, "invalid_image_url"),
            ({"json": {"image_url": "no url"}}, "invalid_image_url"),
            ({"json": {"image_url": "http://127.0.0.1:9999/a.png"}}, "failed_image_download"),
            ({"json": {"image_file_b64": "!!!"}}, "failed_to_read_image"),
            ({"json": {"image_file_b64": TEXT[:2_000]}}, "failed_to_read_image"),
            ({"json": {"image_file_b64": base64.b64encode(NO_IMAGE).decode()}}, "invalid_file_type"),
            ({"files": {"image_file": plain(9, 9, "GIF")}}, "invalid_file_type"),
            ({"files": {"image_file": plain(9, 9, "TIFF")}}, "invalid_file_type"),
            ({"files": {"image_file": plain(90, 60, colour="gray")}}, "unknown_foreground"),
            ({"files": {"image_file": plain(90, 60), "bg_image_file": NO_IMAGE}}, "invalid_file_type"),
            ({"data": b"{", "headers": {"Content-Type": "application/json"}}, "invalid_request"),
            ({"json": {"image_url": ["a"]}}, "invalid_request"),
            ({"data": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=a"}}, "invalid_request"),
        ],
    )
    def test_each_wrong_image_has_its_code_and_costs_nothing(self, api, body, code):
        headers = {**key_header(), **body.pop("headers", {})} if "headers" in body else key_header()
        refused(api.post(REMOVE, headers=headers, **body), 400, code)
        assert images_of() == 0

    def test_a_download_that_failed_tells_the_status_in_its_title(self, api, file_server, monkeypatch):
        monkeypatch.setenv("CUTOUT_URL_ALLOW", file_server.authority)
        container.cache_clear()
        for name, code in (("image_url", "failed_image_download"), ("bg_image_url", "failed_bg_download")):
            fields = {"image_file_b64": TEXT} if name == "bg_image_url" else {}
            answer = api.post(REMOVE, headers=key_header(), data={**fields, name: f"{file_server.url}/nowhere.png"})
            assert refused(answer, 400, code)["title"].endswith("(404)")
        assert images_of() == 0

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    def test_the_three_kinds_of_image_are_taken(self, api, kind):
        success_of_removebg(ask(api, image=cat(90, 60, kind)))

    def test_a_donated_image_is_looked_at_too(self, api):
        for body, code in (
            ({"data": {}}, "missing_source"),
            ({"files": {"image_file": NO_IMAGE}}, "invalid_file_type"),
            ({"json": {"image_file_b64": "!"}}, "failed_to_read_image"),
            ({"json": {"image_url": "nowhere"}}, "invalid_image_url"),
        ):
            refused(api.post(IMPROVE, headers=key_header(), **body), 400, code)


@pytest.mark.covers("limits")
class TestLimits:
    def test_22_megabytes_pass_and_one_byte_more_is_a_400_that_names_the_limit(self, api):
        full = cat(90, 60, "JPEG").ljust(22 * MB, b"\0")
        assert ask(api, image=full).status_code == 200
        error = refused(ask(api, image=full + b"\0"), 400, "file_too_large")
        assert error["detail"] == "File exceeds limit of 22 MB"
        assert images_of() == 1

    def test_a_download_of_any_size_above_names_the_same_limit(self, api, file_server, monkeypatch):
        monkeypatch.setenv("CUTOUT_URL_ALLOW", file_server.authority)
        container.cache_clear()
        (file_server.folder / "large.jpg").write_bytes(b"\0" * (31 * MB))
        answer = api.post(REMOVE, headers=key_header(), json={"image_url": f"{file_server.url}/large.jpg"})
        (file_server.folder / "large.jpg").unlink()
        assert refused(answer, 400, "file_too_large")["detail"] == "File exceeds limit of 22 MB"

    @pytest.mark.parametrize(
        ("width", "height", "code"),
        [
            (7_072, 7_072, "resolution_too_high"),
            (40_000, 40_000, "resolution_too_high"),
            (65_536, 2, "invalid_dimensions"),
        ],
    )
    def test_what_has_too_many_pixels_or_too_long_a_side_is_refused(self, api, width, height, code):
        refused(ask(api, image=png_of(width, height, b"")), 400, code)

    def test_no_images_left_is_a_402_and_nothing_more_is_counted(self, api):
        account, key = customer("free", used=50)
        assert refused(ask(api, key=key), 402, "insufficient_credits")["title"] == "Insufficient credits"
        assert images_of(account) == 50
        assert api.get(ACCOUNT, headers=key_header(key)).json()["data"]["attributes"]["credits"]["total"] == 0

    def test_too_many_requests_are_a_429_that_says_when_to_come_again(self, api):
        _, key = customer(rate=1)
        with second_stands_still():
            assert api.get(ACCOUNT, headers=key_header(key)).status_code == 200
            for answer in (ask(api, key=key), api.get(ACCOUNT, headers=key_header(key))):
                assert refused(answer, 429, "rate_limit_exceeded")["title"] == "Rate limit exceeded"
                assert answer.headers["retry-after"] == "1"
                assert (answer.headers["x-ratelimit-limit"], answer.headers["x-ratelimit-remaining"]) == ("1", "0")


@pytest.mark.covers("errors")
class TestOthers:
    @pytest.mark.parametrize(("route", "allow"), [(REMOVE, "POST"), (ACCOUNT, "GET, HEAD"), (IMPROVE, "POST")])
    def test_another_method_is_a_405_in_the_same_shape(self, api, route, allow):
        answer = api.delete(route, headers=key_header())
        refused(answer, 405, "method_not_allowed")
        assert set(answer.headers["allow"].split(", ")) == set(allow.split(", "))

    @pytest.mark.parametrize(
        ("error", "status", "code"),
        [
            (CutoutError("secret"), 500, "internal_error"),
            (ServiceUnavailableError("secret"), 503, "service_unavailable"),
            (DeadlineError("secret"), 504, "timeout"),
        ],
    )
    def test_a_fault_of_ours_has_a_title_and_no_details(self, error, status, code):
        response = DIALECT.problem(error, Request("POST", "", "", Headers()))
        assert response.status == status
        assert b"secret" not in response.body
        assert f'"code": "{code}"'.encode() in response.body
        assert response.media_type == "application/json; charset=utf-8"
        assert ("retry-after" in response.headers) == (status == 503)


def test_a_preflight_needs_no_key(api):
    asked = {"Origin": "https://example.com", "Access-Control-Request-Headers": "x-api-key"}
    answer = api.options(REMOVE, headers={**asked, "Access-Control-Request-Method": "POST"})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-headers"] == "x-api-key"
