"""Fixed work, the instructions of which ``instructions.py`` counts.

Nothing here waits, draws lots or starts threads, and neither the network nor AWS is in it.
"""

import ctypes
import gc
import json
import zlib
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
from PIL import Image

from cutout.accounts import PLANS, Account, KeyMode
from cutout.container import container
from cutout.ids import AccountId
from cutout.imaging.arrays import Bytes, Floats
from cutout.imaging.pipeline import cut_out
from cutout.imaging.resampling import squash
from cutout.imaging.spec import CutoutSpec, Limits
from cutout.usage import RateState
from functions.account import app
from local import ROOT
from local.runtime import LambdaContext
from tests.support.key_stores import MemoryKeyStore
from tests.support.usage_stores import MemoryUsageStore

FUNCTION = {"name": "account", "arn": "arn:aws:lambda:us-east-1:123456789012:function:account", "memory_mb": 512}


class Disc:
    """A network that always answers one soft disc, as large as the default model's answer."""

    name = "disc"

    def __init__(self) -> None:
        """Draw it."""
        rows, columns = np.ogrid[-1:1:1280j, -1:1:1280j]
        self._alpha = np.clip((0.7 - np.hypot(rows, columns)) * 20, 0, 1).astype(np.float32)

    def squash(self, image: Bytes) -> Bytes:
        """Resize a picture as for the default model."""
        return squash(image, 1280)

    def alpha(self, image: Bytes) -> Floats:
        """Give a copy of the disc."""
        return self._alpha.copy()


class Unlimited:
    """A limiter that lets all requests through."""

    def consume(self, account_id: AccountId, limit: int) -> RateState:
        """Count nothing."""
        return RateState(limit, limit - 1, 0)


def picture() -> Callable[[], object]:
    """Make the work of one picture of 512 px without its network: decode, refine, colours, encode."""
    data, network = (ROOT / "docs/images/astronaut.jpg").read_bytes(), Disc()
    return lambda: cut_out(data, CutoutSpec(), network, Limits()).data


def request() -> Callable[[], object]:
    """Make the work of a warm request of the account function, on stores in memory."""
    event, stores = json.loads((ROOT / "events/api-account.json").read_text()), MemoryKeyStore()
    account = Account.on_plan(AccountId("acct_1"), "one@example.com", PLANS["unlimited"])
    stores.create_account(account)
    stores.create_key(account.id, "local-development-key", KeyMode.LIVE)
    accounts = SimpleNamespace(find=stores.find_account)
    vars(container()).update(keys=stores, accounts=accounts, usage=MemoryUsageStore(), rate_limiter=Unlimited())

    def work() -> None:
        context = LambdaContext({**FUNCTION, "timeout_s": 3600}, "00000000-0000-0000-0000-000000000000")
        if app.handler(event, context)["statusCode"] != 200:
            raise RuntimeError("the request is not answered well")

    return lambda: [work() for _ in range(20)]


def arrays() -> Callable[[], object]:
    """Make what ``picture`` is measured by: numpy's and Pillow's own work of about that size."""
    with Image.open(ROOT / "docs/images/astronaut.jpg") as opened:
        photo = opened.convert("RGB")

    def work() -> bytes:
        pixels = np.asarray(photo.resize((1024, 1024), Image.Resampling.BICUBIC), np.float32)
        soft = np.sqrt(pixels * pixels + pixels[::-1])
        return zlib.compress(soft.astype(np.uint8)[:256].tobytes(), 6)

    return work


def interpreter() -> Callable[[], object]:
    """Make what ``request`` is measured by: Python's own objects, calls and JSON."""
    document = {f"name{number}": [number, str(number), {"inner": number / 7}] for number in range(50)}

    def work() -> int:
        total = 0
        for _ in range(20):
            copy = json.loads(json.dumps(document))
            total += sum(len(f"{name}:{value[1]}".split(":")) for name, value in sorted(copy.items()))
        return total

    return work


WORK = {make.__name__: make for make in (picture, request, arrays, interpreter)}
"""Kinds of work; ``picture`` and ``request`` are what the guard is for."""


def counted(work: Callable[[], object]) -> None:
    """Do work inside one call from ctypes to C: libffi's ``ffi_call`` is the mark between which valgrind counts."""
    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    two = ctypes.create_string_buffer(2)

    def once(*_: object) -> int:
        work()
        return 0

    gc.collect()
    gc.disable()  # whether one of its passes falls into the work is chance
    ctypes.CDLL(None).qsort(two, 2, 1, compare(once))  # to sort two is to compare once
    gc.enable()


def main() -> None:
    """Do each kind of work once to warm it up, and once counted, in the order of ``WORK``."""
    for make in WORK.values():
        work = make()
        work()
        counted(work)


if __name__ == "__main__":
    main()
