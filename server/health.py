"""``python -m server.health``: the container's health check, GET /health of its own port."""

import os
import sys
from urllib.error import URLError
from urllib.request import urlopen

TIMEOUT_S = 5


def main() -> int:
    """Ask; return the exit status that Docker reads: 0 healthy, 1 not."""
    try:
        with urlopen(f"http://127.0.0.1:{os.environ.get('CUTOUT_PORT') or 8585}/health", timeout=TIMEOUT_S):
            return 0
    except (URLError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
