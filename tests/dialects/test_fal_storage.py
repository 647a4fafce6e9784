"""fal: uploads by the calls of its clients, and runs of what was uploaded."""

from datetime import datetime
from typing import Any

import pytest

from cutout.aws import clients
from cutout.container import container
from tests.dialects.callers import customer, images_of
from tests.dialects.fal_bench import KEY, RUN, SUBMIT, ask, work
from tests.dialects.pictures import cat
from tests.dialects.shapes import problem_of_fal, success_of_fal
from tests.support.in_process_api import URL

UPLOAD_ID = "upl_" + "0" * 32


def initiate(api: Any, storage_type: str, **body: Any) -> dict[str, str]:
    answer = api.post(f"{URL}/storage/upload/initiate?storage_type={storage_type}", json=body, headers=KEY)
    success_of_fal(answer)
    document: dict[str, str] = answer.json()
    return document


def upload(api: Any, data: bytes = b"", name: str = "cat.png") -> str:
    answer = api.post(f"{URL}/files/upload", data=data or cat(), headers=KEY | {"x-fal-file-name": name})
    success_of_fal(answer)
    return str(answer.json()["access_url"])


@pytest.mark.covers("happy")
class TestUploads:
    def test_a_token_is_good_for_uploads_until_a_time_with_its_zone(self, api):
        answer = api.post(f"{URL}/storage/auth/token?storage_type=fal-cdn-v3", json={}, headers=KEY)

        success_of_fal(answer)
        document = answer.json()
        assert datetime.fromisoformat(document["expires_at"]).utcoffset() is not None
        headers = {"authorization": f"{document['token_type']} {document['token']}"}
        again = api.post(f"{document['base_url']}/files/upload", data=cat(), headers=headers)
        assert again.status_code == 200
        assert answer.headers["cache-control"] == "no-store"

    @pytest.mark.parametrize("path", [RUN, SUBMIT])
    def test_a_file_that_was_uploaded_is_run_by_its_url(self, api, path):
        answer = api.post(f"{URL}{path}", json={"image_url": upload(api)}, headers=KEY)

        assert answer.status_code == 200
        if path == SUBMIT:
            work()
            answer = ask(api, "GET", answer.json()["response_url"])
        assert (answer.json()["image"]["width"], answer.json()["image"]["height"]) == (120, 80)
        assert images_of() == 1

    def test_a_place_of_ours_takes_a_file_with_the_key_beside_it(self, api):
        place = initiate(api, "gcs", file_name="a b/ü.png", content_type="image/png")

        put = api.put(place["upload_url"], data=cat(), headers=KEY | {"content-type": "image/png"})

        assert place["upload_url"].startswith(f"{URL}/storage/upload/upl_")
        assert place["file_url"].endswith("/a_b_.png")
        assert (put.status_code, put.json()) == (200, {})
        assert api.post(f"{URL}{RUN}", json={"image_url": place["file_url"]}, headers=KEY).status_code == 200

    def test_a_place_in_storage_takes_a_file_without_a_key(self, api):
        place = initiate(api, "fal-cdn-v3", file_name="cat.png", content_type="image/png")

        assert "X-Amz-Signature=" in place["upload_url"]
        key = place["upload_url"].partition("?")[0].partition(".amazonaws.com/")[2]
        container().uploads.store(key, cat())
        assert api.post(f"{URL}{RUN}", json={"image_url": place["file_url"]}, headers=KEY).status_code == 200

    def test_a_file_may_be_read_by_whoever_knows_its_url(self, api):
        answer = api.get(upload(api), allow_redirects=False)

        assert answer.status_code == 302
        success_of_fal(answer)
        key = answer.headers["location"].partition("?")[0].partition(".amazonaws.com/")[2]
        stored = clients.s3_client().get_object(Bucket=container().settings.uploads_bucket, Key=key)["Body"].read()
        assert stored == cat()

    @pytest.mark.parametrize(
        ("name", "shown"), [("cat.png", "cat.png"), ("../../x", ".._.._x"), ("", "upload.bin"), ("x" * 200, "x" * 100)]
    )
    def test_the_file_name_is_for_people_and_is_made_safe(self, api, name, shown):
        url = upload(api, name=name)

        assert url.rpartition("/")[2] == shown
        assert len(url.split("/")) == 7


