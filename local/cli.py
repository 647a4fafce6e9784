"""The command ``python -m local``: the whole service on this machine, until Ctrl-C."""

import argparse
import asyncio
import os
import shlex
import signal
import sys
from pathlib import Path

from local import ROOT
from local.cloud import LOCAL_ACCOUNT, aws_environment
from local.intrinsics import TemplateError
from local.options import Options
from local.service import StartError, running

DEFAULT_KEY = "local-development-key"
PHOTO = ROOT / "docs" / "images" / "chelsea.jpg"


def main() -> int:
    """Serve; 0 after Ctrl-C, 1 with one sentence when the service cannot start."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--port", type=port, default=8585, help="of the API on 127.0.0.1; 0: a free one")
    parser.add_argument("--template", type=Path, default=ROOT / "template.yaml", help="the SAM template to serve")
    parser.add_argument("--state", type=Path, default=ROOT / ".local", help="folder of logs and endpoints.json")
    workers = os.environ.get("CUTOUT_LOCAL_WORKERS") or "0"
    parser.add_argument("--workers", type=count, default=workers, help="that hold the model; 0: as many as cores")
    timeout = os.environ.get("CUTOUT_LOCAL_TIMEOUT_S") or "0"
    parser.add_argument("--timeout", type=count, default=timeout, help="seconds for one image; 0: as the template says")
    visibility = os.environ.get("CUTOUT_LOCAL_VISIBILITY_S") or "0"
    parser.add_argument(
        "--visibility", type=count, default=visibility, help="seconds until a queue retries; 0: as there"
    )
    functions_aws = os.environ.get("CUTOUT_LOCAL_FUNCTIONS_AWS") or ""
    parser.add_argument("--functions-aws", default=functions_aws, help="URL of a proxy between the functions and moto")
    parser.add_argument(
        "--open-account",
        default=os.environ.get("CUTOUT_OPEN_ACCOUNT", LOCAL_ACCOUNT.id),
        help="whose requests without a key are, by contracts that have none; empty: nobody's (default: %(default)s)",
    )
    given = parser.parse_args()
    forget_aws()
    key = os.environ.get("CUTOUT_LOCAL_KEY") or DEFAULT_KEY
    options = Options(
        port=given.port,
        template=given.template,
        state=given.state,
        key=key,
        workers=given.workers,
        timeout_s=given.timeout,
        visibility_s=given.visibility,
        functions_aws=given.functions_aws,
        open_account=given.open_account,
    )
    try:
        asyncio.run(serve(options))
    except asyncio.CancelledError:  # by a signal
        return 0
    except (OSError, StartError, TemplateError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def port(text: str) -> int:
    """A TCP port; 0 stands for a free one."""
    number = int(text)
    if not 0 <= number <= 65_535:  # noqa: PLR2004 - 16 bits
        raise argparse.ArgumentTypeError(f"{text} is not a port")
    return number


def count(text: str) -> int:
    """A whole number that is not negative."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return number


def forget_aws() -> None:
    """Put moto's dummy settings in the place of whatever the user's shell says about AWS."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(aws_environment())


def example(url: str, key: str) -> str:
    """A curl that works when pasted into the shell that started the service."""
    photo = os.path.relpath(PHOTO) if PHOTO.exists() else "photo.jpg"
    header, form = shlex.quote(f"x-api-key: {key}"), shlex.quote(f"image_file=@{photo}")
    return f"curl -H {header} -F {form} {url}/v2 -o out.png"


async def serve(options: Options) -> None:
    """Start, say so, and run until cancelled by a signal; a second signal ends everything without more ado."""
    stop = asyncio.Event()
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine runs in a task

    def on_signal() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()
        task.cancel()

    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    async with running(options) as url:
        print(f"Ready on {url} (Ctrl-C stops). Try:\n\n  {example(url, options.key)}\n", flush=True)
        await stop.wait()
