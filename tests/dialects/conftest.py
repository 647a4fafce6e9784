"""Every answer that a test of a dialect gets is held to the documents, besides what the test itself asks of it."""

from typing import Any

import pytest
import requests

from tests.dialects import documents


@pytest.fixture
def api(api: requests.Session) -> requests.Session:
    def look(response: requests.Response, *_: Any, **__: Any) -> None:
        documents.validate(response)

    api.hooks["response"].append(look)
    return api
