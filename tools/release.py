"""Checks a client's tag before its release is published: python tools/release.py python-0.1.0 (or javascript-0.1.0).

The tag has to name the version of the package, and the client's changelog has to begin with it.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class ReleaseError(Exception):
    """The tag does not fit what would be published."""


def main() -> None:
    """Check the tag that is given, and say what would be published."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and a tag
        sys.exit(__doc__)
    try:
        client, version = check(sys.argv[1], ROOT)
    except ReleaseError as error:
        sys.exit(str(error))
    print(f"{client} {version}")


def check(tag: str, root: Path) -> tuple[str, str]:
    """Hold a tag against the package and its changelog.

    Args:
        tag: The tag, such as ``python-0.1.0``.
        root: A checkout of the repository.

    Returns:
        The client, ``python`` or ``javascript``, and its version.

    Raises:
        ReleaseError: The tag, the package's version and the changelog do not agree.
    """
    client, _, wanted = tag.partition("-")
    if client not in {"python", "javascript"}:
        raise ReleaseError(f"{tag} is not the tag of a client: python-VERSION or javascript-VERSION")
    version = version_of(client, root)
    if version != wanted:
        raise ReleaseError(f"{tag} names version {wanted}, and the package says {version}")
    changelog = (root / "clients" / client / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\S+)", changelog, re.MULTILINE)
    if newest is None or newest[1] != version:
        raise ReleaseError(f"clients/{client}/CHANGELOG.md does not begin with {version}")
    return client, version


def version_of(client: str, root: Path) -> str:
    """Read the version of a client's package.

    Args:
        client: ``python`` or ``javascript``.
        root: A checkout of the repository.
    """
    folder = root / "clients" / client
    if client == "javascript":
        return str(json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"])
    text = (folder / "cutout_client" / "_version.py").read_text(encoding="utf-8")
    return text.partition('__version__ = "')[2].partition('"')[0]


if __name__ == "__main__":
    main()
