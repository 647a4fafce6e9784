"""schemathesis holds the running service to docs/openapi.yaml: no 5xx, no undocumented status, type or body."""

import io

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from PIL import Image

from tests.dialects import documents

schema = documents.schema()
ours = schema.exclude(
    lambda context: (
        context.operation.path in documents.dialect_paths()
        and context.operation.definition.raw["operationId"] != "getRoot"
    )
)
"""Those of the dialects are asked in tests/dialects/test_schemathesis.py, each with its own key."""

LOOSE = [
    # A body that breaks the schema may still be a fine request: names compare without case, and a field of a form has
    # no type. What must be refused stands in test_bad_requests.py.
    schemathesis.checks.negative_data_rejection,
    # Generated "images" are text, so a body that fits the schema is still refused.
    schemathesis.checks.positive_data_acceptance,
]


@schemathesis.serializer("image/*", "application/octet-stream")
def as_they_are(_: object, value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@ours.parametrize()
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_that_the_document_names(case, service):
    case.call_and_validate(base_url=service.url, headers={"x-api-key": service.key}, excluded_checks=LOOSE, timeout=30)


@pytest.mark.parametrize("name", ["image_file", "image_url"])
def test_the_examples_of_the_document_are_answered_as_it_says(name, service, file_server):
    image = io.BytesIO()
    Image.new("RGB", (40, 30), "navy").save(image, "PNG")
    (file_server.folder / "navy.png").write_bytes(image.getvalue())
    operation = schema["/v2"]["POST"]
    for fields in ({}, {"format": "jpg"}, {"channels": "alpha"}, {"size": "preview", "bg_color": "fff"}):
        source = {name: image.getvalue() if name == "image_file" else f"{file_server.url}/navy.png"}
        case = operation.Case(
            body=source | fields, media_type="multipart/form-data", headers={"x-api-key": service.key}
        )
        response = case.call(base_url=service.url)
        assert response.status_code == 200, response.content
        case.validate_response(response, excluded_checks=LOOSE)
