"""Errors as one line on stderr and an exit code."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import typer

from cutout_client.cli.config import ConfigError
from cutout_client.cli.sources import UsageError
from cutout_client.errors import ApiError, CutoutError, TransportError

USAGE, FAILED, REFUSED = 2, 1, 3
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it (128 and SIGINT)."""
_OF_THE_ACCOUNT = frozenset({401, 402, 403})


def failing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command say what went wrong in one line: usage is 2, service and account 3, everything else 1."""

    @wraps(command)
    def run(*args: Any, **given: Any) -> Any:
        try:
            return command(*args, **given)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except (UsageError, ConfigError) as error:
            raise _said(error, USAGE) from error
        except TransportError as error:
            raise _said(error, REFUSED) from error
        except ApiError as error:
            raise _said(error, REFUSED if error.status in _OF_THE_ACCOUNT else FAILED) from error
        except (CutoutError, OSError) as error:
            raise _said(error, FAILED) from error

    return run


def _said(error: Exception, code: int) -> typer.Exit:
    typer.echo(f"error: {error}", err=True)
    return typer.Exit(code)
