"""The JavaScript client in Deno and in Bun, where they are installed: no runtime's fetch is quite like another's."""

import base64
import shutil

import pytest

from tests.clients.faulty_proxy import faulty_proxy
from tests.clients.javascript_client import built, call, run
from tests.dialects.pictures import astronaut, opened

RUNTIMES = {
    "deno": ("run", "--quiet", "--allow-net=127.0.0.1", "--allow-read", "--allow-write", "--allow-env"),
    "bun": ("run",),
}
PHOTO = "base64:" + base64.b64encode(astronaut(96)).decode()


@pytest.fixture(params=RUNTIMES)
def runtime(request):
    found = shutil.which(request.param)
    if found is None:
        pytest.skip(f"{request.param} is not installed")
    return [found, *RUNTIMES[request.param]]


@pytest.mark.parametrize("options", [{}, {"channels": "alpha"}, {"format": "zip"}])
def test_a_cutout_its_mask_and_where_the_subject_is(options, runtime, service):
    answer = call(service.url, service.key, {"method": "remove", "arguments": [PHOTO, options]}, runtime)["value"]
    assert answer["box"]["height"] > 60
    assert opened(base64.b64decode(answer["mask"])).size == (96, 96)


def test_an_upload_a_job_and_a_typed_error(runtime, service):
    order = {"method": "remove", "arguments": [PHOTO], "client": {"directBytes": 100}}
    assert call(service.url, service.key, order, runtime)["value"]["width"] == 96
    job = {"method": "jobs.run", "arguments": [PHOTO, {"format": "jpg", "mask": True}]}
    assert call(service.url, service.key, job, runtime)["value"]["mediaType"] == "image/jpeg"
    wrong = {"method": "remove", "arguments": [PHOTO, {"size": "huge"}]}
    assert call(service.url, service.key, wrong, runtime)["error"]["name"] == "InvalidOptionError"


@pytest.mark.parametrize("fault", ["drop", "lose", "leave", "half", "hold", "limit", "unavailable"])
def test_a_fault_that_passes_is_survived(fault, runtime, service):
    order = {"method": "remove", "arguments": [PHOTO], "client": {"retry": {"baseMs": 20}, "timeoutMs": 8000}}
    with faulty_proxy(service.url, fault, "pass") as proxy:
        answer = call(proxy.url, service.key, order, runtime)
    assert answer["value"]["width"] == 96
    assert len({seen.idempotency_key for seen in proxy.seen}) == 1


@pytest.mark.parametrize("fault", ["drop", "half"])
def test_a_fault_that_stays_ends_with_a_typed_error(fault, runtime, service):
    order = {"method": "remove", "arguments": [PHOTO], "client": {"retry": {"baseMs": 20, "maxRetries": 1}}}
    with faulty_proxy(service.url, fault) as proxy:
        assert call(proxy.url, service.key, order, runtime)["error"]["code"] == "connection_failed"


def test_files_are_read_and_written(runtime, service, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(astronaut(96))
    script = tmp_path / "script.mjs"
    script.write_text(
        f"import {{ Cutout }} from '{built().as_uri()}/dist/esm/index.js'\n"
        "await (await new Cutout().remove('photo.jpg')).save('cutout.png')\n"
    )
    settings = {"CUTOUT_BASE_URL": service.url, "CUTOUT_API_KEY": service.key}
    run(str(script), folder=tmp_path, settings=settings, runtime=runtime)
    assert opened((tmp_path / "cutout.png").read_bytes()).size == (96, 96)
