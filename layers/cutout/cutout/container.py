"""The composition root: builds what a function needs when it is first needed, and keeps it between invocations.

The only module state of the package, and the only place where services meet their stores. What needs numpy or the
model is imported when it is first used, so that zip functions do without.
"""

from collections.abc import Callable
from functools import cache, cached_property, lru_cache, partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from cutout.accounts import Caller
from cutout.api.dialects.base import Dialect, Route
from cutout.api.headers import request_key
from cutout.api.job_documents import Links
from cutout.api.request import Request, Response
from cutout.api.routing import KeyedEndpoint
from cutout.aws import telemetry
from cutout.aws.stores import AwsStores
from cutout.outbound.fetch import FetchPolicy, PostPolicy, fetch, post
from cutout.services.access import Access, CachedKeyStore, OpenAccount
from cutout.services.account_admin import AccountService, KeyService
from cutout.services.async_removal import AsyncRemoval
from cutout.services.dialect_context import DialectContext, PublicDialectContext
from cutout.services.idempotent_removal import IdempotentRemoval
from cutout.services.job_service import JobService
from cutout.services.job_storage import JobStorage
from cutout.services.quota import QuotaCheck
from cutout.services.webhook_delivery import Post, WebhookSender, WebhookTrial
from cutout.settings import Settings
from cutout.usage import Admission

if TYPE_CHECKING:
    from cutout.imaging.models.manifest import Manifest, Model
    from cutout.imaging.models.onnx import Segmenter
    from cutout.services.job_worker import JobWorker
    from cutout.services.removal import RemovalService
    from cutout.services.upload_intake import UploadIntake


@cache
def container() -> "Container":
    """Give this process's container; the environment does not change while a process lives."""
    return Container(Settings.from_env())


