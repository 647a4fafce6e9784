"""Jobs and uploads over HTTP against the whole local service: order, upload, wait, fetch, delete; and many at once.

moto takes every form: that S3 holds uploads to its policy is tested by reading it, in tests/unit/aws/test_uploads.py.
"""

import io
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from PIL import Image

from local import ROOT
from local.cloud import client
from tests.conftest import FileServer
from tests.support.local_service import Service

PHOTO = (ROOT / "docs" / "images" / "chelsea.jpg").read_bytes()
SIZE = (451, 300)
WAIT_S = 60
"""For one job, on a machine that is busy with other things."""


@pytest.fixture(scope="module")
def api(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, headers={"x-api-key": service.key}, timeout=60) as found:
        yield found


def post_form(form: dict[str, Any], image: bytes) -> int:
    """What any HTML form or ``curl -F`` would send."""
    return httpx.post(form["url"], data=form["fields"], files={"file": ("photo.jpg", image)}, timeout=60).status_code


def ended(api: httpx.Client, job_id: str) -> dict[str, Any]:
    """The job, once nothing more will happen to it."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        job: dict[str, Any] = api.get(f"/v2/jobs/{job_id}").json()
        if job["status"] not in {"queued", "running"}:
            return job
        time.sleep(0.2)
    pytest.fail(f"the job {job_id} has not ended within {WAIT_S} s")


def nothing_is_left(service: Service, job_id: str) -> bool:
    """Whether the buckets come to hold nothing of a job."""
    s3 = client("s3", service.endpoints["aws"])
    places = [("uploads", f"uploads/acct_local/{job_id}/"), ("results", f"results/acct_local/{job_id}/")]
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        if not any(
            s3.list_objects_v2(Bucket=service.endpoints[f"{name}_bucket"], Prefix=prefix)["KeyCount"]
            for name, prefix in places
        ):
            return True
        time.sleep(0.2)
    return False


def picture(url: str) -> Image.Image:
    answer = httpx.get(url, timeout=60)
    assert answer.status_code == 200
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    return image


def images_used(api: httpx.Client) -> int:
    used: int = api.get("/v2/account").json()["usage"]["images"]
    return used


def test_an_uploaded_image_comes_back_cut_out_with_its_mask(api):
    used = images_used(api)
    ordered = api.post("/v2/jobs", json={"format": "webp", "mask": True})
    assert ordered.status_code == 202
    assert post_form(ordered.json()["upload"], PHOTO) == 204
    job = ended(api, ordered.json()["id"])
    assert (job["status"], job["attempts"]) == ("succeeded", 1), job
    cutout, mask = picture(job["result"]["url"]), picture(job["result"]["mask_url"])
    assert (cutout.format, cutout.mode, cutout.size) == ("WEBP", "RGBA", SIZE)
    assert (mask.format, mask.mode, mask.size) == ("PNG", "L", SIZE)
    assert (job["result"]["width"], job["result"]["height"]) == SIZE
    assert images_used(api) == used + 1


def test_an_image_behind_a_url_is_fetched(api, file_server: FileServer):
    (file_server.folder / "chelsea.jpg").write_bytes(PHOTO)
    ordered = api.post("/v2/jobs", json={"image_url": f"{file_server.url}/chelsea.jpg", "size": "preview"})
    job = ended(api, ordered.json()["id"])
    assert job["status"] == "succeeded", job
    assert picture(job["result"]["url"]).format == "PNG"


@pytest.mark.parametrize(
    ("image", "code"), [(b"hello", "unsupported_image_format"), (PHOTO[:400], "invalid_image")], ids=["text", "half"]
)
def test_a_bad_upload_is_a_failed_job_that_says_why_and_costs_nothing(api, image, code):
    used = images_used(api)
    ordered = api.post("/v2/jobs", json={}).json()
    post_form(ordered["upload"], image)
    job = ended(api, ordered["id"])
    assert (job["status"], job["error"]["code"], "result" in job) == ("failed", code, False)
    assert images_used(api) == used


def test_a_url_that_gives_no_image_is_a_failed_job(api, file_server: FileServer):
    ordered = api.post("/v2/jobs", json={"image_url": f"{file_server.url}/nothing.jpg"}).json()
    job = ended(api, ordered["id"])
    assert (job["status"], job["error"]["code"]) == ("failed", "image_url_fetch_failed")
    assert job["error"]["details"] == {"upstream_status": 404}


def test_a_deferred_request_ends_like_one_that_was_waited_for(api):
    files = {"image_file": ("a.jpg", PHOTO)}
    waited = api.post("/v2", files=files, data={"bg_color": "navy", "format": "jpg"})
    deferred = api.post(
        "/v2", files=files, data={"bg_color": "navy", "format": "jpg"}, headers={"prefer": "respond-async"}
    )
    assert (deferred.status_code, deferred.headers["preference-applied"]) == (202, "respond-async")
    job = ended(api, deferred.headers["location"].rpartition("/")[2])
    assert job["status"] == "succeeded", job
    assert httpx.get(job["result"]["url"]).content == waited.content


def test_an_upload_too_large_to_be_sent_is_cut_out_by_its_id(api):
    large = io.BytesIO()
    Image.open(io.BytesIO(PHOTO)).resize((2_400, 1_600)).save(large, "BMP")
    assert len(large.getvalue()) > 6 * 2**20, "Lambda would not take it"
    upload = api.post("/v2/uploads", json={"content_type": "image/bmp"}).json()
    assert api.post("/v2", json={"upload_id": upload["upload_id"]}).status_code == 404
    assert post_form(upload, large.getvalue()) == 204
    answer = api.post("/v2", json={"upload_id": upload["upload_id"], "size": "preview"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")


def test_a_deleted_job_leaves_nothing_and_an_upload_after_it_brings_nothing_back(api, service):
    done, waiting = (api.post("/v2/jobs", json={}).json() for _ in range(2))
    post_form(done["upload"], PHOTO)
    url = ended(api, done["id"])["result"]["url"]
    assert api.delete(f"/v2/jobs/{done['id']}").json()["deleted_at"]
    assert httpx.get(url).status_code == 404
    assert api.delete(f"/v2/jobs/{waiting['id']}").json()["status"] == "cancelled"
    used = images_used(api)
    post_form(waiting["upload"], PHOTO)  # the form still works; what it brings is thrown away
    for job in (done, waiting):
        assert nothing_is_left(service, job["id"])
        assert "result" not in api.get(f"/v2/jobs/{job['id']}").json()
    assert images_used(api) == used


def test_of_ten_at_once_under_one_key_one_is_done_and_all_agree(api):
    used = images_used(api)

    def send(_: int) -> httpx.Response:
        headers = {"idempotency-key": "ten-at-once"}
        while True:
            answer = api.post("/v2", files={"image_file": ("a.jpg", PHOTO)}, headers=headers)
            if answer.status_code != 409:
                return answer
            time.sleep(int(answer.headers["retry-after"]))

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(send, range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert images_used(api) == used + 1


def test_jobs_ordered_at_once_under_one_key_are_one(api):
    def order(_: int) -> httpx.Response:
        return api.post("/v2/jobs", json={"format": "png"}, headers={"idempotency-key": "jobs-at-once"})

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(order, range(10)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_the_list_leads_through_all_jobs_page_by_page(api):
    ids = {api.post("/v2/jobs", json={}).json()["id"] for _ in range(5)}
    seen, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        query = {"limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = api.get("/v2/jobs", params=query).json()
        assert len(page["jobs"]) <= 3
        seen += page["jobs"]
        cursor, pages = page["next_cursor"], pages + 1
    assert ids <= {job["id"] for job in seen}
    assert len(seen) == len({job["id"] for job in seen})
    assert [job["created_at"] for job in seen] == sorted((job["created_at"] for job in seen), reverse=True)
