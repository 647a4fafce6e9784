"""fal: where things are, below a stage, a custom domain, and the host of the queue."""

import pytest

from cutout.api.dialects.fal.addresses import (
    HOME,
    QUEUE,
    RUN,
    base_url,
    file_url,
    home_of,
    id_for_answer,
    is_queued,
    job_id_of,
    upload_id_in,
)
from cutout.api.request import Headers, Request
from cutout.errors import NotFoundError

UPLOAD_ID = "upl_" + "0" * 32
UUID = "0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a"


def request(route: str = RUN, host: str = "api.example.com", base_path: str = "", **headers: str) -> Request:
    pairs = [("host", host), *((name.replace("_", "-"), value) for name, value in headers.items())]
    return Request("POST", route, f"{base_path}{route}", Headers(pairs), base_path=base_path, request_id="req_1")


@pytest.mark.parametrize(
    ("route", "host", "base_path", "home"),
    [
        (f"{QUEUE}{RUN}", "api.example.com", "", "https://api.example.com/queue/fal-ai/ben"),
        (f"{QUEUE}{RUN}", "x.execute-api.invalid", "/prod", "https://x.execute-api.invalid/prod/queue/fal-ai/ben"),
        (RUN, "queue.api.example.com", "", "https://queue.api.example.com/fal-ai/ben"),
        (RUN, "Queue.API.example.com:8443", "/v9", "https://queue.api.example.com:8443/v9/fal-ai/ben"),
    ],
)
def test_a_request_lives_where_it_was_submitted_without_the_sub_path(route, host, base_path, home):
    submit = request(route, host, base_path)

    assert is_queued(submit)
    assert home_of(submit) == home
    assert HOME == "home"


@pytest.mark.parametrize("host", ["api.example.com", "myqueue.example.com", "queues.example.com", ""])
def test_other_hosts_are_for_direct_runs(host):
    assert not is_queued(request(host=host))


@pytest.mark.parametrize(("header", "scheme"), [("http", "http"), ("https, http", "https"), (None, "https")])
def test_the_scheme_is_that_of_the_outermost_server(header, scheme):
    headers = {"x_forwarded_proto": header} if header else {}

    assert base_url(request(**headers)) == f"{scheme}://api.example.com"


@pytest.mark.parametrize("host", ["api.example.com", "queue.api.example.com", "API.example.com"])
@pytest.mark.parametrize("base_path", ["", "/prod"])
def test_a_file_of_ours_is_known_by_its_url_at_either_host(host, base_path):
    url = file_url(request("/files/upload", base_path=base_path), "acct_1", UPLOAD_ID, "cat.png")

    assert url == f"https://api.example.com{base_path}/files/acct_1/{UPLOAD_ID}/cat.png"
    assert upload_id_in(f" {url} ", request(host=host)) == UPLOAD_ID


@pytest.mark.parametrize(
    "url",
    [
        f"https://elsewhere.example.com/files/acct_1/{UPLOAD_ID}/cat.png",
        f"https://api.example.com/files/acct_1/{UPLOAD_ID}",
        f"https://api.example.com/files/acct_1/{UPLOAD_ID}/a/b",
        "https://api.example.com/files/acct_1/upl_1/cat.png",
        f"https://[::1/files/acct_1/{UPLOAD_ID}/cat.png",
        "cat.png",
        "",
    ],
)
def test_other_urls_are_none_of_ours(url):
    assert upload_id_in(url, request()) is None


def test_a_request_is_named_by_a_uuid_and_its_job_by_the_same_digits():
    asked = Request("GET", "/r", "/r", path_parameters={"id": UUID}, request_id="req_1")

    assert job_id_of(asked) == "job_" + "0a" * 16
    assert id_for_answer(asked) == UUID


@pytest.mark.parametrize("text", ["", "x", UUID.upper(), f"{UUID} ", UUID.replace("-", ""), "job_" + "0a" * 16])
def test_what_is_no_uuid_names_no_request(text):
    asked = Request("GET", "/r", "/r", path_parameters={"id": text}, request_id="req_1")

    with pytest.raises(NotFoundError):
        job_id_of(asked)
    assert id_for_answer(asked) == "1"
