import json
from pathlib import Path

import pytest
import yaml

from cutout import errors
from cutout.api.problems import STATUS, error_of, status_of, write_problem
from cutout.api.request import Request
from cutout.errors import CutoutError

REQUEST = Request("POST", "/v2", "/v2", request_id="req_1")


def test_every_error_class_has_a_status_and_no_code_is_used_twice():
    named = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, CutoutError)]
    classes = {cls for cls in named if "code" in vars(cls)}
    assert set(STATUS) == classes
    assert len({cls.code for cls in classes}) == len(classes)


def test_the_openapi_document_lists_exactly_our_codes():
    document = yaml.safe_load(Path("docs/openapi.yaml").read_text(encoding="utf-8"))
    listed = document["components"]["schemas"]["Problem"]["properties"]["error"]["properties"]["code"]["enum"]
    assert sorted(listed) == sorted(cls.code for cls in STATUS)


def test_a_subclass_takes_the_status_of_its_parent():
    class OddImageError(errors.InvalidImageError):
        pass

    assert status_of(OddImageError("odd")) == 400


def test_the_body_has_the_shape_of_the_contract():
    response = write_problem(errors.ImageTooLargeError("too large", {"max_bytes": 3}), REQUEST)
    assert response.status == 413
    assert response.media_type == "application/json"
    assert json.loads(response.body) == {
        "error": {
            "code": "image_too_large",
            "message": "too large",
            "status": 413,
            "request_id": "req_1",
            "details": {"max_bytes": 3},
        }
    }


@pytest.mark.parametrize(
    ("error", "name", "value"),
    [
        (errors.MethodNotAllowedError("no", {"allow": "GET, HEAD"}), "allow", "GET, HEAD"),
        (errors.RateLimitedError("slow down", {"retry_after_s": 3}), "retry-after", "3"),
        (errors.ServiceUnavailableError("away"), "retry-after", "1"),
        (errors.MissingApiKeyError("no key"), "www-authenticate", 'Bearer realm="cutout"'),
    ],
)
def test_errors_carry_the_headers_that_http_wants(error, name, value):
    assert write_problem(error, REQUEST).headers[name] == value


def test_the_details_of_our_own_faults_are_kept_from_clients():
    response = write_problem(errors.ServiceUnavailableError("away", {"checksum": "abc"}), REQUEST)
    assert json.loads(response.body)["error"]["details"] == {}


def test_a_stored_error_can_be_raised_again_as_what_it_was():
    again = error_of("invalid_image", "Broken.", {"a": 1})
    assert (type(again), again.message, again.details) == (errors.InvalidImageError, "Broken.", {"a": 1})
    assert status_of(error_of("superseded", "Overwritten.", {})) == 422, "no class: a failed job's own"
