# /// script
# requires-python = ">=3.11"
# dependencies = ["matplotlib>=3.10,<4", "numpy>=2,<3", "simpy>=4.1,<5"]
# ///
"""Simulate a stack under load, event by event, and draw what docs/capacity.md shows: ``uv run tools/capacity.py``.

Requests meet Lambda's rules of growth and callers that try again; uploads meet a queue whose workers grow. Loads above
``SIMULATED_RPS`` are simulated with everything, limits included, scaled down alike, which leaves shares and times as
they are and makes the highest second look higher than it would be.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import simpy

mpl.use("Agg")
from matplotlib import pyplot as plt

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
SIMULATED_RPS = 400.0
SERVICE_S, SPREAD = 0.6, 0.6
"""Median seconds of one removal at 3,008 MB, and the sigma of its lognormal distribution (mean 0.72 s)."""
COLD_S = 3.0
"""Seconds until a new environment has imported everything and loaded the model."""
GROWTH_PER_S = 100.0
"""New environments a second of one function (Lambda developer guide: 1,000 every 10 s)."""
IDLE_S = 300.0
"""Seconds after which an idle environment goes; Lambda does not tell, this is usual."""
WRITES = 7
"""Writes of one image: its rate, and a transaction of three, which counts double: month, day and charge."""
RETRIES, RETRY_S = 3, 1.0
"""How often a caller tries again after a 503, and the first pause, doubled each time with jitter."""


def mean_service_s() -> float:
    """Mean seconds of one removal."""
    return SERVICE_S * float(np.exp(SPREAD**2 / 2))


@dataclass(slots=True)
class Function:
    """A function's environments as Lambda starts and ends them.

    Attributes:
        limit: Most executions at one time.
        scale: Part of the true load that is simulated; limits shrink with it.
    """

    limit: float
    scale: float
    idle: list[float] = field(default_factory=list)
    busy: int = 0
    tokens: float = 0.0
    refilled: float = 0.0

    def acquire(self, now: float) -> float | None:
        """Seconds until an environment is ready: 0 a warm one, ``COLD_S`` a new one, None for throttled."""
        self.idle = [since for since in self.idle if now - since < IDLE_S]
        if self.busy + 1 > self.limit * self.scale:
            return None
        if self.idle:
            self.idle.pop()
            self.busy += 1
            return 0.0
        self.tokens = min(
            10 * GROWTH_PER_S * self.scale, self.tokens + (now - self.refilled) * GROWTH_PER_S * self.scale
        )
        self.refilled = now
        if self.tokens >= 1:
            self.tokens, self.busy = self.tokens - 1, self.busy + 1
            return COLD_S
        return None

    def release(self, now: float) -> None:
        """An execution has ended; its environment waits for the next."""
        self.busy -= 1
        self.idle.append(now)


@dataclass(slots=True)
class Run:
    """What a simulated run has seen: seconds, and per second what was asked, refused and in use."""

    seconds: int
    asked: Any
    refused: Any
    failed: Any
    busy: Any
    waits: list[tuple[float, float]] = field(default_factory=list)

    @classmethod
    def of(cls, seconds: int) -> "Run":
        """An empty run."""
        return cls(seconds, np.zeros(seconds), np.zeros(seconds), np.zeros(seconds), np.zeros(seconds))


Rate = Callable[[float], float]
"""Requests per second at a time."""


def constant(rate: float) -> Rate:
    """The same rate at every time."""
    return lambda _: float(rate)


def serve(
    rate: Rate, seconds: int, limit: float, *, slow: Rate = lambda _: 0.0, warm: float = 0.0, seed: int = 1
) -> Run:
    """Simulate requests that are answered at once.

    Args:
        rate: Requests per second over time.
        seconds: How long.
        limit: The account's concurrency.
        slow: Seconds that another service adds to each request at a time: a partial outage.
        warm: Environments that are there at the beginning.
        seed: Of all chances.

    Returns:
        The run, in true numbers.
    """
    scale = min(1.0, SIMULATED_RPS / max(rate(float(second)) for second in range(seconds)))
    chance, world, run = np.random.default_rng(seed), simpy.Environment(), Run.of(seconds)
    function = Function(limit, scale, idle=[0.0] * int(warm * scale), tokens=10 * GROWTH_PER_S * scale)

    def request() -> Iterator[Any]:
        started = world.now
        for attempt in range(RETRIES + 1):
            second = int(world.now)
            if second >= seconds:
                return
            run.asked[second] += 1
            ready_s = function.acquire(world.now)
            if ready_s is not None:
                work_s = ready_s + chance.lognormal(np.log(SERVICE_S), SPREAD) + slow(world.now)
                yield world.timeout(work_s)
                function.release(world.now)
                run.waits.append((started, world.now - started))
                return
            run.refused[second] += 1
            yield world.timeout(RETRY_S * 2**attempt * chance.uniform(0.5, 1.5))
        run.failed[min(int(started), seconds - 1)] += 1

    def arrivals() -> Iterator[Any]:
        while world.now < seconds:
            now_rate = rate(world.now) * scale
            yield world.timeout(chance.exponential(1 / now_rate) if now_rate else 1.0)
            world.process(request())

    def watch() -> Iterator[Any]:
        while True:
            run.busy[int(world.now)] = function.busy
            yield world.timeout(1.0)

    world.process(arrivals())
    world.process(watch())
    world.run(until=seconds)
    return Run(seconds, run.asked / scale, run.refused / scale, run.failed / scale, run.busy / scale, run.waits)


def drain(uploads: int, workers: int, seed: int = 1) -> tuple[list[float], float]:
    """Simulate a pile of uploads behind a queue whose workers begin at 5 and grow by 300 a minute up to a bound.

    Args:
        uploads: How many lie there at once.
        workers: ``UploadConcurrency``.
        seed: Of all chances.

    Returns:
        The times at which they were done, in order, and the last of them.
    """
    chance, world, left, done = np.random.default_rng(seed), simpy.Environment(), [uploads], []

    def worker(starts: float) -> Iterator[Any]:
        yield world.timeout(starts + COLD_S)
        while left[0]:
            left[0] -= 1
            yield world.timeout(chance.lognormal(np.log(SERVICE_S), SPREAD))
            done.append(world.now)

    for number in range(workers):
        world.process(worker(max(0.0, (number - 5) / 5.0)))
    world.run()
    return sorted(done), max(done)


def percentile(run: Run, share: float, since: float = 0.0) -> float:
    """Seconds within which that share of the requests was answered."""
    return float(np.percentile([wait for started, wait in run.waits if started >= since], share))


def steady() -> list[dict[str, float]]:
    """Loads that last, against what the formula says of them: concurrency is rate times mean time."""
    found = []
    for rate in (10, 100, 1_000, 10_000, 100_000):
        expected = rate * mean_service_s()
        run = serve(constant(rate), 90, limit=2 * expected + 20, warm=1.2 * expected + 10)
        found.append({
            "rps": rate,
            "formula": round(expected),
            "mean": round(float(run.busy[20:].mean())),
            "most": round(float(run.busy[20:].max())),
            "p95": round(percentile(run, 95, 20), 2),
            "writes": rate * WRITES,
        })  # fmt: skip
    return found


def main() -> None:
    """Run every scenario, draw it, and print its numbers."""
    numbers: dict[str, Any] = {"steady": steady()}
    draw_steady(numbers["steady"], IMAGES / "capacity-steady.png")
    numbers["bursts"] = draw_bursts(IMAGES / "capacity-bursts.png")
    numbers["queue"] = draw_queue(IMAGES / "capacity-queue.png")
    print(json.dumps(numbers, indent=1))


def draw_steady(found: list[dict[str, float]], path: Path) -> None:
    """Concurrency by load: the formula, and what was simulated."""
    figure, axes = plt.subplots(figsize=(6, 4))
    loads = [row["rps"] for row in found]
    axes.loglog(loads, [row["formula"] for row in found], "-", color="0.6", label="rate x mean time")
    axes.loglog(loads, [row["mean"] for row in found], "o", color="C0", label="simulated, mean")
    axes.loglog(loads, [row["most"] for row in found], "^", color="C3", label="simulated, highest second")
    for quota, text in ((10, "new account"), (1_000, "usual quota")):
        axes.axhline(quota, color="C1", linestyle=":", linewidth=1)
        axes.text(11, quota * 1.1, text, color="C1", fontsize=8)
    axes.set(xlabel="requests per second", ylabel="executions at one time", title="Steady load")
    axes.legend()
    axes.grid(alpha=0.3)
    save(figure, path)


def draw_bursts(path: Path) -> dict[str, dict[str, float]]:
    """Four bad minutes: a burst, the same with provisioned environments, cold starts everywhere, a slow neighbour."""
    step = lambda now: 20.0 if now < 20 else 1_000.0  # noqa: E731, PLR2004
    scenarios = {
        "burst from 20 to 1,000 rps, 1,000 executions": serve(step, 120, 1_000, warm=20),
        "the same, 800 environments provisioned": serve(step, 120, 1_000, warm=800),
        "300 rps and every environment cold": serve(constant(300), 120, 1_000),
        "300 rps, another service 2 s slower from 40 to 80 s": serve(
            lambda _: 300.0, 120, 1_000, slow=lambda now: 2.0 if 40 <= now < 80 else 0.0, warm=300  # noqa: PLR2004
        ),
    }  # fmt: skip
    figure, rows = plt.subplots(2, 2, figsize=(11, 7), sharex=True)
    found = {}
    for axes, (title, run) in zip(rows.flat, scenarios.items(), strict=True):
        axes.plot(run.asked, color="0.6", label="asked, retries included")
        axes.plot(run.refused, color="C3", label="refused (503)")
        axes.plot(run.busy, color="C0", label="executions")
        axes.set_title(title, fontsize=10)
        axes.grid(alpha=0.3)
        found[title] = {
            "refused": round(float(run.refused.sum() / run.asked.sum()), 4),
            "given_up": given_up(run),
            "p50": round(percentile(run, 50), 2),
            "p95": round(percentile(run, 95), 2),
            "most": round(float(run.busy.max())),
        }
    figure.supxlabel("seconds")
    figure.supylabel("per second")
    rows[0][0].legend(fontsize=8)
    save(figure, path)
    return found


def given_up(run: Any) -> float:
    """Share of the requests that were given up after all tries."""
    return round(float(run.failed.sum() / max(1.0, (run.asked - run.refused).sum() + run.failed.sum())), 4)


def draw_queue(path: Path) -> dict[str, float]:
    """How long a pile of 10,000 uploads takes."""
    figure, axes = plt.subplots(figsize=(6, 4))
    found: dict[str, float] = {}
    for workers in (3, 10, 100, 500):
        done, last = drain(10_000, workers)
        axes.plot(np.array(done) / 60, 10_000 - np.arange(len(done)), label=f"{workers} workers")
        found[f"minutes for 10,000 uploads, {workers} workers"] = round(last / 60, 1)
    axes.set(xlabel="minutes", ylabel="uploads that wait", title="10,000 uploads at once", xscale="log")
    axes.legend()
    save(figure, path)
    return found


def save(figure: Any, path: Path) -> None:
    """Write a figure."""
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    plt.close(figure)


if __name__ == "__main__":
    main()
