"""What a process keeps between invocations, and how a test drops it."""

from cutout.aws import clients
from cutout.container import container


def forget_clients() -> None:
    """Drop the AWS clients, so that the next ones read the environment anew."""
    for value in vars(clients).values():
        if hasattr(value, "cache_clear"):
            value.cache_clear()


def forget_everything() -> None:
    """Drop all but the loaded models."""
    container.cache_clear()
    forget_clients()
