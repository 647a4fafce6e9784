"""Posting to an URL that a stranger gave us, within bounds (``connection.py``). Knows nothing of events or AWS."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from cutout.connection import Deadline, ExchangeError, Message, Reach, Resolver, Trouble, exchange, system_resolver
from cutout.errors import ImageUrlFetchFailedError
from cutout.urls import parse_url


@dataclass(frozen=True, slots=True)
class PostPolicy:
    """The bounds of one post."""

    timeout_s: float = 10.0
    """From the first question to the head of the answer."""
    allow: frozenset[str] = frozenset()
    """``host:port`` as written in the URL, lower case: exempt from the check of addresses, and from nothing else."""


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    policy: PostPolicy,
    *,
    resolve: Resolver = system_resolver,
    tls: ssl.SSLContext | None = None,
) -> int | Trouble:
    """Post a body; the status of the answer, or why there is none. What the answer says besides is not read.

    A redirect is an answer like another: who moves must say so to us. Raises ValueError for a header that is not one
    line of ASCII. Blocks for ``timeout_s`` at most.
    """
    try:
        target = parse_url(url, "webhook URL")
    except ImageUrlFetchFailedError:
        return Trouble.NOT_ALLOWED
    reach = Reach(policy.allow, resolve, tls)
    try:
        with exchange(target, Message("POST", headers, body), reach, Deadline(policy.timeout_s), 0) as response:
            return response.status
    except ExchangeError as error:
        return error.trouble
