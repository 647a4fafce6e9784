"""One removal request to its result: quota, images, cutout, charge, each an explicit step.

A request takes one of three ways. Most are answered with the image (:class:`Immediate`). One that prefers not to wait
becomes a job (:class:`Deferred`). One with an Idempotency-Key is done once, and repeated answers are the first one's
(:class:`Replayed`, or Immediate for the first).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

from cutout.accounts import Account, Caller, KeyMode
from cutout.api.answers import foreground_of
from cutout.api.dialects.base import Dialect, LoadedRemoval, Outcome, RemovalRequest
from cutout.api.headers import REPLAYED
from cutout.api.request import Request, Response
from cutout.api.sources import InputKind, load, load_background
from cutout.errors import AnimationTooLargeError, ClientFaultError, CutoutError, DeadlineError
from cutout.imaging.models.onnx import Segmenter
from cutout.imaging.pipeline import cut_out
from cutout.imaging.spec import CutoutResult, Limits
from cutout.jobs.job import Job
from cutout.jobs.parts import JobSource, SourceKind
from cutout.services.async_removal import AsyncRemoval
from cutout.services.idempotent_removal import IdempotentRemoval, Made
from cutout.services.job_service import removal_job
from cutout.services.ports import Observer, ResultStore, UploadStore
from cutout.usage import FRAMES_PER_IMAGE, AccountStatus, Admission, Charge, Usage, UsageStore, charge_for


@dataclass(frozen=True, slots=True)
class Immediate:
    """A result made for this request.

    Attributes:
        result: The cutout.
        image: The encoded image that it was made of.
        charge: What is to be counted once the answer is written, maybe without the bytes of a result that is not
            encoded yet; None: nothing, or it is counted with its job.
    """

    result: CutoutResult
    image: bytes
    charge: Charge | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """A result made for an earlier request with the same Idempotency-Key, and charged then."""

    result: CutoutResult


@dataclass(frozen=True, slots=True)
class Deferred:
    """A job that will make the result. repeated: it was made for the same request, sent before."""

    job: Job
    repeated: bool


TOO_SLOW: Final = (
    "The model of this service takes too long to be waited for: send Prefer: respond-async with the same request, or "
    "create a job with POST /v2/jobs."
)

AS_A_JOB: Final = (
    "A job takes {frames} frames and {megapixels:g} megapixels: send Prefer: respond-async with the same request, or "
    "create one with POST /v2/jobs."
)

Handled = Immediate | Replayed | Deferred
CheckImage = Callable[[LoadedRemoval], None]
"""Refuses an image that the contract does not take."""


class RemovalService:
    """Carries out removal requests.

    Args:
        fetch: Fetches the bytes behind a public URL, within the service's limits.
        uploads: Where images lie that were uploaded before.
        segmenter_for: Gives the model for a name that a client asks for.
        limits: The service's own bounds on an image.
        usage: Where charges are counted.
        results: Where results are kept that are read by a URL.
        account_status: Collects what contracts report of an account.
        require_quota: Raises QuotaExceededError for an account without images left.
        later: Turns requests into jobs.
        idempotent: Does requests once.
        observer: Hears of images made and charges lost.
        synchronous: Whether the model is quick enough to be waited for; else requests have to become jobs.
        frames_per_image: So many frames of an animation are charged as one image.
    """

    def __init__(
        self,
        fetch: Callable[[str], bytes],
        uploads: UploadStore,
        segmenter_for: Callable[[str], Segmenter],
        limits: Limits,
        *,
        usage: UsageStore,
        results: ResultStore,
        account_status: Callable[[Admission], AccountStatus],
        require_quota: Callable[[Account, KeyMode], None],
        later: AsyncRemoval,
        idempotent: IdempotentRemoval,
        observer: Observer,
        synchronous: bool = True,
        frames_per_image: int = FRAMES_PER_IMAGE,
    ) -> None:
        self._fetch = fetch
        self._uploads = uploads
        self._segmenter_for = segmenter_for
        self._limits = limits
        self._usage = usage
        self._results = results
        self._account_status = account_status
        self._require_quota = require_quota
        self._later = later
        self._idempotent = idempotent
        self._observer = observer
        self._synchronous = synchronous
        self._frames_per_image = frames_per_image

    def respond(self, dialect: Dialect, admission: Admission, request: Request) -> Response:
        """Answer a removal request in its contract's shape.

        Args:
            dialect: The contract.
            admission: The caller.
            request: The request.

        Returns:
            The image in the contract's shape, in pieces where the transport takes these and it is a PNG; a redirect to
            it where it does not fit the transport; or the job that will make it.

        Raises:
            CutoutError: What is wrong with the request or its images, or with the service.
        """
        removal = dialect.parse(request)
        handled = self.handle(admission.caller, removal, dialect.check_image, request)
        if isinstance(handled, Deferred):
            return dialect.accepted(request, handled.job, self._results.links(), repeated=handled.repeated)
        key = f"results/{admission.caller.account.id}/{request.request_id}"
        publish = partial(self._results.publish, handled.result, f"{key}-image")
        image, charge = (None, None) if isinstance(handled, Replayed) else (handled.image, handled.charge)
        status = self._account_status(admission)
        outcome = Outcome(removal, handled.result, status, charge is not None, publish, image)
        response = dialect.answer(request, outcome)
        response = response.with_headers({"x-foreground": foreground_of(handled.result.foreground)})
        if charge is not None and not isinstance(response.body, bytes):
            response = replace(response, body=self._counted(response.body, charge))
        else:
            response = response if request.streams else self._results.deliver(response, key)
            self.count(charge and charge.with_result(len(handled.result.data)))
        return response.with_headers(REPLAYED) if isinstance(handled, Replayed) else response

    def handle(self, caller: Caller, removal: RemovalRequest, check: CheckImage, request: Request) -> Handled:
        """Carry out a request, or make it a job.

        Args:
            caller: Who pays.
            removal: What is asked for.
            check: Refuses an image that the contract does not take; not asked with an Idempotency-Key.
            request: Names the charge, and says how much time is left and whether the answer may go out in pieces.

        Returns:
            What came of it; an immediate result's charge is still to be counted.

        Raises:
            CutoutError: What is wrong with the request or its images, or with the service.
        """
        if removal.respond_async:
            handle = self._later.defer(caller, removal)
            self._observer.job_accepted(handle.job, repeated=handle.repeated)
            return Deferred(handle.job, handle.repeated)
        if not self._synchronous:
            raise DeadlineError(TOO_SLOW)
        if removal.idempotency_key:
            return self._once(caller, removal, request.time_left_s)
        self._require_quota(caller.account, caller.key.mode)
        loaded = self._load(caller, removal)
        try:
            check(loaded)
            made = self._make(caller, loaded, request.request_id, encode_later=request.streams)
        except ClientFaultError as error:
            raise error.about(loaded.image) from error.__cause__
        return Immediate(made.result, loaded.image, made.charge)

    def count(self, charge: Charge | None) -> None:
        """Count a charge, if there is one; called once the answer is written, since the image is delivered then.

        Never raises: a charge that could not be counted after every try is in the log, whole, under a metric of its
        own.
        """
        if charge is None:
            return
        try:
            self._usage.record(charge)
        except CutoutError as error:
            self._observer.charge_not_counted(charge, error)

    def _once(self, caller: Caller, removal: RemovalRequest, time_left_s: float) -> Immediate | Replayed:
        """Do a request under its Idempotency-Key; its charge is counted with its job."""
        image = b""

        def make(charge_id: str) -> Made:
            nonlocal image
            loaded = self._load(caller, removal)
            image = loaded.image
            return self._make(caller, loaded, charge_id)

        job = removal_job(caller, removal, JobSource(SourceKind.REQUEST))
        result, replayed = self._idempotent.run(job, caller, make, time_left_s)
        return Replayed(result) if replayed else Immediate(result, image, None)

    def _load(self, caller: Caller, removal: RemovalRequest) -> LoadedRemoval:
        """Load the images of a request. Raises what is wrong with their sources."""
        remote: dict[InputKind, Callable[[str], bytes]] = {
            InputKind.URL: self._fetch,
            InputKind.UPLOAD: partial(self._uploads.read, caller.account.id),
        }
        image = load(removal.source, remote, self._limits.within(removal.limits).max_bytes)
        return LoadedRemoval(removal, image, load_background(removal.background, remote, self._limits.max_bytes))

    def _counted(self, pieces: Iterable[bytes], charge: Charge) -> Iterator[bytes]:
        """Pass the pieces of an image on, and count its charge before their end: a whole image is paid for.

        A client that goes away in between has been given what it took, and pays too; for an image whose encoder fails
        nobody pays.
        """
        sent, failed = 0, False
        try:
            for piece in pieces:
                sent += len(piece)
                yield piece
        except Exception:
            failed = True
            raise
        finally:
            if not failed:
                self.count(charge.with_result(sent))

    def _make(self, caller: Caller, loaded: LoadedRemoval, charge_id: str, *, encode_later: bool = False) -> Made:
        """Cut a loaded image out; nothing found is not charged. Raises what is wrong with the images."""
        removal = loaded.request
        segmenter = self._segmenter_for(removal.model)
        limits = self._limits.within(removal.limits)
        try:
            result = cut_out(
                loaded.image,
                removal.spec,
                segmenter,
                limits.waited_for,
                loaded.background or None,
                encode_later=encode_later,
            )
        except AnimationTooLargeError as error:
            hint = AS_A_JOB.format(frames=limits.max_frames, megapixels=limits.max_frames_px / 1e6)
            raise AnimationTooLargeError(f"{error.message} {hint}", error.details) from error
        self._observer.image_made(result)
        usage = Usage.of_image(
            result.source_width,
            result.source_height,
            len(loaded.image),
            len(result.file) if isinstance(result.file, bytes) else 0,
            frames=result.frames,
            frames_per_image=self._frames_per_image,
        )
        now, key = datetime.now(UTC), caller.key
        charge = charge_for(caller.account, key.mode, charge_id, usage, now, key=key.fingerprint)
        return Made(result, charge if result.foreground else None)
