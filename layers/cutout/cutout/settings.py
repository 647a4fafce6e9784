"""The configuration: :class:`Settings`, read once from the environment. The only reader of ``os.environ``."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cutout.ids import AccountId
from cutout.imaging.spec import Limits
from cutout.usage import FRAMES_PER_IMAGE


class SettingsError(ValueError):
    """An environment variable has an invalid value; the message names the variable."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a function. Each field documents its variable, unit and meaning."""

    accounts_table: str = ""
    """CUTOUT_ACCOUNTS_TABLE: DynamoDB table of accounts and keys."""
    jobs_table: str = ""
    """CUTOUT_JOBS_TABLE: DynamoDB table of jobs."""
    results_bucket: str = ""
    """CUTOUT_RESULTS_BUCKET: S3 bucket of job results and of answers above ``inline_limit_bytes``; empty: none."""
    uploads_bucket: str = ""
    """CUTOUT_UPLOADS_BUCKET: S3 bucket that clients upload images to."""
    storage_url: str = ""
    """CUTOUT_STORAGE_URL: S3's address for clients, in presigned URLs and forms; empty: the functions' own."""
    jobs_queue_url: str = ""
    """CUTOUT_JOBS_QUEUE_URL: SQS queue of S3 events and of jobs that need no upload."""
    webhooks_queue_url: str = ""
    """CUTOUT_WEBHOOKS_QUEUE_URL: SQS queue of jobs whose webhook is to be delivered."""
    remove_function: str = ""
    """CUTOUT_REMOVE_FUNCTION: name of the removal function, which the deep health check invokes."""
    inline_limit_bytes: int = 6_291_456
    """CUTOUT_INLINE_LIMIT_BYTES: largest answer of a function, base64 included (Lambda quota: 6 MB); 0: no limit."""
    result_url_s: int = 3_600
    """CUTOUT_RESULT_URL_S: seconds for which a presigned result URL is valid."""
    upload_url_s: int = 3_600
    """CUTOUT_UPLOAD_URL_S: seconds for which a presigned upload is valid."""
    webhook_timeout_s: float = 10.0
    """CUTOUT_WEBHOOK_TIMEOUT_S: seconds for one delivery of a webhook."""
    webhook_backoff_s: int = 5
    """CUTOUT_WEBHOOK_BACKOFF_S: longest seconds before the first retry of a webhook; 0: all retries at once."""
    key_grace_s: int = 86_400
    """CUTOUT_KEY_GRACE_S: seconds for which a rotated key or webhook secret remains valid; 0: not at all."""
    model: str = ""
    """CUTOUT_MODEL: row of the manifest; empty: the manifest's default."""
    models_dir: Path = Path("models")
    """CUTOUT_MODELS_DIR: folder of manifest.toml and the model files."""
    threads: int = 0
    """CUTOUT_THREADS: threads of one photo, in the model and around it; 0: the cores that this process may use. Where
    it is not set, Lambda's AWS_LAMBDA_FUNCTION_MEMORY_SIZE tells how many the function pays for."""
    legacy_keys: bool = False
    """CUTOUT_LEGACY_KEYS: accept API keys in the query string or a field of the body."""
    public_url: str = ""
    """CUTOUT_PUBLIC_URL: the service's URL for clients, where a proxy does not forward it; empty: as requests say."""
    open_account: AccountId = field(default=AccountId(""))
    """CUTOUT_OPEN_ACCOUNT: id of the account of requests without a key, in keyless contracts; empty: none."""
    synchronous: bool = True
    """CUTOUT_SYNCHRONOUS: answer with the image; false: the model takes too long, and images are made as jobs."""
    url_timeout_s: float = 10.0
    """CUTOUT_URL_TIMEOUT_S: seconds for fetching one image_url, redirects included."""
    url_redirects: int = 3
    """CUTOUT_URL_REDIRECTS: redirects followed for one image_url."""
    url_allow: frozenset[str] = frozenset()
    """CUTOUT_URL_ALLOW: comma-separated host:port pairs that may be fetched although they are private (tests)."""
    limits: Limits = field(default_factory=Limits)
    """CUTOUT_MAX_IMAGE_BYTES, CUTOUT_MAX_PIXELS, CUTOUT_MAX_SIDE_PX, CUTOUT_MAX_OUTPUT_SIDE_PX, CUTOUT_MAX_FRAMES,
    CUTOUT_MAX_FRAMES_PX; of an animation, a request that is waited for takes a third."""
    frames_per_image: int = FRAMES_PER_IMAGE
    """CUTOUT_FRAMES_PER_IMAGE: frames of an animation that are charged as one image."""
    trace_disabled: bool = False
    """POWERTOOLS_TRACE_DISABLED: write no X-Ray segments, not even in Lambda."""
    in_lambda: bool = False
    """AWS_LAMBDA_RUNTIME_API is set: the process runs under a Lambda runtime."""

    @property
    def tracing(self) -> bool:
        """Whether X-Ray segments are written."""
        return self.in_lambda and not self.trace_disabled

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """Read and check the environment.

        Args:
            env: The environment variables.

        Returns:
            The settings.

        Raises:
            SettingsError: A variable has an invalid value.
        """
        default = cls()
        bounds = Limits()
        return cls(
            accounts_table=env.get("CUTOUT_ACCOUNTS_TABLE", ""),
            jobs_table=env.get("CUTOUT_JOBS_TABLE", ""),
            results_bucket=env.get("CUTOUT_RESULTS_BUCKET", ""),
            uploads_bucket=env.get("CUTOUT_UPLOADS_BUCKET", ""),
            storage_url=env.get("CUTOUT_STORAGE_URL", ""),
            jobs_queue_url=env.get("CUTOUT_JOBS_QUEUE_URL", ""),
            webhooks_queue_url=env.get("CUTOUT_WEBHOOKS_QUEUE_URL", ""),
            remove_function=env.get("CUTOUT_REMOVE_FUNCTION", ""),
            inline_limit_bytes=_integer(env, "CUTOUT_INLINE_LIMIT_BYTES", default.inline_limit_bytes, 0),
            result_url_s=_integer(env, "CUTOUT_RESULT_URL_S", default.result_url_s, 1),
            upload_url_s=_integer(env, "CUTOUT_UPLOAD_URL_S", default.upload_url_s, 1),
            webhook_timeout_s=float(_integer(env, "CUTOUT_WEBHOOK_TIMEOUT_S", int(default.webhook_timeout_s), 1)),
            webhook_backoff_s=_integer(env, "CUTOUT_WEBHOOK_BACKOFF_S", default.webhook_backoff_s, 0),
            key_grace_s=_integer(env, "CUTOUT_KEY_GRACE_S", default.key_grace_s, 0),
            model=env.get("CUTOUT_MODEL", ""),
            models_dir=Path(env.get("CUTOUT_MODELS_DIR", "") or "models"),
            threads=_integer(env, "CUTOUT_THREADS", _threads_of(env), 0),
            legacy_keys=_boolean(env, "CUTOUT_LEGACY_KEYS"),
            public_url=_url(env, "CUTOUT_PUBLIC_URL"),
            open_account=AccountId(env.get("CUTOUT_OPEN_ACCOUNT", "").strip()),
            synchronous=_boolean(env, "CUTOUT_SYNCHRONOUS", default=default.synchronous),
            url_timeout_s=float(_integer(env, "CUTOUT_URL_TIMEOUT_S", int(default.url_timeout_s), 1)),
            url_redirects=_integer(env, "CUTOUT_URL_REDIRECTS", default.url_redirects, 0),
            url_allow=frozenset(part.strip() for part in env.get("CUTOUT_URL_ALLOW", "").split(",") if part.strip()),
            limits=Limits(
                max_bytes=_integer(env, "CUTOUT_MAX_IMAGE_BYTES", bounds.max_bytes, 1),
                max_pixels=_integer(env, "CUTOUT_MAX_PIXELS", bounds.max_pixels, 1),
                max_side_px=_integer(env, "CUTOUT_MAX_SIDE_PX", bounds.max_side_px, 1),
                max_output_side_px=_integer(env, "CUTOUT_MAX_OUTPUT_SIDE_PX", bounds.max_output_side_px, 1),
                max_frames=_integer(env, "CUTOUT_MAX_FRAMES", bounds.max_frames, 1),
                max_frames_px=_integer(env, "CUTOUT_MAX_FRAMES_PX", bounds.max_frames_px, 1),
            ),
            frames_per_image=_integer(env, "CUTOUT_FRAMES_PER_IMAGE", default.frames_per_image, 1),
            trace_disabled=_boolean(env, "POWERTOOLS_TRACE_DISABLED"),
            in_lambda="AWS_LAMBDA_RUNTIME_API" in env,
        )


