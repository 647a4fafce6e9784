"""``python -m local``."""

import signal
import sys

signal.signal(signal.SIGINT, signal.SIG_DFL)  # during the imports below Ctrl-C just ends the process

from local.cli import main  # noqa: E402

sys.exit(main())
