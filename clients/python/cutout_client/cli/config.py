"""The config file: TOML in the user's config folder. Its tables are commands, its names are their flags.

    api_key = "ct_live_..."
    base_url = "https://cutout.example.com"

    [remove]
    format = "webp"
    jobs = 8

A flag wins over a variable of the environment, and that over the file.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import typer

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

VARIABLE = "CUTOUT_CONFIG"
SHARED = ("api_key", "base_url", "timeout")
"""Names at the top of the file; they are for every command."""


class ConfigError(Exception):
    """The config file cannot be read."""


def config_path() -> Path:
    """Return where the config file is, or would be."""
    return Path(os.environ.get(VARIABLE) or Path(typer.get_app_dir("cutout")) / "config.toml")


def load_defaults(path: Path, commands: dict[str, Any]) -> dict[str, Any]:
    """Return the file's values as defaults of commands (Click's ``default_map``).

    Args:
        path: Of the file; one that is not there counts as empty.
        commands: Command to its flags, or for a group to its commands and theirs.

    Raises:
        ConfigError: It is no TOML, or names something that is not there.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error
    shared = {name: table.pop(name) for name in SHARED if name in table}
    return _merged(path, table, commands, shared)


def _merged(path: Path, table: dict[str, Any], commands: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    defaults: dict[str, Any] = {}
    for name in table:
        if name not in commands:
            raise ConfigError(f"{path}: there is no {name}; there are {', '.join(sorted({*commands, *SHARED}))}")
    for command, flags in commands.items():
        own = {name.replace("-", "_"): value for name, value in table.get(command, {}).items()}
        if isinstance(flags, dict):
            defaults[command] = _merged(path, own, flags, shared)
            continue
        unknown = sorted(set(own) - set(flags))
        if unknown:
            raise ConfigError(f"{path}: {command} has no {unknown[0]}")
        defaults[command] = {name: value for name, value in shared.items() if name in flags} | own
    return defaults
