"""Parts of a picture in several threads, where the process has cores for them.

numpy, Pillow and the encoder release Python's lock while they work on large arrays. Results do not depend on the
number of threads.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Part = TypeVar("Part")
Made = TypeVar("Made")
_threads = 1


def use_threads(count: int) -> None:
    """Set how many threads one picture may use, for the whole process; one unless this is called.

    Args:
        count: Threads; 0 for all cores that the process may use.
    """
    global _threads  # noqa: PLW0603 - the processor is the process's, and no caller has another wish
    _threads = count or cores()


def cores() -> int:
    """Count the cores that the process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(work: Callable[[Part], Made], parts: Sequence[Part]) -> Iterator[Made]:
    """Work on parts, several at once.

    Args:
        work: Makes something of one part; it must not depend on the others.
        parts: What there is to do.

    Yields:
        What was made of each part, in their order. No more than one part a thread is made ahead.
    """
    if _threads == 1 or len(parts) == 1:
        yield from map(work, parts)
        return
    from concurrent.futures import Future, ThreadPoolExecutor  # noqa: PLC0415 - where there is one core, never

    ahead: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(_threads) as pool:
        for part in parts:
            ahead.append(pool.submit(work, part))
            if len(ahead) > _threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def do_all(work: Callable[[Part], None], parts: Sequence[Part]) -> None:
    """Work on parts, several at once.

    Args:
        work: Works on one part, and writes where no other part is written.
        parts: What there is to do.
    """
    deque(in_order(work, parts), maxlen=0)
