"""Where the tests find Chromium, and how they start it.

Without it they are skipped with the reason; with CUTOUT_REQUIRE_CHROMIUM=1 (as in .ci/run) that is a failure.
"""

import os
import shutil
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
REQUIRED = bool(os.environ.get("CUTOUT_REQUIRE_CHROMIUM"))
"""Read at import: fixtures take the variable out of the environment."""
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-extensions",
    "--disable-sync", "--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
"""A browser that talks to this machine only."""


def chromium() -> Path:
    """The browser's program."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        (pytest.fail if REQUIRED else pytest.skip)("Chromium is not installed")
    return Path(found)
