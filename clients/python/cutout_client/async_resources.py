"""Jobs and keys of the asynchronous client: as :mod:`cutout_client.resources`, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from cutout_client import calls
from cutout_client.documents import Job, JobPage, Key
from cutout_client.images import ImageInput, read_image
from cutout_client.messages import Flow
from cutout_client.resources import id_of
from cutout_client.results import Result
from cutout_client.retries import RetryPolicy

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from cutout_client.options import Options

T = TypeVar("T")


class AsyncRun(Protocol):
    """Runs a flow."""

    def __call__(self, flow: Flow[T], /) -> Awaitable[T]:
        """Return what the flow returns."""


class AsyncJobs:
    """Jobs of the account; the methods raise CutoutError."""

    def __init__(self, run: AsyncRun, policy: RetryPolicy) -> None:
        self._run = run
        self._policy = policy

    async def create(
        self,
        image: ImageInput,
        *,
        webhook_url: str | None = None,
        bg_image_url: str | None = None,
        mask: bool = False,
        idempotency_key: str | None = None,
        **options: Unpack[Options],
    ) -> Job:
        """Order a job; an image that is not behind a URL is uploaded at once.

        Args:
            image: As in :meth:`~cutout_client.Cutout.remove`, but no upload.
            webhook_url: Is posted to when the job has ended.
            bg_image_url: URL of a background image.
            mask: Make the mask too.
            idempotency_key: As in :meth:`~cutout_client.Cutout.remove`.
            **options: As in :meth:`~cutout_client.Cutout.remove`.
        """
        flow = calls.create_job(
            await asyncio.to_thread(read_image, image), options, self._policy,
            webhook_url=webhook_url, bg_image_url=bg_image_url, mask=mask, idempotency_key=idempotency_key,
        )  # fmt: skip
        return await self._run(flow)

    async def get(self, job_id: str) -> Job:
        """Show a job."""
        return await self._run(calls.get_job(job_id, self._policy))

    async def wait(self, job: Job | str, *, timeout_s: float = 300.0) -> Job:
        """Wait until a job has succeeded.

        Raises:
            ApiError: It failed; the class is that of its error's code.
            JobCancelledError: It was deleted.
            WaitTimeoutError: It did not end within ``timeout_s`` seconds.
        """
        return await self._run(calls.wait_for_job(id_of(job), self._policy, timeout_s))

    async def list(self, *, limit: int = 20, cursor: str | None = None, status: str | None = None) -> JobPage:
        """List a page of jobs, newest first."""
        return await self._run(calls.list_jobs(self._policy, limit, cursor, status))

    async def delete(self, job: Job | str) -> Job:
        """Cancel a job, or remove its image and results at once."""
        return await self._run(calls.delete_job(id_of(job), self._policy))

    async def download(self, job: Job, *, mask: bool = False) -> Result:
        """Fetch the result of a job, or its mask."""
        return await self._run(calls.download(job, self._policy, mask=mask))


class AsyncKeys:
    """API keys of the account; the methods raise CutoutError."""

    def __init__(self, run: AsyncRun, policy: RetryPolicy) -> None:
        self._run = run
        self._policy = policy

    async def list(self) -> Sequence[Key]:
        """List all keys, the oldest first."""
        return await self._run(calls.list_keys(self._policy))

    async def create(self, *, label: str | None = None, mode: str | None = None) -> Key:
        """Make a key; ``key`` of the answer is never shown again."""
        return await self._run(calls.create_key(self._policy, label, mode))

    async def revoke(self, fingerprint: str) -> Key:
        """Close a key for good."""
        return await self._run(calls.revoke_key(fingerprint, self._policy))

    async def rotate(self, fingerprint: str, *, grace_s: int | None = None) -> Key:
        """Make a key's successor; the old one works for ``grace_s`` seconds more (a day by default)."""
        return await self._run(calls.rotate_key(fingerprint, self._policy, grace_s))
