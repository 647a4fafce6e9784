"""``Prefer: respond-async`` (RFC 7240): a removal request becomes a job, and its image is kept until its turn."""

from collections.abc import Callable

from cutout.accounts import Account, Caller, KeyMode
from cutout.api.dialects.base import RemovalRequest
from cutout.api.jobs import check_background_url, check_webhook_url
from cutout.api.sources import InputKind, Source, load
from cutout.api.uploads import check_upload_id
from cutout.errors import InvalidOptionError
from cutout.ids import AccountId, JobId, UploadId
from cutout.jobs.parts import JobSource, SourceKind
from cutout.jobs.storage import direct_upload_key
from cutout.outbound.urls import check_url
from cutout.services.job_service import JobHandle, JobService, job_id_for, removal_job
from cutout.services.ports import UploadStore


class AsyncRemoval:
    """Turns removal requests into jobs.

    Args:
        service: Creates and starts jobs.
        uploads: Where their images are stored.
        max_bytes: The most bytes of an image.
        url_allow: ``host:port`` pairs that may be private.
        require_quota: Raises QuotaExceededError for an account without images left.
    """

    def __init__(
        self,
        service: JobService,
        uploads: UploadStore,
        max_bytes: int,
        url_allow: frozenset[str],
        require_quota: Callable[[Account, KeyMode], None],
    ) -> None:
        self._service = service
        self._uploads = uploads
        self._max_bytes = max_bytes
        self._url_allow = url_allow
        self._require_quota = require_quota

    def defer(self, caller: Caller, removal: RemovalRequest) -> JobHandle:
        """Make a request a job that is worked on.

        Args:
            caller: Who pays.
            removal: The request.

        Returns:
            The job, or the one that was made for the same request.

        Raises:
            InvalidOptionError: The webhook cannot be allowed, or the background is no URL.
            ImageTooLargeError: The image has too many bytes.
            InvalidBase64Error: The image is not base64.
            ImageUrlFetchFailedError: The URL cannot be allowed.
            NotFoundError: Nothing was uploaded under the upload's id.
            IdempotencyMismatchError: The Idempotency-Key was used for another request.
            QuotaExceededError: The account has no images left.
            ServiceUnavailableError: A store cannot be reached.
        """
        if removal.webhook_url:
            check_webhook_url(removal.webhook_url, self._url_allow)
        if removal.background:
            self._check_background(removal.background)
        job_id = job_id_for(caller, removal.idempotency_key)
        source, image = self._source(caller.account.id, job_id, removal.source)
        job = removal_job(caller, removal, source, job_id)
        known = self._service.find_known(job)
        if known is None:
            if removal.source.kind is InputKind.UPLOAD:
                self._uploads.require(caller.account.id, str(removal.source.value).strip())
            self._require_quota(caller.account, caller.key.mode)
        handle = JobHandle(known, repeated=True) if known else self._service.create(job)
        return self._service.start(handle, image)

    def _check_background(self, background: Source) -> None:
        if background.kind is not InputKind.URL:
            message = f"{background.name} cannot be kept for later; send a URL, or leave out Prefer: respond-async."
            raise InvalidOptionError(message, {"option": background.name})
        check_background_url(str(background.value).strip(), self._url_allow)

    def _source(self, account_id: AccountId, job_id: JobId, source: Source) -> tuple[JobSource, bytes | None]:
        """Find where the image lies, and the image itself where it is still to be stored there."""
        if source.kind is InputKind.URL:
            url = str(source.value).strip()
            check_url(url, self._url_allow)
            return JobSource(SourceKind.URL, url=url), None
        image: bytes | None = None
        name: UploadId | JobId = job_id
        if source.kind is InputKind.UPLOAD:
            name = check_upload_id(str(source.value).strip())
        else:
            image = load(source, {}, self._max_bytes)
        key = direct_upload_key(account_id, name)
        return JobSource(SourceKind.REQUEST, bucket=self._uploads.bucket, key=key), image
