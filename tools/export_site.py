"""Writes the page as files for S3 and CloudFront: python tools/export_site.py FOLDER.

The distribution answers these, and sends ``/v2*`` on to the API, so that the page finds it at its own origin. Pages
need the headers of ``local.site.policy`` with the buckets' hosts as storage, and ``docs`` the type ``text/html``.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from local.site import read, site_files


def main() -> None:
    """Write every file of the page below a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the files go; made where it is missing")
    folder = parser.parse_args().folder
    for path, file in site_files().items():
        target = folder / (path.lstrip("/") or "index.html")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(read(file)[1])
    print(f"{len(site_files())} files in {folder}")


if __name__ == "__main__":
    main()
