"""``sam local invoke`` beside a stand-in for AWS: ``python -m tools.sam_local --help``.

A container of SAM's finds no table, bucket or queue of the template on a machine without a deployed stack. Here moto
serves them where containers can reach it, with one account whose key the events carry, and the built template gets
their names. All of it ends with the command. Wants Docker and what ``sam build`` has made (``make build``).
"""

import argparse
import base64
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import yaml

from local import ROOT
from local.cloud import aws_environment, create_cloud, seed_account
from local.intrinsics import read_yaml
from local.resources import Template
from local.template import load_template
from tools.emulator import aws_server

SAM = ROOT / ".venv-sam/bin/sam"
BUILD = ROOT / ".aws-sam/build"
LOCAL_KEY = "local-development-key"
"""The key of the local account, which the events of ``events/`` carry."""


def docker(*arguments: str) -> str:
    """Return the output of a docker command. Raises CalledProcessError."""
    command = ["docker", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - ours


@contextmanager
def aws_for_containers(template: Template) -> Iterator[str]:
    """Serve the template's tables, buckets and queues, and the local account, until the block ends.

    Args:
        template: The template as read.

    Yields:
        The URL at which a container finds them.
    """
    subnet = docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Subnet}}")
    gateway = str(ip_network(subnet)[1])  # Docker's rule: the first address is that of the machine itself
    with socket.socket() as probe:
        try:
            probe.bind((gateway, 0))
            host = gateway
        except OSError:  # Docker runs in a machine of its own, which calls this one by name
            gateway, host = "127.0.0.1", "host.docker.internal"
    with aws_server(gateway) as url:
        create_cloud(template, url)
        seed_account(template.tables["AccountsTable"].name, LOCAL_KEY, url)
        yield url.replace(gateway, host)


@dataclass(frozen=True, slots=True)
class SamLocal:
    """``sam local invoke`` on a built template whose functions know the stand-in's names.

    Args:
        build: The folder that ``sam build`` has made.
        template: The template as read, with names in place of what only a stack can resolve.
        url: Where containers find the stand-in.
        environment: The environment of ``sam``.
    """

    build: Path
    template: Template
    url: str
    environment: Mapping[str, str]

    def invoke(self, function: str, event: Path) -> dict[str, Any]:
        """Invoke a function.

        Args:
            function: Its logical id.
            event: The file of its event.

        Returns:
            The answer.

        Raises:
            ValueError: ``sam`` failed, or the function ended by an error; the text is their output.
        """
        command = ["local", "invoke", function, "--template", str(self._named_template()), "--event", str(event)]
        done = subprocess.run(  # noqa: S603 - our own program
            [SAM, *command, "--skip-pull-image"],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise ValueError(done.stdout + done.stderr)
        answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        if "errorType" in answer:
            raise ValueError(done.stdout + done.stderr)
        return answer

    def _named_template(self) -> Path:
        document = read_yaml((self.build / "template.yaml").read_text())
        for logical_id, function in self.template.functions.items():
            variables = {**function.environment, "AWS_ENDPOINT_URL": self.url, "POWERTOOLS_TRACE_DISABLED": "true"}
            document["Resources"][logical_id]["Properties"]["Environment"] = {"Variables": variables}
        path = self.build / "template-moto.yaml"
        path.write_text(yaml.safe_dump(document))
        return path


def sam_environment() -> dict[str, str]:
    """Return an environment for ``sam``: this process's, without its AWS account and without the CLI's telemetry."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CUTOUT_"))}
    return {**kept, **aws_environment(), "SAM_CLI_TELEMETRY": "0"}


def show(answer: dict[str, Any], out: Path) -> None:
    """Print an answer; the picture in it, if there is one, goes into a file.

    Args:
        answer: What the function returned.
        out: The file's path.
    """
    media_type = answer.get("multiValueHeaders", {}).get("content-type", [""])[0]
    if not media_type.startswith("image/"):
        sys.stdout.write(json.dumps(answer, indent=2) + "\n")
        return
    picture = base64.b64decode(answer["body"])
    out.write_bytes(picture)
    sys.stdout.write(f"{answer['statusCode']} {media_type}, {len(picture)} bytes: {out}\n")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("function", nargs="?", default="RemoveBackgroundFunction", help="logical id in template.yaml")
    parser.add_argument("event", nargs="?", default="api-remove-multipart", help="name of a file in events/")
    parser.add_argument("--build-dir", type=Path, default=BUILD, help="what `sam build` made")
    parser.add_argument("--out", type=Path, default=Path("cutout.png"), help="where the picture of the answer goes")
    options = parser.parse_args(arguments)
    event = ROOT / "events" / f"{options.event}.json"
    if not event.exists():
        parser.error(f"there is no {event.relative_to(ROOT)}")
    if not (options.build_dir / "template.yaml").exists():
        parser.error("nothing is built yet: make build")
    template = load_template(ROOT / "template.yaml")
    try:
        with aws_for_containers(template) as url:
            show(
                SamLocal(options.build_dir, template, url, sam_environment()).invoke(options.function, event),
                options.out,
            )
    except (FileNotFoundError, subprocess.CalledProcessError):
        parser.error("no Docker engine answers")
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
