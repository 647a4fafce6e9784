"""The blocking client."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

import httpx

from cutout_client import calls, removal
from cutout_client.batches import ordered
from cutout_client.documents import Account, DayUsage, Upload, Usage, WebhookSecret
from cutout_client.images import ImageInput, Picture, read_image
from cutout_client.messages import Flow
from cutout_client.removal import DIRECT_LIMIT_BYTES
from cutout_client.resources import Jobs, Keys
from cutout_client.results import Result
from cutout_client.retries import RetryPolicy
from cutout_client.transport import Endpoint, OnProgress, run

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from cutout_client.options import Options

T = TypeVar("T")

DEFAULT_URL = "http://127.0.0.1:8585"
"""Where ``make run`` and the container serve."""


class Cutout:
    """A client of one service and account; its connections are reused, and threads may share it.

    Use it as a context manager, or call :meth:`close`.

    Attributes:
        jobs: Jobs: create, wait, list, delete, download.
        keys: The account's API keys.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        timeout_s: float = 60.0,
        retry: RetryPolicy | None = None,
        connections: int = 20,
        direct_limit_bytes: int = DIRECT_LIMIT_BYTES,
        http: httpx.Client | None = None,
    ) -> None:
        """Make a client; nothing is sent yet.

        Args:
            api_key: Key of the account; by default the environment's CUTOUT_API_KEY.
            base_url: Where the service is; by default CUTOUT_BASE_URL, or the local service.
            timeout_s: Seconds for each try of a request, from its last byte sent to its answer.
            retry: How often and how long requests are tried again.
            connections: Open at once, at most.
            direct_limit_bytes: Images of more bytes are uploaded before they are named in the request.
            http: A client of your own (proxies, certificates); closing it is then yours.

        Raises:
            ValueError: The base URL is no http(s) URL.
        """
        self._endpoint, self._policy = endpoint_of(api_key, base_url, timeout_s), retry or RetryPolicy()
        self._direct_limit_bytes = direct_limit_bytes
        self._own = http is None
        self._http = http or httpx.Client(**self._endpoint.client_options(connections))
        self.jobs = Jobs(self.run, self._policy)
        self.keys = Keys(self.run, self._policy)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        if self._own:
            self._http.close()

    @property
    def policy(self) -> RetryPolicy:
        """How often and how long requests are tried again."""
        return self._policy

    def remove(
        self,
        image: ImageInput,
        *,
        background: ImageInput | None = None,
        mask_first: bool = False,
        idempotency_key: str | None = None,
        on_progress: OnProgress | None = None,
        **options: Unpack[Options],
    ) -> Result:
        """Remove the background of one image.

        Args:
            image: Path, URL, bytes, file, upload, Pillow image or array (see :data:`~cutout_client.images.ImageInput`).
            background: An image to put behind the subject.
            mask_first: Send a JPEG of at most 1024 px, and compose at full size here (needs ``[image]``). Takes the
                options ``format``, ``bg_color`` and ``semitransparency`` only.
            idempotency_key: Name of this request: sent again under it within 24 hours, it is done and charged once.
                By default a new one, so that retries are never charged twice; an empty text for none.
            on_progress: Told of bytes that go up and come down.
            **options: Options of ``POST /v2`` (see :class:`~cutout_client.options.Options`).

        Returns:
            The cutout.

        Raises:
            CutoutError: Any of :mod:`cutout_client.errors`.
            OSError: The file cannot be read.
            TypeError: An option does not exist, or the image is none.
        """
        if mask_first:
            from cutout_client import mask_first as local  # noqa: PLC0415 - needs an extra

            plan = local.plan(image, background, options)
            mask = self._remove(plan.preview, None, plan.options, idempotency_key, on_progress)
            return local.compose(plan, mask)
        return self._remove(image, background, dict(options), idempotency_key, on_progress)

    def _remove(
        self,
        image: ImageInput,
        background: ImageInput | None,
        options: dict[str, Any],
        idempotency_key: str | None,
        on_progress: OnProgress | None,
    ) -> Result:
        prepared = removal.prepare(image, background, options, idempotency_key)
        return self.run(removal.remove(prepared, self._policy, self._direct_limit_bytes), on_progress)

    @overload
    def map(
        self,
        images: Iterable[ImageInput],
        *,
        concurrency: int = 4,
        errors: Literal["raise"] = "raise",
        mask_first: bool = False,
        **options: Unpack[Options],
    ) -> Iterator[Result]: ...
    @overload
    def map(
        self,
        images: Iterable[ImageInput],
        *,
        concurrency: int = 4,
        errors: Literal["return"],
        mask_first: bool = False,
        **options: Unpack[Options],
    ) -> Iterator[Result | Exception]: ...
    def map(
        self,
        images: Iterable[ImageInput],
        *,
        concurrency: int = 4,
        errors: str = "raise",
        mask_first: bool = False,
        **options: Unpack[Options],
    ) -> Iterator[Result | Exception]:
        """Remove the backgrounds of many images, several at a time, lazily.

        Args:
            images: The images; taken one by one, at most ``2 * concurrency`` ahead of what was given out.
            concurrency: Images that are worked on at once.
            errors: ``raise`` ends at the first failure; ``return`` gives its exception in the place of the result.
            mask_first: As in :meth:`remove`.
            **options: As in :meth:`remove`.

        Yields:
            Results, in the order of the images.
        """
        one = partial(self.remove, mask_first=mask_first, **options)
        return ordered(one, images, concurrency, keep_errors=errors == "return")

    def upload(self, image: ImageInput, *, on_progress: OnProgress | None = None) -> Upload:
        """Upload an image; the answer may be given in the place of an image for 24 hours."""
        picture = read_image(image)
        if not isinstance(picture, Picture):
            raise TypeError("only an image itself can be uploaded")
        return self.run(removal.upload_image(picture, self._policy), on_progress)

    def account(self) -> Account:
        """Tell whose the key is, and what was used this month."""
        return self.run(calls.get_account(self._policy))

    def usage(self) -> Usage:
        """Tell what the account used this month."""
        return self.account().usage

    def daily_usage(self, month: str | None = None) -> list[DayUsage]:
        """Tell what was used in a month by day and key.

        Args:
            month: ``yyyy-mm``; None: the current one.

        Returns:
            One entry for each day and key that has made images, sorted by both.
        """
        return self.run(calls.daily_usage(self._policy, month))

    def webhook_secret(self, *, rotate: bool = False) -> WebhookSecret:
        """Show the secret that signs the account's webhooks; ``rotate`` puts a new one in its place."""
        return self.run(calls.webhook_secret(self._policy, rotate=rotate))

    def health(self, *, deep: bool = False) -> dict[str, Any]:
        """Tell whether the service is up; ``deep``: whether its model loads and runs, and which it is."""
        return self.run(calls.health(self._policy, deep=deep))

    def run(self, flow: Flow[T], on_progress: OnProgress | None = None) -> T:
        """Run an operation of :mod:`cutout_client.calls` or :mod:`cutout_client.removal`."""
        return run(flow, self._http, self._endpoint, on_progress)


def endpoint_of(api_key: str | None, base_url: str | None, timeout_s: float) -> Endpoint:
    """Return the endpoint of these settings, or of the environment where they are None."""
    url = base_url or os.environ.get("CUTOUT_BASE_URL") or DEFAULT_URL
    return Endpoint(url, api_key or os.environ.get("CUTOUT_API_KEY") or None, timeout_s)
