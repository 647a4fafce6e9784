"""One order to its image and what that costs: the work behind every door that answers with an image."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from cutout.accounts import Caller
from cutout.api.dialects import Order
from cutout.api.sources import SourceKind, load, load_background
from cutout.aws import telemetry
from cutout.aws.uploads import UploadStore
from cutout.imaging.pipeline import cut_out
from cutout.imaging.predict import Segmenter
from cutout.imaging.spec import CutoutResult, Limits
from cutout.metering import Charge, Usage, charge_for


class Removal:
    """Makes images. fetch: gets what is behind a URL, within the limits."""

    def __init__(
        self, fetch: Callable[[str], bytes], uploads: UploadStore, segmenter: Segmenter, limits: Limits
    ) -> None:
        self._fetch = fetch
        self._uploads = uploads
        self._segmenter = segmenter
        self._limits = limits

    def make(self, caller: Caller, order: Order, charge_id: str) -> tuple[CutoutResult, Charge | None]:
        """The image, and the charge that is due once it is given out. Raises what is wrong with source or image."""
        read_upload = partial(self._uploads.read, caller.account.id)
        remote: dict[SourceKind, Callable[[str], bytes]] = {
            SourceKind.URL: self._fetch,
            SourceKind.UPLOAD: read_upload,
        }
        image = load(order.source, remote, self._limits.max_bytes)
        background = load_background(order.background, remote, self._limits.max_bytes)
        result = cut_out(image, order.spec, self._segmenter, self._limits, background)
        telemetry.image_made(result)
        usage = Usage.of_image(result.source_width, result.source_height, len(image), len(result.data))
        return result, charge_for(caller.account, caller.key.mode, charge_id, usage, datetime.now(UTC))