_MB_PER_CORE = 1_769
"""Memory of a Lambda function that has one whole core. Source: Lambda developer guide, "Configure function memory"."""


def _threads_of(env: Mapping[str, str]) -> int:
    """Derive threads from a function's memory: its share of the cores, which it sees all; 0 elsewhere."""
    memory_mb = _integer(env, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", 0, 1)
    return max(1, round(memory_mb / _MB_PER_CORE)) if memory_mb else 0


def _integer(env: Mapping[str, str], name: str, default: int, minimum: int) -> int:
    text = env.get(name, "").strip()
    if not text:
        return default
    try:
        value = int(text)
    except ValueError as error:
        raise SettingsError(f"{name} must be an integer, not {text!r}") from error
    if value < minimum:
        raise SettingsError(f"{name} must be at least {minimum}, not {value}")
    return value


def _url(env: Mapping[str, str], name: str) -> str:
    text = env.get(name, "").strip().rstrip("/")
    if text and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", text):
        raise SettingsError(f"{name} must be a URL that begins with http:// or https://, not {text!r}")
    return text


def _boolean(env: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    text = env.get(name, "").strip().lower()
    if not text:
        return default
    if text in {"0", "false", "no"}:
        return False
    if text in {"1", "true", "yes"}:
        return True
    raise SettingsError(f"{name} must be true or false, not {text!r}")
