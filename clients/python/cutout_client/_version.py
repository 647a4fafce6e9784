"""The version of this distribution, which is not that of the service."""

__version__ = "0.1.0"
