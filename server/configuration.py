"""What the container is told by its environment, read once and checked."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from local.cloud import LOCAL_ACCOUNT
from local.pool import MAX_WAITING
from local.request_bodies import MAX_BODY_BYTES, MAX_HELD_BYTES
from local.service import StartError

RESOURCES = (
    "CUTOUT_ACCOUNTS_TABLE", "CUTOUT_JOBS_TABLE", "CUTOUT_UPLOADS_BUCKET", "CUTOUT_RESULTS_BUCKET",
    "CUTOUT_JOBS_QUEUE_URL",
)  # fmt: skip
"""The names of a stack's resources: all of them, or none."""

_ASKS_FOR_AWS = frozenset({
    "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
})  # fmt: skip
"""Any of these asks for real resources; others, such as AWS_CA_BUNDLE, say nothing of them."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings of a container. Each field documents its variable."""

    key: str
    """BEN_API_TOKEN: a live API key of the account ``acct_local``; empty: none."""
    admin_key: str
    """CUTOUT_ADMIN_KEY: an admin key, which makes accounts and keys over HTTP; empty: none."""
    open_account: str
    """CUTOUT_OPEN_ACCOUNT: account of requests without a key, by contracts that have none; empty: a key is required."""
    host: str
    """CUTOUT_HOST: address to listen on."""
    port: int
    """CUTOUT_PORT."""
    public_url: str
    """CUTOUT_PUBLIC_URL: where clients reach the container; presigned URLs begin with it."""
    state: Path
    """CUTOUT_STATE: folder of the state."""
    workers: int
    """CUTOUT_WORKERS: processes that hold the model; 0: as many as cores, by affinity and the container's CPU limit."""
    timeout_s: int
    """CUTOUT_TIMEOUT_S: seconds for one image; 0: as the template says."""
    max_waiting: int
    """CUTOUT_MAX_WAITING: requests that may wait for a worker; more are answered by 503 and Retry-After."""
    max_body_bytes: int
    """CUTOUT_MAX_BODY_BYTES: most bytes of one request's body."""
    max_held_bytes: int
    """CUTOUT_MAX_HELD_BYTES: most bytes of all bodies that are read or served at one time."""
    drain_s: int
    """CUTOUT_DRAIN_S: seconds for which work in progress may go on after SIGTERM."""
    proxies: str
    """CUTOUT_TRUSTED_PROXIES: addresses or networks whose X-Forwarded-For and -Proto are believed."""
    resources: Mapping[str, str]
    """Names of real AWS resources, by variable; empty: the state is kept in the folder."""
    aws: Mapping[str, str]
    """The ``AWS_*`` variables, for real resources."""

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Configuration":
        """Read and check the environment.

        Args:
            env: The environment variables.

        Returns:
            The configuration.

        Raises:
            StartError: A variable is missing or has an invalid value; the message names it.
        """
        aws = {name: value for name, value in env.items() if name.startswith("AWS_")}
        resources = _resources(env) if aws.keys() & _ASKS_FOR_AWS else {}
        keys = [env.get(name, "").strip() for name in ("BEN_API_TOKEN", "CUTOUT_ADMIN_KEY")]
        if not resources and not any(keys):
            raise StartError("no key is given: set BEN_API_TOKEN, the API key that clients shall send")
        public_url = env.get("CUTOUT_PUBLIC_URL", "http://localhost:8585").rstrip("/")
        if urlsplit(public_url).scheme not in {"http", "https"} or urlsplit(public_url).path:
            raise StartError(f"CUTOUT_PUBLIC_URL must be http(s)://HOST[:PORT], not {public_url}")
        return cls(
            key=keys[0],
            admin_key=keys[1],
            open_account=env.get("CUTOUT_OPEN_ACCOUNT", "" if resources else LOCAL_ACCOUNT.id).strip(),
            host=env.get("CUTOUT_HOST", "0.0.0.0"),  # noqa: S104 - a container is reached from outside
            port=_integer(env, "CUTOUT_PORT", 8585, 0),
            public_url=public_url,
            state=Path(env.get("CUTOUT_STATE", "/data")),
            workers=_integer(env, "CUTOUT_WORKERS", 0, 0) or cores(),
            timeout_s=_integer(env, "CUTOUT_TIMEOUT_S", 0, 0),
            max_waiting=_integer(env, "CUTOUT_MAX_WAITING", MAX_WAITING, 1),
            max_body_bytes=_integer(env, "CUTOUT_MAX_BODY_BYTES", MAX_BODY_BYTES, 1),
            max_held_bytes=_integer(env, "CUTOUT_MAX_HELD_BYTES", MAX_HELD_BYTES, 1),
            drain_s=_integer(env, "CUTOUT_DRAIN_S", 25, 1),
            proxies=env.get("CUTOUT_TRUSTED_PROXIES", "").strip(),
            resources=resources,
            aws=aws,
        )


def cores(groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Count the cores that this process may use: by affinity, and by the limit of its control group, at least one.

    Args:
        groups: Where control groups are mounted (Linux kernel documentation: ``cpu.max``; v1: ``cpu.cfs_quota_us``).
    """
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for names in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        files = [groups / name for name in names]
        if all(file.exists() for file in files):
            quota, period = " ".join(file.read_text() for file in files).split()
            return min(available, max(1, int(quota) // int(period))) if re.fullmatch(r"\d+", quota) else available
    return available


def _resources(env: Mapping[str, str]) -> dict[str, str]:
    missing = [name for name in ("AWS_REGION", *RESOURCES) if not env.get(name)]
    if missing:
        raise StartError(f"AWS_* variables ask for real resources, and these are not set: {', '.join(missing)}")
    return {name: env[name] for name in RESOURCES}


def _integer(env: Mapping[str, str], name: str, default: int, minimum: int) -> int:
    text = env.get(name, "").strip()
    if text and (not re.fullmatch(r"\d+", text) or int(text) < minimum):
        raise StartError(f"{name} must be a whole number from {minimum} on, not {text!r}")
    return int(text or default)
