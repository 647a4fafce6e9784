"""Writes the page as files: python tools/export_site.py FOLDER, or --bucket BUCKET, that of the stack of web.yaml.

The distribution of web.yaml answers these, and sends ``/v2*`` on to the API, so that the page finds it at its own
origin. Another host needs the headers of ``local.site.policy`` with the buckets' hosts as storage, and ``docs`` and
``status`` with the type ``text/html``.
"""

import argparse
import sys
from pathlib import Path

import boto3

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from local.site import read, site_files


def main() -> None:
    """Write every file of the page below a folder, or into a bucket."""
    parser = argparse.ArgumentParser(description=__doc__)
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("folder", type=Path, nargs="?", help="where the files go; made where it is missing")
    place.add_argument("--bucket", help="the bucket of the page")
    chosen = parser.parse_args()
    for path, file in site_files().items():
        name = path.lstrip("/") or "index.html"
        media_type, body = read(file)
        if chosen.bucket:
            put(chosen.bucket, name, media_type, body)
        else:
            target = chosen.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(body)
    print(f"{len(site_files())} files in {chosen.bucket or chosen.folder}")


def put(bucket: str, name: str, media_type: str, body: bytes) -> None:
    """Put a file of the page into its bucket."""
    s3 = boto3.client("s3")
    s3.put_object(Bucket=bucket, Key=name, Body=body, ContentType=media_type, CacheControl="no-cache")


if __name__ == "__main__":
    main()
