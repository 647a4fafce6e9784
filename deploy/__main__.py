"""Deploy a stack, remove it, go back a version, or try it: ``python -m deploy COMMAND``; ``make`` has the usual ways.

Exit status: 0 it is done, 1 it is not and one sentence says why, 2 the command line is wrong.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "layers" / "cutout")]

from cutout.imaging.models.manifest import ManifestError  # noqa: E402 - the library is found only now
from deploy import DeployError  # noqa: E402
from deploy.build_check import check_build_tools, check_engine  # noqa: E402
from deploy.container_stack import deploy_container, plan_container, push_image  # noqa: E402
from deploy.destroy import destroy  # noqa: E402
from deploy.images import limit_images  # noqa: E402
from deploy.names import check_stack_name  # noqa: E402
from deploy.parameters import Environment, pairs, read_environment  # noqa: E402
from deploy.restore import restore  # noqa: E402
from deploy.rollback import rollback  # noqa: E402
from deploy.smoke import smoke  # noqa: E402
from deploy.up import asking, build, deploy, plan, region_of  # noqa: E402


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one command."""
    given = command_line().parse_args(arguments)
    run: Callable[[argparse.Namespace], None] = given.run
    try:
        run(given)
    except (DeployError, ManifestError, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def command_line() -> argparse.ArgumentParser:
    """One command, with its options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("check-build", help="say whether this machine can build the stack")
    command.set_defaults(run=lambda _: check_build_tools())

    for name, runs, text in (
        ("check", _check, "show what `up` would deploy, and change nothing"),
        ("up", _up, "build and deploy the stack"),
        ("container", _container, "build the HTTP container and deploy it on Fargate beside the stack"),
        ("destroy", _destroy, "delete the stack and all that its buckets hold"),
        ("rollback", _rollback, "serve by the functions' previous versions"),
        ("restore", _restore, "put the items of a restored table into the stack's table of accounts"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--config", default="default", help="part of samconfig.toml")
        command.add_argument("--stack", help="another name than that of samconfig.toml")
        command.set_defaults(run=runs)
        if name in {"check", "up"}:
            command.add_argument("--model", default="", help="row of models/manifest.toml")
        if name in {"check", "up", "container"}:
            command.add_argument("--yes", action="store_true", help="apply the change set without asking")
            command.add_argument("parameters", nargs="*", metavar="NAME=VALUE", help="parameters of the template")
        if name == "restore":
            command.add_argument("--from", dest="source", required=True, metavar="TABLE", help="the restored table")
        if name == "destroy":
            command.add_argument("--yes", metavar="STACK", help="its name once more, in place of the question")

    command = commands.add_parser("smoke", help="try a deployed stack with a real picture and a synthetic key")
    command.add_argument("url", help="address of the API, as the stack's output ApiUrl says")
    command.add_argument("--key", required=True, help="a key of mode synthetic, which is never charged")
    command.add_argument("--jobs-only", action="store_true", help="the model takes too long for POST /v2")
    command.set_defaults(run=_smoke)
    return parser


def _environment(given: argparse.Namespace) -> tuple[Environment, boto3.Session]:
    found = read_environment(given.config)
    environment = Environment(found.name, given.stack or found.stack, found.region, found.overrides)
    return environment, boto3.Session(region_name=region_of(boto3.Session(), found, asking))


def _check(given: argparse.Namespace) -> None:
    environment, session = _environment(given)
    wanted = plan(environment, session, given.model, pairs(given.parameters), asking)
    print(f"{wanted.stack} in {wanted.region}")
    print("\n".join(f"  {name:24}{value}" for name, value in sorted(wanted.parameters.items()) if value))
    print("\n".join(wanted.warnings), file=sys.stderr)


def _up(given: argparse.Namespace) -> None:
    check_build_tools()
    environment, session = _environment(given)
    wanted = plan(environment, session, given.model, pairs(given.parameters), asking)
    print("".join(f"note: {text}\n" for text in wanted.warnings), file=sys.stderr, end="")
    deploy(wanted, environment, build(wanted), confirmed=given.yes)
    limit_images(session, wanted.stack)


def _container(given: argparse.Namespace) -> None:
    check_engine()
    environment, session = _environment(given)
    wanted = plan_container(session, environment.stack, pairs(given.parameters), asking)
    digest = push_image(session, wanted)
    deploy_container(wanted, digest, confirmed=given.yes)


def _destroy(given: argparse.Namespace) -> None:
    environment, session = _environment(given)
    typed = given.yes
    if typed is None:
        print(f"This deletes {environment.stack} in {session.region_name}, with every image and result in its buckets.")
        typed = asking(f"Type {environment.stack} to go on", "")
    left = destroy(session, environment.stack, typed)
    print(f"{environment.stack} is deleted. What is left:")
    print("\n".join(f"  {line}" for line in left))


def _rollback(given: argparse.Namespace) -> None:
    environment, session = _environment(given)
    check_stack_name(environment.stack, str(session.region_name))
    for step in rollback(session, environment.stack):
        print(f"{step.function}: version {step.previous} in place of {step.current}")


def _restore(given: argparse.Namespace) -> None:
    environment, session = _environment(given)
    print(f"{restore(session, environment.stack, given.source)} items restored")


def _smoke(given: argparse.Namespace) -> None:
    for line in smoke(given.url, given.key, synchronous=not given.jobs_only):
        print(line)


if __name__ == "__main__":
    sys.exit(main())
