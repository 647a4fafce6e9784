"""Ed25519 signatures (RFC 8032). The only module that imports the library for them; it stores no key."""

import secrets
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SEED_BYTES: Final = 32


def new_seed() -> bytes:
    """Make a private key: a seed of 32 random bytes."""
    return secrets.token_bytes(SEED_BYTES)


def public_key(seed: bytes) -> bytes:
    """Derive the public key that verifies signatures.

    Args:
        seed: The private key, 32 bytes.

    Returns:
        The public key, 32 bytes.

    Raises:
        ValueError: The seed has another length.
    """
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed: bytes, message: bytes) -> bytes:
    """Sign a message; the signature is deterministic.

    Args:
        seed: The private key, 32 bytes.
        message: The message.

    Returns:
        The signature, 64 bytes.

    Raises:
        ValueError: The seed has another length.
    """
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)
