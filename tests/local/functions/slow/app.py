"""A toy image function: two invocations meet, or one of them runs into the timeout."""

import json
import os
import time
from pathlib import Path

import toylayer


def handler(event, context):
    folder = (event.get("queryStringParameters") or {}).get("meet")
    if folder:
        meet(Path(folder))
    body = {"pid": os.getpid(), "layer": toylayer.NAME, "threads": os.environ["CUTOUT_THREADS"]}
    return {"statusCode": 200, "body": json.dumps(body)}


def meet(folder):
    """Return when another process is here too: possible only if both are being served at once."""
    (folder / str(os.getpid())).touch()
    while len(list(folder.iterdir())) < 2:
        time.sleep(0.01)
