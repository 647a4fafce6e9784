"""A new user's first five minutes go as they are written down; the page's part of them is in tests/browser."""

import re

from local import ROOT
from tests.clients.javascript_client import built
from tests.guides.guide import MINUTES, is_cutout, picture
from tests.support.transcript import typed


def test_the_first_five_minutes(reader, service):
    work = reader.folder / "work"
    (work / "node_modules").mkdir(parents=True)
    (work / "node_modules" / "cutout-client").symlink_to(built())
    unset = {"CUTOUT_API_KEY", "CUTOUT_BASE_URL"}
    settings = {name: value for name, value in reader.environment.items() if name not in unset}
    settings["IMAGES"] = str(ROOT / "docs/images")
    came, told, errors = typed(MINUTES, work, settings, service.url)
    assert came == told, errors
    for name in ("photo-cutout.png", "python.webp", "javascript.webp"):
        assert is_cutout(picture(reader, f"work/{name}")), name


def test_what_sets_it_up_is_there():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z]+)`", MINUTES.read_text()))
    assert {"run", "packages"} <= named <= targets