class Container(AwsStores):
    """Everything that functions are made of, each part built when it is first used and kept.

    Args:
        settings: The configuration.
    """

    # -- access -----------------------------------------------------------------------------------------------------

    @cached_property
    def access(self) -> Access:
        """Remembers keys (60 s: most requests of a busy caller cost no read), the open account, and quotas."""
        return Access(
            CachedKeyStore(self.keys),
            self.rate_limiter,
            QuotaCheck(self.usage, telemetry.quota_not_checked),
            observer=telemetry,
            open_account=OpenAccount(self.keys.find_account, self.settings.open_account),
        )

    def endpoint(
        self,
        route: Route,
        handle: Callable[[Caller, Request], Response],
        credential: Callable[[Request], str | None],
        *,
        allow_suspended: bool = False,
    ) -> KeyedEndpoint:
        """Make an endpoint of our own contract.

        Args:
            route: Its method, and its route as the template names it.
            handle: Answers a request of an active account within its rate.
            credential: Finds the raw key in a request.
            allow_suspended: Whether an account that is not active may call it.

        Returns:
            The endpoint.
        """
        return KeyedEndpoint(
            *route,
            lambda admission, request: handle(admission.caller, request),
            authenticate=lambda request: self.access.authenticate(credential(request)),
            authorize=partial(self.access.authorize, allow_suspended=allow_suspended),
        )

    def dialect_endpoint(
        self, route: Route, dialect: Dialect, handle: Callable[[Admission, Request], Response]
    ) -> KeyedEndpoint:
        """Make an endpoint of a vendor's contract: its keys, its errors and its headers.

        Args:
            route: Its method, and its route as the template names it.
            dialect: The contract.
            handle: Answers a request of an active account within its rate.

        Returns:
            The endpoint.
        """

        def authenticate(request: Request) -> Admission:
            key = dialect.credential(request, legacy=self.settings.legacy_keys)
            return self.access.authenticate(key, keyless=dialect.keyless)

        return KeyedEndpoint(
            *route,
            handle,
            authenticate=authenticate,
            authorize=self.access.authorize,
            problem=dialect.problem,
            rate_headers=dialect.rate_headers,
        )

    def request_key(self, request: Request) -> str | None:
        """Find the raw key in a request of our own contract, in legacy places too where the settings allow it."""
        return request_key(request, legacy=self.settings.legacy_keys)

    # -- services ---------------------------------------------------------------------------------------------------

    @cached_property
    def key_service(self) -> KeyService:
        """Manages keys."""
        return KeyService(self.keys, self.settings.key_grace_s)

    @cached_property
    def account_service(self) -> AccountService:
        """Manages accounts and webhook secrets."""
        return AccountService(self.accounts, self.usage, self.webhook_secrets)

    @cached_property
    def job_storage(self) -> JobStorage:
        """All files of jobs."""
        return JobStorage(self.images, self.results, self.reports, self.retention, self.uploads)

    @cached_property
    def job_service(self) -> JobService:
        """Creates, finds and deletes jobs."""
        return JobService(self.jobs, self.uploads, self.job_storage, self.job_queue, self.access.require_quota)

    def links(self) -> Links:
        """Make the maker of presigned URLs, which work from now on."""
        return self.results.links()

    def dialect_context(self, admission: Admission) -> DialectContext:
        """Make what a dialect's own routes may use; it is one account's."""
        return DialectContext(admission, self.job_service, self.uploads, self.links)

    @cached_property
    def public_context(self) -> PublicDialectContext:
        """What dialects' public routes may use."""
        return PublicDialectContext(self.uploads, self.service_key.public)

    @cached_property
    def webhook_trial(self) -> WebhookTrial:
        """Tries receivers of webhooks."""
        return WebhookTrial(self.webhook_secrets, self._post, self.settings.url_allow)

    @property
    def _post(self) -> Post:
        return partial(post, policy=PostPolicy(self.settings.webhook_timeout_s, self.settings.url_allow))

    @cached_property
    def webhook_sender(self) -> WebhookSender:
        """Delivers webhooks."""
        return WebhookSender(
            self.jobs,
            self.webhook_secrets,
            self.links,
            self._post,
            self.service_key.sign,
            observer=telemetry,
        )

    # -- images -----------------------------------------------------------------------------------------------------

    @cached_property
    def segmenter(self) -> "Segmenter":
        """The model of the settings."""
        return self._load(self._manifest.select(self.settings.model))

    def segmenter_for(self, name: str) -> "Segmenter":
        """Give the model that a client asks for by a row's name or alias, if its file is here; else the settings'."""
        model = self._manifest.installed(name, self.settings.models_dir) if name else None
        if model is None or model.name == self.segmenter.name:
            return self.segmenter
        return self._load(model)

    @cached_property
    def removals(self) -> "RemovalService":
        """Carries out removal requests."""
        from cutout.services.removal import RemovalService  # noqa: PLC0415 - loads numpy

        require_quota, settings = self.access.require_quota, self.settings
        return RemovalService(
            self.fetch_image,
            self.uploads,
            self.segmenter_for,
            settings.limits,
            usage=self.usage,
            results=self.results,
            account_status=self.access.status,
            require_quota=require_quota,
            later=AsyncRemoval(
                self.job_service, self.uploads, settings.limits.max_bytes, settings.url_allow, require_quota
            ),
            idempotent=IdempotentRemoval(self.job_service, self.jobs, self.results, require_quota),
            observer=telemetry,
            synchronous=settings.synchronous,
            frames_per_image=settings.frames_per_image,
        )

    @cached_property
    def job_worker(self) -> "JobWorker":
        """Works on jobs."""
        from cutout.services.job_worker import JobWorker  # noqa: PLC0415 - loads numpy

        return JobWorker(
            self.jobs,
            self.job_storage,
            self.segmenter,
            self.settings.limits,
            find_account=self.keys.find_account,
            require_quota=self.access.require_quota,
            fetch=self.fetch_image,
            notify=self.webhook_queue.enqueue,
            observer=telemetry,
            frames_per_image=self.settings.frames_per_image,
        )

    @cached_property
    def upload_intake(self) -> "UploadIntake":
        """Takes up uploads and jobs from the queue."""
        from cutout.services.upload_intake import UploadIntake  # noqa: PLC0415 - loads numpy

        return UploadIntake(
            self.job_worker,
            self.jobs,
            self.job_storage,
            self.object_lease,
            find_account=self.keys.find_account,
            max_bytes=self.settings.limits.max_bytes,
            url_allow=self.settings.url_allow,
            observer=telemetry,
        )

    def fetch_image(self, url: str) -> bytes:
        """Fetch the bytes behind a public URL, within the limits of the settings."""
        policy = FetchPolicy(
            max_bytes=self.settings.limits.max_bytes,
            timeout_s=self.settings.url_timeout_s,
            redirects=self.settings.url_redirects,
            allow=self.settings.url_allow,
        )
        return fetch(url, policy).data

    def prepare_inside_lambda(self, build: Callable[["Container"], object]) -> None:
        """Load the model in the init phase, which has a full core; elsewhere it is loaded on first use.

        Args:
            build: Makes meanwhile what else the function needs, the model excepted.

        Raises:
            ServiceUnavailableError: The model cannot be loaded.
        """
        if self.settings.in_lambda:
            loading = Thread(target=lambda: self.segmenter)
            loading.start()
            build(self)
            loading.join()
            _ = self.segmenter  # loads again, and raises, what the thread could not

    @cached_property
    def _manifest(self) -> "Manifest":
        from cutout.imaging.models.manifest import load_manifest  # noqa: PLC0415 - not in the layer of zip functions

        return load_manifest(self.settings.models_dir)

    def _load(self, model: "Model") -> "Segmenter":
        return _load_model(model, self.settings.models_dir / model.file, self.settings.threads)


@lru_cache(maxsize=2)
def _load_model(model: "Model", file: Path, threads: int) -> "Segmenter":
    """Load a model; two, and what they need to run, are what memory is sure to hold."""
    from cutout.imaging.allocator import keep_freed_memory  # noqa: PLC0415
    from cutout.imaging.models.onnx import OnnxSegmenter  # noqa: PLC0415
    from cutout.imaging.threads import use_threads  # noqa: PLC0415

    keep_freed_memory()
    use_threads(threads)
    return OnnxSegmenter(model, file, threads)
