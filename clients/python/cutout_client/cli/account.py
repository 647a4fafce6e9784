"""``cutout account``, ``usage``, ``keys`` and ``jobs``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import is_dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from cutout_client.cli.flags import Connection, command
from cutout_client.cli.sources import UsageError
from cutout_client.documents import Job
from cutout_client.errors import ApiError

if TYPE_CHECKING:
    from cutout_client.client import Cutout

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]
Fingerprint = Annotated[str, typer.Argument(metavar="FINGERPRINT", help="tok_fp_..., as cutout keys list shows it.")]
JobId = Annotated[str, typer.Argument(metavar="JOB")]

keys = typer.Typer(help="List, make, rotate and revoke API keys.", no_args_is_help=True)
jobs = typer.Typer(help="Order, watch, fetch and delete jobs.", no_args_is_help=True)


@contextmanager
def _client(connection: Connection) -> Iterator[Cutout]:
    from cutout_client.client import Cutout  # noqa: PLC0415 - not loaded for --local

    try:
        client = Cutout(connection.api_key, connection.base_url, timeout_s=connection.timeout)
    except ValueError as error:
        raise UsageError(str(error)) from error
    with client:
        yield client


@command("Service")
def account(connection: Connection, as_json: AsJson = False) -> None:
    """Tell whose the key is, and what was used this month."""
    with _client(connection) as client:
        found = client.account()
    if as_json:
        _write_json(found)
        return
    quota = "no quota" if found.usage.quota is None else f"{found.usage.remaining} of {found.usage.quota} left"
    _write_pairs(
        ("account", found.email),
        ("plan", f"{found.plan}, {found.subscription_status}"),
        ("key", f"{found.fingerprint} ({found.mode})"),
        (found.usage.period, f"{found.usage.images} images, {found.usage.megapixels:.1f} megapixels, {quota}"),
    )


@command("Service")
def usage(
    connection: Connection,
    as_json: AsJson = False,
    days: Annotated[bool, typer.Option("--days", help="By day and key.")] = False,
    month: Annotated[Optional[str], typer.Option(metavar="YYYY-MM", help="Another month, by day and key.")] = None,
) -> None:
    """Tell what was used this month."""
    if days or month:
        with _client(connection) as client:
            found = client.daily_usage(month)
        if as_json:
            _write_json(found)
            return
        rows = [(each.day, each.key or "bucket", str(each.images), f"{each.megapixels:.1f}") for each in found]
        _write_table(("DAY", "KEY", "IMAGES", "MEGAPIXELS"), rows)
        return
    with _client(connection) as client:
        used = client.usage()
    if as_json:
        _write_json(used)
        return
    bound = "no quota" if used.quota is None else f"{used.remaining} of {used.quota} left"
    typer.echo(f"{used.period}: {used.images} images, {used.megapixels:.1f} megapixels, {bound}")


@keys.command("list")
@command("Service")
def list_keys(connection: Connection, as_json: AsJson = False) -> None:
    """List the account's keys, the oldest first."""
    with _client(connection) as client:
        found = client.keys.list()
    if as_json:
        _write_json(found)
        return
    rows = [(key.fingerprint, key.mode, key.status, key.last_used_day or "never", key.label) for key in found]
    _write_table(("KEY", "MODE", "STATUS", "LAST USED", "LABEL"), rows)


@keys.command("create")
@command("Service")
def create_key(
    connection: Connection,
    label: Annotated[Optional[str], typer.Option(help="A name for people.")] = None,
    mode: Annotated[Optional[str], typer.Option(metavar="live|synthetic|admin", help="Kind of key.")] = None,
) -> None:
    """Make a key and write it to stdout. It is never shown again."""
    with _client(connection) as client:
        made = client.keys.create(label=label, mode=mode)
    typer.echo(f"{made.fingerprint} ({made.mode}): this is the only time that the key is shown", err=True)
    typer.echo(made.key)


