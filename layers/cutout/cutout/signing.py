"""Ed25519 (RFC 8032): a private key of 32 random bytes, its public key, and signatures by it.

The only module that knows the library of it. Where the private key is kept is none of its business.
"""

import secrets
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SEED_BYTES: Final = 32


def new_seed() -> bytes:
    """Make a private key."""
    return secrets.token_bytes(SEED_BYTES)


def public_key(seed: bytes) -> bytes:
    """The key by which signatures are verified, 32 bytes. Raises ValueError for a seed of another length."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed: bytes, message: bytes) -> bytes:
    """The signature of a message, 64 bytes, always the same. Raises ValueError for a seed of another length."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)
