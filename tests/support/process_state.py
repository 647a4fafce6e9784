"""What a process keeps between invocations, and how a test drops it. Loaded models stay."""

from cutout.aws import clients
from cutout.container import container


def forget() -> None:
    """Drop what knows accounts, tables or settings; the AWS clients stay."""
    container.cache_clear()


def forget_clients() -> None:
    """Drop the AWS clients as well, so that the next ones read the environment anew."""
    forget()
    for value in vars(clients).values():
        if hasattr(value, "cache_clear"):
            value.cache_clear()