@keys.command("rotate")
@command("Service")
def rotate_key(
    connection: Connection,
    fingerprint: Fingerprint,
    grace: Annotated[Optional[int], typer.Option(metavar="S", help="Seconds that the old key still works.")] = None,
) -> None:
    """Make a key's successor and write it to stdout. It is never shown again."""
    with _client(connection) as client:
        made = client.keys.rotate(fingerprint, grace_s=grace)
    typer.echo(f"{made.fingerprint} follows {fingerprint}", err=True)
    typer.echo(made.key)


@keys.command("revoke")
@command("Service")
def revoke_key(connection: Connection, fingerprint: Fingerprint) -> None:
    """Close a key for good."""
    with _client(connection) as client:
        typer.echo(f"{fingerprint} is {client.keys.revoke(fingerprint).status}")


@jobs.command("list")
@command("Service")
def list_jobs(
    connection: Connection,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Jobs at most.")] = 20,
    status: Annotated[Optional[str], typer.Option(metavar="queued|running|succeeded|failed|cancelled")] = None,
    as_json: AsJson = False,
) -> None:
    """List the jobs of the last 24 hours, newest first."""
    with _client(connection) as client:
        found = client.jobs.list(limit=limit, status=status).jobs
    if as_json:
        _write_json(found)
        return
    rows = [(job.id, job.status, f"{job.created_at:%Y-%m-%d %H:%M:%S}", _outcome(job)) for job in found]
    _write_table(("JOB", "STATUS", "CREATED (UTC)", "OUTCOME"), rows)


@jobs.command("create")
@command("Service")
def create_job(
    connection: Connection,
    image: Annotated[str, typer.Argument(metavar="FILE|URL")],
    option: Annotated[
        Optional[list[str]], typer.Option("--option", "-O", metavar="NAME=VALUE", help="An option, such as size=hd.")
    ] = None,
    webhook_url: Annotated[Optional[str], typer.Option(metavar="URL", help="Is posted to when the job ends.")] = None,
    mask: Annotated[bool, typer.Option("--mask", help="Make the mask too.")] = False,
) -> None:
    """Order a job and write its id to stdout."""
    options: Any = dict(part.partition("=")[::2] for part in option or [])
    with _client(connection) as client:
        try:
            typer.echo(client.jobs.create(image, webhook_url=webhook_url, mask=mask, **options).id)
        except TypeError as error:
            raise UsageError(str(error)) from error


@jobs.command("show")
@command("Service")
def show_job(connection: Connection, job: JobId) -> None:
    """Show a job as JSON."""
    with _client(connection) as client:
        _write_json(client.jobs.get(job))


@jobs.command("wait")
@command("Service")
def wait_for_job(
    connection: Connection,
    job: JobId,
    output: Annotated[Optional[Path], typer.Option("--output", "-o", metavar="FILE", help="Where it is put.")] = None,
    limit: Annotated[float, typer.Option(metavar="S", help="Seconds to wait at most.")] = 300.0,
) -> None:
    """Wait for a job and, with --output, fetch its result."""
    with _client(connection) as client:
        ended = client.jobs.wait(job, timeout_s=limit)
        if output is not None:
            client.jobs.download(ended).save(output)
    typer.echo(f"{job} has {ended.status}", err=True)


@jobs.command("delete")
@command("Service")
def delete_job(connection: Connection, job: JobId) -> None:
    """Cancel a job; remove its image and results at once."""
    with _client(connection) as client:
        typer.echo(f"{job} is deleted; its status is {client.jobs.delete(job).status}", err=True)


def _outcome(job: Job) -> str:
    if job.error is not None:
        return job.error.code
    return "" if job.result is None else f"{job.result.width} x {job.result.height}, {job.result.bytes} bytes"


def _write_json(value: Any) -> None:
    typer.echo(json.dumps(_plain(value), indent=2))


def _plain(value: Any) -> Any:
    """Values of the client as JSON values."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(part) for name, part in vars(value).items()}
    if isinstance(value, ApiError):
        return {"code": value.code, "message": value.message, "details": value.details}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _write_pairs(*pairs: tuple[str, str]) -> None:
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        typer.echo(f"{name:<{width}}  {value}")


def _write_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, *rows]:
        typer.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths)).rstrip())
