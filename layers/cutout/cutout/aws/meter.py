"""Charges of requests that are answered at once. The image is made and paid for in computing time: it is delivered."""

from cutout.aws import telemetry
from cutout.errors import CutoutError
from cutout.metering import Charge, UsageStore


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
