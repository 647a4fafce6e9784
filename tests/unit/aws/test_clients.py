import pytest

from cutout.aws import clients


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    for client in (clients._session, clients.s3_client):
        client.cache_clear()
    yield
    for client in (clients._session, clients.s3_client):
        client.cache_clear()


def urls() -> list[str]:
    s3 = clients.s3_client()
    form = s3.generate_presigned_post("photos", "a/b.jpg")
    return [form["url"], s3.generate_presigned_url("get_object", Params={"Bucket": "photos", "Key": "a/b.jpg"})]


def test_what_is_signed_for_aws_names_the_region_so_that_no_redirect_breaks_it():
    form, url = urls()
    assert form == "https://photos.s3.eu-central-1.amazonaws.com/"
    assert url.startswith("https://photos.s3.eu-central-1.amazonaws.com/a/b.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256&")


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:5000", "http://host.docker.internal:5000"])
def test_elsewhere_a_bucket_s_name_is_no_host_s_name(monkeypatch, endpoint):
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    form, url = urls()
    assert form == f"{endpoint}/photos"
    assert url.startswith(f"{endpoint}/photos/a/b.jpg?")
