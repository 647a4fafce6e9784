"""The C library's allocator, told to keep freed memory for the next step.

By default glibc gives what a step has freed back to the kernel, which clears it, page by page, for the next one: of a
photo of 12 megapixels 17 ms. Source: mallopt(3).
"""

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h."""
_KEPT_BYTES = 32 << 20
"""Of a block, and at the end of the heap: the most that glibc takes for a block. Larger ones go back at once."""


def keep_freed_memory() -> None:
    """Keep freed memory, in the whole process; where the C library is not glibc, nothing changes."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(_MMAP_THRESHOLD, _KEPT_BYTES)
    mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
