"""How long each stage of the work takes."""

from time import perf_counter


class StageClock:
    """Measures stages, wall time in milliseconds; a stage that comes again is added up."""

    def __init__(self) -> None:
        self.stages_ms: dict[str, float] = {}
        self._last = perf_counter()

    def lap(self, stage: str) -> None:
        """End a stage, which began when the one before ended.

        Args:
            stage: Its name.
        """
        now = perf_counter()
        self.stages_ms[stage] = self.stages_ms.get(stage, 0.0) + (now - self._last) * 1000
        self._last = now
