"""Fetch a model of ``models/manifest.toml`` and check it: ``python tools/fetch_model.py NAME [--models-dir DIR]``.

A broken download is resumed, a file with a wrong checksum never stays. A model that comes with the repository is
only checked. Exit status: 0 the file is there and right, 1 it is not, 2 the command line or the manifest is wrong.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import BinaryIO

import urllib3

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "layers" / "cutout"))

from cutout.errors import ServiceUnavailableError
from cutout.imaging.models.manifest import ManifestError, Model, load_manifest, verify

_CHUNK_BYTES = 1 << 18
_TRIES = 5
_TIMEOUT = urllib3.Timeout(connect=10, read=30)
_REPORT_S = 0.5
_OK, _PARTIAL, _RANGE_NOT_SATISFIABLE = 200, 206, 416
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


class FetchError(Exception):
    """The model cannot be fetched; another try at once would not help."""


class BrokenOffError(Exception):
    """The download broke off; the next try resumes it."""


def main(arguments: list[str] | None = None, *, first_wait_s: float = 1.0) -> int:
    """Run the command; ``first_wait_s`` is the pause after the first failure, doubled after each further one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="row of the manifest")
    parser.add_argument("--models-dir", type=Path, default=Path(__file__).resolve().parents[1] / "models")
    parser.add_argument("--url", help="fetch from here instead of the manifest's address (a mirror)")
    chosen = parser.parse_args(arguments)
    try:
        model = load_manifest(chosen.models_dir).select(chosen.name)
    except ManifestError as error:
        print(error, file=sys.stderr)
        return 2
    path = chosen.models_dir / model.file
    try:
        print(ensure(model, path, chosen.url or model.url, first_wait_s=first_wait_s))
    except FetchError as error:
        print(f"{model.name}: {error}", file=sys.stderr)
        return 1
    return 0


def ensure(model: Model, path: Path, url: str, *, first_wait_s: float = 1.0) -> str:
    """Make ``path`` the right file and say how it came to be. Raises FetchError."""
    if path.exists():
        problem = _problem(model, path)
        if problem is None:
            return f"{path} is there and right"
        if not url:
            raise FetchError(f"{path} {problem}; it comes with the repository, restore it with git")
        print(f"{path} {problem}; it is fetched anew")
    elif not url:
        raise FetchError(f"{path} is missing; it comes with the repository, restore it with git")
    part = path.with_name(path.name + ".part")
    _download(url, part, first_wait_s)
    problem = _problem(model, part)
    if problem is not None:
        part.unlink()
        raise FetchError(f"what {url} sent {problem}; it has been removed")
    part.replace(path)
    return f"{path} fetched and right"


def _problem(model: Model, path: Path) -> str | None:
    size = path.stat().st_size
    if model.size_bytes and size != model.size_bytes:
        return f"has {size} bytes instead of {model.size_bytes}"
    try:
        verify(model, path)
    except ServiceUnavailableError as error:
        return "has the {checksum} {found} instead of {expected}".format_map(error.details)
    return None


def _download(url: str, part: Path, first_wait_s: float) -> None:
    with urllib3.PoolManager(timeout=_TIMEOUT, retries=urllib3.Retry(0, redirect=5)) as http:
        for attempt in range(_TRIES):
            try:
                _download_once(http, url, part)
            except (urllib3.exceptions.HTTPError, BrokenOffError) as error:
                if attempt + 1 == _TRIES:
                    raise FetchError(f"{url}: gave up after {_TRIES} tries: {error}") from error
                wait_s = first_wait_s * 2**attempt
                print(f"{error}; next try in {wait_s:g} s")
                time.sleep(wait_s)
            else:
                return


def _download_once(http: urllib3.PoolManager, url: str, part: Path) -> None:
    """Append to ``part`` what it lacks; a server that ignores the range starts it over."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"accept-encoding": "identity", **({"range": f"bytes={have}-"} if have else {})}
    with http.request("GET", url, headers=headers, preload_content=False) as response:
        if response.status == _RANGE_NOT_SATISFIABLE and have:
            # Either all is there already or the file behind the URL has changed: the size says which.
            if response.headers.get("content-range") == f"bytes */{have}":
                return
            part.unlink()
            raise BrokenOffError("the rest does not fit what is here, starting over")
        if response.status in _TRY_AGAIN:
            raise BrokenOffError(f"the server answered {response.status}")
        if response.status not in {_OK, _PARTIAL}:
            raise FetchError(f"{url} answered {response.status}")
        resumed = response.status == _PARTIAL
        if resumed and not response.headers.get("content-range", "").startswith(f"bytes {have}-"):
            raise FetchError(f"{url} answered another range than asked for")
        have = have if resumed else 0
        total = have + int(response.headers.get("content-length", 0))
        with part.open("ab" if resumed else "wb") as file:
            _copy(response, file, have, total)


def _copy(response: urllib3.BaseHTTPResponse, file: BinaryIO, have: int, total: int) -> None:
    first, started, shown = have, time.monotonic(), 0.0
    while chunk := response.read1(_CHUNK_BYTES):  # read1: what has come, also before a break, so nothing is lost
        file.write(chunk)
        have += len(chunk)
        now = time.monotonic()
        if now - shown >= _REPORT_S or have == total:
            shown = now
            share = f"{100 * have // total:3d} %" if total else "     "
            print(
                f"\r{share} {have / 1e6:8.1f} MB  {(have - first) / 1e6 / max(now - started, 1e-3):6.1f} MB/s", end=""
            )
    print()
    if total and have != total:
        raise BrokenOffError(f"the connection broke off at {have} of {total} bytes")


if __name__ == "__main__":
    sys.exit(main())
