"""What stands around ``sam deploy``: checks before, parameters that fit, the first picture after, and the way back."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class DeployError(Exception):
    """The command cannot be done; the message says why and what to do instead."""
