"""Whether a stack's name can become the names of its buckets, asked before anything is built."""

import re

from deploy import DeployError

_BUCKET_CHARACTERS = 63
"""Longest bucket name (Amazon S3 user guide, "Bucket naming rules")."""
_BESIDE_THE_STACK = len("-uploads-") + 12 + len("-")
"""Characters of a bucket's name that are neither the stack's nor the region's; 12 are the account's."""


def longest_stack_name(region: str) -> int:
    """Return how many characters a stack's name may have in a region (``us-east-1``: 32, ``ap-southeast-1``: 27)."""
    return _BUCKET_CHARACTERS - _BESIDE_THE_STACK - len(region)


def check_stack_name(name: str, region: str) -> None:
    """Hold a name against the rules for buckets.

    Raises:
        DeployError: It has capitals or is too long; the message names one that would do.
    """
    longest = longest_stack_name(region)
    if len(name) <= longest and re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", name):
        return
    better = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:longest].strip("-") or "cutout"
    raise DeployError(
        f"The stack cannot be called {name}: its buckets bear its name, so it consists of small letters, digits and "
        f"hyphens, begins with a letter, and has at most {longest} characters in {region}. STACK={better} would do."
    )
