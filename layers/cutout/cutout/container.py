"""What lives between the invocations of one execution environment, and why. All other state is an argument."""

from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING

from cutout.api.job_documents import Links
from cutout.aws import telemetry
from cutout.aws.clients import charging_client, counting_client, dynamodb_client, s3_client, sqs_client
from cutout.aws.dynamodb.accounts import DynamoAccountStore
from cutout.aws.dynamodb.jobs import DynamoJobStore
from cutout.aws.dynamodb.keys import DynamoKeyStore
from cutout.aws.dynamodb.object_lease import ObjectLedger
from cutout.aws.dynamodb.rate_limiter import DynamoRateLimiter
from cutout.aws.dynamodb.secrets import DynamoWebhookSecrets
from cutout.aws.dynamodb.usage import DynamoUsageStore
from cutout.aws.s3.images import JobImages
from cutout.aws.s3.results import JobReports, ResultStore
from cutout.aws.s3.uploads import Retention, UploadStore
from cutout.aws.sqs import MessageQueue
from cutout.outbound.fetch import FetchPolicy, PostPolicy, fetch, post
from cutout.services.access import Door, OpenAccount
from cutout.services.account_admin import AccountDesk, KeyDesk
from cutout.services.async_removal import Deferral
from cutout.services.dialect_context import DialectDesk, PublicOffice
from cutout.services.idempotent_removal import Once
from cutout.services.job_service import JobDesk
from cutout.services.job_storage import JobFiles
from cutout.services.key_cache import CachedKeyStore
from cutout.services.quota import QuotaGate
from cutout.services.removal import Meter
from cutout.services.webhook_delivery import Courier
from cutout.settings import Settings

if TYPE_CHECKING:
    from cutout.aws.dynamodb.secrets import DynamoServiceKey
    from cutout.imaging.models.manifest import Manifest, Model
    from cutout.imaging.models.onnx import Segmenter
    from cutout.services.job_worker import JobRunner
    from cutout.services.removal import Removal
    from cutout.services.upload_intake import JobIntake


@cache
def settings() -> Settings:
    """The environment does not change while a process lives."""
    return Settings.from_env()


@cache
def accounts() -> DynamoKeyStore:
    """Accounts and keys as they are now, for those who change them."""
    return DynamoKeyStore(dynamodb_client(), settings().accounts_table, audited=telemetry.audited)


@cache
def key_desk() -> KeyDesk:
    """Where keys are managed."""
    return KeyDesk(accounts(), settings().key_grace_s)


@cache
def account_desk() -> AccountDesk:
    """Where accounts are managed."""
    store = DynamoAccountStore(dynamodb_client(), settings().accounts_table, audited=telemetry.audited)
    return AccountDesk(store, usage())


@cache
def webhook_secrets() -> DynamoWebhookSecrets:
    """What signs the accounts' webhooks."""
    return DynamoWebhookSecrets(
        dynamodb_client(), settings().accounts_table, settings().key_grace_s, audited=telemetry.audited
    )


@cache
def key_store() -> CachedKeyStore:
    """Keeps keys for 60 s: most requests of a busy caller cost no read, and a revoked key dies within a minute."""
    return CachedKeyStore(accounts())


@cache
def usage() -> DynamoUsageStore:
    """Counts what was used, and tells it."""
    return DynamoUsageStore(charging_client(), settings().accounts_table)


@cache
def meter() -> Meter:
    """Charges the requests that were answered by an image."""
    return Meter(usage())


@cache
def admission() -> Door:
    """Keeps keys, the open account, full seconds and quotas that are far from used up."""
    limiter = DynamoRateLimiter(counting_client(), settings().accounts_table, telemetry.rate_not_counted)
    find_open = OpenAccount(accounts().find_account, settings().open_account)
    return Door(key_store(), limiter, QuotaGate(usage(), telemetry.quota_not_asked), find_open=find_open)


@cache
def results() -> ResultStore:
    """The results bucket does not change while a process lives."""
    return ResultStore(
        s3_client,
        settings().results_bucket,
        inline_limit_bytes=settings().inline_limit_bytes,
        url_s=settings().result_url_s,
    )


def links() -> Links:
    """Presigned GETs of results, from now on."""
    return results().links()


@cache
def webhook_queue() -> MessageQueue:
    """The queue does not change while a process lives."""
    return MessageQueue(sqs_client, settings().webhooks_queue_url)


@cache
def job_queue() -> MessageQueue:
    """The queue does not change while a process lives."""
    return MessageQueue(sqs_client, settings().jobs_queue_url)


@cache
def courier() -> Courier:
    """Keeps its parts' connections; those to receivers end with each delivery."""
    policy = PostPolicy(settings().webhook_timeout_s, settings().url_allow)
    deliver = partial(post, policy=policy)
    return Courier(jobs(), webhook_secrets(), links, deliver, lambda message: _service_key().sign(message))


