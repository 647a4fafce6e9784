"""Transcripts in documents: what is typed after ``$`` (and ``>``) in console blocks, and what comes of it."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path


def commands(document: Path) -> list[tuple[str, str]]:
    """The commands of a document, in their order, each with the output that is written down."""
    blocks = re.findall(r"^```console\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL)
    parts = re.findall(r"^\$ (.*\n(?:^>.*\n)*)((?:^(?!\$).*\n)*)", "".join(blocks), re.MULTILINE)
    return [(re.sub("^> ?", "", command, flags=re.MULTILINE), output) for command, output in parts]


def typed(document: Path, folder: Path, environment: Mapping[str, str], url: str) -> tuple[list[str], list[str], str]:
    """Type a transcript's commands into one shell.

    url: The service that stands where the document has that of ``make run``.

    Returns what came of each command and what is written down of it, without what differs from machine to machine, and
    what went to the error output.
    """
    mark, told = "-- next --", commands(document)
    script = "".join(f"{command}echo '{mark}'\n" for command, _ in told).replace("http://127.0.0.1:8585", url)
    done = subprocess.run(
        ["bash", "-s"], cwd=folder, env=environment, input=script, capture_output=True, text=True, check=False,
        timeout=280,
    )  # fmt: skip
    came = [_comparable(output) for output in done.stdout.split(f"{mark}\n")[:-1]]
    return came, [_comparable(output) for _, output in told], done.stderr


def _comparable(text: str) -> str:
    """Without what differs from machine to machine, as times, and from model to model, as pixels."""
    return re.sub(r"\d+", "#", re.sub(r"\d+m?s\b", "#s", text)).strip()
