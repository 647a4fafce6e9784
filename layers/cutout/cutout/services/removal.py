"""One order to its image and what that costs: the work behind every door that answers with an image."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from cutout.accounts import Caller
from cutout.api.dialects.base import Order
from cutout.api.sources import InputKind, Source, load, load_background
from cutout.aws import telemetry
from cutout.aws.s3.uploads import UploadStore
from cutout.errors import CutoutError
from cutout.imaging.models.onnx import Segmenter
from cutout.imaging.pipeline import cut_out
from cutout.imaging.spec import CutoutResult, Limits
from cutout.usage import Charge, Usage, UsageStore, charge_for


class Removal:
    """Makes images. fetch: gets what is behind a URL, within the limits. segmenter_for: the model for a wanted name."""

    def __init__(
        self,
        fetch: Callable[[str], bytes],
        uploads: UploadStore,
        segmenter_for: Callable[[str], Segmenter],
        limits: Limits,
    ) -> None:
        self._fetch = fetch
        self._uploads = uploads
        self._segmenter_for = segmenter_for
        self._limits = limits

    def take(self, caller: Caller, order: Order) -> Order:
        """The same order with its images as bytes. Raises what is wrong with their sources."""
        remote: dict[InputKind, Callable[[str], bytes]] = {
            InputKind.URL: self._fetch,
            InputKind.UPLOAD: partial(self._uploads.read, caller.account.id),
        }
        max_bytes = self._limits.within(order.limits).max_bytes
        source = replace(order.source, kind=InputKind.BYTES, value=load(order.source, remote, max_bytes))
        behind = load_background(order.background, remote, self._limits.max_bytes)
        background = behind and Source(InputKind.BYTES, "background", behind)
        return replace(order, source=source, background=background or None)

    def make(self, caller: Caller, order: Order, charge_id: str) -> tuple[CutoutResult, Charge | None]:
        """The image of an order that was taken, and the charge that is due once it is given out.

        Raises what is wrong with the images.
        """
        image = order.source.data
        behind = order.background.data if order.background else None
        result = cut_out(image, order.spec, self._segmenter_for(order.model), self._limits.within(order.limits), behind)
        telemetry.image_made(result)
        usage = Usage.of_image(result.source_width, result.source_height, len(image), len(result.data))
        return result, charge_for(caller.account, caller.key.mode, charge_id, usage, datetime.now(UTC))

    def fetch_and_make(self, caller: Caller, order: Order, charge_id: str) -> tuple[CutoutResult, Charge | None]:
        """Both at once."""
        return self.make(caller, self.take(caller, order), charge_id)


class Meter:
    """Counts charges, one at a time."""

    def __init__(self, usage: UsageStore) -> None:
        self._usage = usage

    def count(self, charge: Charge | None) -> None:
        """Count a charge, if there is one to count. Never raises for a store that is away.

        A charge that could not be counted after every try is in the log, whole, under a metric of its own.
        """
        if charge is None:
            return
        try:
            self._usage.record(charge)
        except CutoutError as error:
            telemetry.charge_not_counted(charge, error)