@cache
def _service_key() -> "DynamoServiceKey":
    """Never changes. Imported here, since most functions sign nothing."""
    from cutout.aws.dynamodb.secrets import DynamoServiceKey  # noqa: PLC0415

    return DynamoServiceKey(dynamodb_client(), settings().accounts_table)


@cache
def uploads() -> UploadStore:
    """The uploads bucket does not change while a process lives."""
    return UploadStore(
        s3_client,
        settings().uploads_bucket,
        max_bytes=settings().limits.max_bytes,
        url_s=settings().upload_url_s,
    )


@cache
def jobs() -> DynamoJobStore:
    """Jobs, and the charges of their ends."""
    return DynamoJobStore(dynamodb_client(), settings().jobs_table, settings().accounts_table)


@cache
def retention() -> Retention:
    """The uploads bucket does not change while a process lives."""
    return Retention(s3_client, settings().uploads_bucket)


@cache
def _job_files() -> JobFiles:
    reports = JobReports(s3_client, settings().results_bucket)
    return JobFiles(JobImages(s3_client), results(), reports, retention(), uploads())


@cache
def _job_runner() -> "JobRunner":
    """Keeps the model. Imported here as the model is."""
    from cutout.services.job_worker import JobRunner  # noqa: PLC0415

    return JobRunner(
        jobs(),
        _job_files(),
        segmenter(),
        settings().limits,
        find_account=accounts().find_account,
        require_quota=admission().require_quota,
        fetch=fetch_image,
        tell=webhook_queue().enqueue,
    )


@cache
def job_intake() -> "JobIntake":
    """Keeps the model. Imported here as the model is."""
    from cutout.services.upload_intake import JobIntake  # noqa: PLC0415

    return JobIntake(
        _job_runner(),
        jobs(),
        _job_files(),
        ObjectLedger(dynamodb_client(), settings().jobs_table),
        find_account=accounts().find_account,
        max_bytes=settings().limits.max_bytes,
        url_allow=settings().url_allow,
    )


@cache
def job_desk() -> JobDesk:
    """Keeps its parts' connections."""
    return JobDesk(jobs(), uploads(), _job_files(), job_queue())


def dialect_desk(account_id: str) -> DialectDesk:
    """Made for each request: it is one account's."""
    return DialectDesk(account_id, job_desk(), uploads(), links)


@cache
def office() -> PublicOffice:
    """Keeps its parts' connections."""
    return PublicOffice(uploads(), lambda: _service_key().public())


@cache
def deferral() -> Deferral:
    """Keeps its parts' connections."""
    return Deferral(job_desk(), uploads(), settings().limits.max_bytes, settings().url_allow)


@cache
def once() -> Once:
    """Keeps its parts' connections."""
    return Once(job_desk(), jobs(), results())


@cache
def _manifest() -> "Manifest":
    """Comes with the code. Imported here as the model is."""
    from cutout.imaging.models.manifest import load_manifest  # noqa: PLC0415

    return load_manifest(settings().models_dir)


@cache
def segmenter() -> "Segmenter":
    """The loaded model: loading costs more than using it. Imported here so that zip functions need no numpy."""
    from cutout.imaging.models.onnx import OnnxSegmenter  # noqa: PLC0415

    model = _manifest().select(settings().model)
    return OnnxSegmenter(model, settings().models_dir / model.file, settings().threads)


def segmenter_for(name: str) -> "Segmenter":
    """The model that a client asks for by a row's name or alias, if its file is here; else the one of the settings."""
    model = _manifest().installed(name, settings().models_dir) if name else None
    return segmenter() if model is None or model.name == segmenter().name else _other_segmenter(model)


@lru_cache(maxsize=1)
def _other_segmenter(model: "Model") -> "Segmenter":
    """One besides that of the settings: two models, and what they need to run, are what memory is sure to hold."""
    from cutout.imaging.models.onnx import OnnxSegmenter  # noqa: PLC0415

    return OnnxSegmenter(model, settings().models_dir / model.file, settings().threads)


@cache
def removal() -> "Removal":
    """Keeps the model. Imported here as the model is."""
    from cutout.services.removal import Removal  # noqa: PLC0415

    return Removal(fetch_image, uploads(), segmenter_for, settings().limits)


def fetch_image(url: str) -> bytes:
    """The bytes behind a public URL, within the limits of the settings."""
    policy = FetchPolicy(
        max_bytes=settings().limits.max_bytes,
        timeout_s=settings().url_timeout_s,
        redirects=settings().url_redirects,
        allow=settings().url_allow,
    )
    return fetch(url, policy).data


def prepare_inside_lambda() -> None:
    """Load the model and the DynamoDB clients in the init phase, which has a full core; elsewhere on first use."""
    if settings().in_lambda:
        segmenter()
        admission()
