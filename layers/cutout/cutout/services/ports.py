"""What the services need of the outside world, as protocols; ``aws`` implements them. See also ``jobs/storage.py``."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from cutout.accounts import Account, AccountPage, Actor, ApiKey, KeyMode
from cutout.api.job_documents import Links
from cutout.api.request import Response
from cutout.api.uploads import UploadForm
from cutout.errors import CutoutError
from cutout.ids import AccountId, JobId, KeyFingerprint
from cutout.imaging.spec import CutoutResult
from cutout.jobs.job import Job
from cutout.jobs.parts import JobResult
from cutout.usage import Charge
from cutout.webhooks import WebhookSecret


class ResultStore(Protocol):
    """Where results are kept for a day. Every method raises ServiceUnavailableError."""

    def deliver(self, response: Response, key: str) -> Response:
        """Pass a response that fits the transport; turn another into a redirect (303) to its stored body."""

    def publish(self, result: CutoutResult, key: str) -> str:
        """Store a result without a job; give a URL by which anyone can read it for a while."""

    def store(self, job: Job, result: CutoutResult, mask: bytes | None = None) -> JobResult:
        """Store what was made for a job: the cutout, and the mask (PNG) beside it."""

    def read(self, result: JobResult) -> CutoutResult:
        """Read what was stored for a job. Raises GoneError when it was removed."""

    def links(self) -> Links:
        """Make the maker of URLs by which results are read without a key."""

    def remove(self, job: Job) -> None:
        """Remove all that attempts at a job may have stored, except the report of an end that is reported."""


class UploadStore(Protocol):
    """Where uploads lie for a day. Every method raises ServiceUnavailableError."""

    @property
    def bucket(self) -> str:
        """The bucket's name."""

    @property
    def max_bytes(self) -> int:
        """The most bytes of one image."""

    def form(self, key: str, content_type: str) -> UploadForm:
        """Make a presigned POST for one object."""

    def require(self, account_id: AccountId, upload_id: str) -> str:
        """Give the key of an upload that is there and small enough. Raises as :meth:`read`."""

    def read(self, account_id: AccountId, upload_id: str) -> bytes:
        """Read an upload.

        Raises:
            NotFoundError: Nothing was uploaded under this id.
            InvalidRequestError: No upload can have this id.
            ImageTooLargeError: It has too many bytes; nothing is read then.
        """

    def put_url(self, key: str) -> str:
        """Make a presigned PUT."""

    def get_url(self, key: str) -> str:
        """Make a presigned GET."""

    def store(self, key: str, data: bytes) -> None:
        """Store an image."""

    def remove(self, key: str, etag: str | None = None) -> None:
        """Remove an object if it is there; with an etag only that very one, since owners overwrite theirs."""


class AccountStore(Protocol):
    """Where accounts are managed. Every method raises ServiceUnavailableError; changes are audited."""

    def page(self, limit: int, after: AccountId | None) -> AccountPage:
        """List accounts by id."""

    def find(self, account_id: AccountId) -> Account:
        """Look an account up. Raises NotFoundError."""

    def create(self, account: Account, actor: Actor) -> None:
        """Add an account."""

    def change(self, account_id: AccountId, changes: Mapping[str, Any], actor: Actor) -> Account:
        """Change fields of an account. Raises NotFoundError."""


class ManagedKeyStore(Protocol):
    """Where keys are managed. Every method raises ServiceUnavailableError; changes are audited."""

    def find_account(self, account_id: AccountId) -> Account | None:
        """Look an account up."""

    def list_keys(self, account_id: AccountId) -> Iterable[ApiKey]:
        """List all keys of an account, revoked ones too."""

    def find_key(self, account_id: AccountId, key_fingerprint: KeyFingerprint) -> ApiKey:
        """Look a key up. Raises NotFoundError."""

    def create_key(self, account_id: AccountId, raw_key: str, mode: KeyMode, label: str, actor: Actor) -> ApiKey:
        """Add a key. Raises ConflictError when the account has too many, NotFoundError for an unknown account."""

    def revoke(self, account_id: AccountId, key_fingerprint: KeyFingerprint, actor: Actor) -> ApiKey:
        """Revoke a key for good."""

    def rotate(
        self, account_id: AccountId, key_fingerprint: KeyFingerprint, raw_key: str, actor: Actor, grace_s: int
    ) -> ApiKey:
        """Add a successor; the old key works for ``grace_s`` more. Raises ConflictError."""


class WebhookSecretStore(Protocol):
    """Where webhook secrets are kept. Every method raises ServiceUnavailableError."""

    def find(self, account_id: AccountId) -> WebhookSecret:
        """Give the secret of an account; one is made where there is none."""

    def rotate(self, account_id: AccountId, actor: Actor) -> WebhookSecret:
        """Make a new secret; the old one signs for a while too."""

    def signing(self, account_id: AccountId, now: datetime) -> tuple[str, ...]:
        """Give the secrets that sign at this time (UTC), the newest first; one is made where there is none."""


class Observer(Protocol):
    """Who hears what the services do: logs, metrics, traces. Never raises."""

    def caller_identified(self, account_id: AccountId, fingerprint: str, mode: str) -> None:
        """Every later event of this invocation belongs to this account and key."""

    def image_made(self, result: CutoutResult) -> None:
        """An image was made."""

    def charge_not_counted(self, charge: Charge, error: CutoutError) -> None:
        """A charge could not be counted after every try."""

    def job_accepted(self, job: Job, *, repeated: bool) -> None:
        """A job stands for a request. repeated: it was made for the same request, sent before."""

    def job_started(self, job: Job) -> None:
        """An attempt at a job has begun."""

    def job_finished(self, job: Job) -> None:
        """A job has ended."""

    def job_abandoned(self, job: Job) -> None:
        """An attempt was in vain: the job was deleted, or has expired."""

    def job_fault(self, job: Job, error: Exception) -> None:
        """A fault of the service has ended an attempt."""

    def record_ignored(self, reason: str, facts: Mapping[str, str]) -> None:
        """A message asks for nothing."""

    def webhook_attempted(self, job_id: JobId, outcome: str, answer: int | str | None) -> None:
        """A delivery was tried. answer: the receiver's status, or why there is none."""
