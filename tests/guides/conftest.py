"""A reader of the guides, with a shop whose photos can be fetched and whose webhooks are heard."""

import pytest

from tests.dialects.pictures import astronaut
from tests.guides.guide import Reader


@pytest.fixture
def reader(tmp_path, service, file_server, hooks) -> Reader:
    (file_server.folder / "mug.jpg").write_bytes(astronaut(120))
    places = {"https://shop.example": file_server.url, "https://hooks.example": f"http://{hooks.authority}"}
    return Reader(tmp_path, service, places)