@pytest.mark.covers("errors")
class TestErrors:
    def test_a_file_that_is_not_there_is_a_download_error(self, api):
        url = f"{URL}/files/acct_local/{UPLOAD_ID}/cat.png"

        for path in (RUN, SUBMIT):
            answer = api.post(f"{URL}{path}", json={"image_url": url}, headers=KEY)
            problem_of_fal(answer)
            assert answer.json()["detail"][0]["type"] == "file_download_error"

    def test_another_accounts_file_is_not_there(self, api):
        _, other = customer()

        answer = api.post(f"{URL}{RUN}", json={"image_url": upload(api)}, headers={"authorization": f"Key {other}"})

        assert answer.json()["detail"][0]["type"] == "file_download_error"

    def test_a_url_of_another_host_is_none_of_ours(self, api):
        url = upload(api).replace("cutout.test", "cutout.invalid")

        answer = api.post(f"{URL}{RUN}", json={"image_url": url}, headers=KEY)

        assert answer.json()["detail"][0]["type"] == "file_download_error"

    @pytest.mark.parametrize("path", ["/files/upload/multipart", "/storage/upload/initiate-multipart"])
    def test_parts_are_refused_since_only_files_above_the_limit_come_in_parts(self, api, path):
        answer = api.post(f"{URL}{path}", json={}, headers=KEY)

        problem_of_fal(answer)
        assert answer.json()["detail"][0]["type"] == "file_too_large"

    @pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
    def test_an_initiate_wants_an_object(self, api, body):
        answer = api.post(f"{URL}/storage/upload/initiate", data=body, headers=KEY)

        assert answer.status_code == 422
        problem_of_fal(answer)

    def test_an_empty_file_is_refused(self, api):
        answer = api.post(f"{URL}/files/upload", headers=KEY)

        assert answer.json()["detail"] == [
            {"loc": ["body"], "msg": "The body is empty; send an image.", "type": "missing"}
        ]
        problem_of_fal(answer)

    @pytest.mark.parametrize("upload_id", ["x", "upl_" + "0" * 31, "upl_" + "g" * 32])
    def test_there_is_no_place_but_those_that_were_given(self, api, upload_id):
        answers = [
            api.put(f"{URL}/storage/upload/{upload_id}", data=cat(), headers=KEY),
            api.get(f"{URL}/files/acct_local/{upload_id}/x.png"),
            api.get(f"{URL}/files/acct%2Flocal/{UPLOAD_ID}/x.png"),
        ]

        for answer in answers:
            assert answer.status_code == 404
            problem_of_fal(answer)


@pytest.mark.covers("auth")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/storage/auth/token"),
        ("POST", "/storage/upload/initiate"),
        ("POST", "/storage/upload/initiate-multipart"),
        ("PUT", f"/storage/upload/{UPLOAD_ID}"),
        ("POST", "/files/upload"),
        ("POST", "/files/upload/multipart"),
    ],
)
def test_every_upload_wants_a_key(api, method, path):
    answer = api.request(method, f"{URL}{path}", data=cat())

    assert answer.status_code == 401
    problem_of_fal(answer)


@pytest.mark.covers("limits")
def test_a_file_above_the_limit_is_not_kept(api, monkeypatch):
    monkeypatch.setenv("CUTOUT_MAX_IMAGE_BYTES", "1000")

    answer = api.post(f"{URL}/files/upload", data=cat(), headers=KEY)

    assert answer.json()["detail"][0]["type"] == "file_too_large"
    problem_of_fal(answer)
    assert clients.s3_client().list_objects_v2(Bucket=container().settings.uploads_bucket)["KeyCount"] == 0
