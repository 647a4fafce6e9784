"""The command line ``cutout``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; says what to install when its packages are missing."""
    try:
        from cutout_client.cli.app import app  # noqa: PLC0415 - an extra
    except ImportError as error:
        if error.name not in {"typer", "rich", "tomli"}:
            raise
        sys.exit("The command line needs its extra: pip install 'cutout-client[cli]'")
    app()
