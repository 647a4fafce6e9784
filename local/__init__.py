"""The service without Docker: ``template.yaml`` read, its storage in moto, its functions in processes of their own."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The root of the repository."""

# The layer's import path on Lambda, for `python -m local`.
sys.path.insert(0, str(ROOT / "layers" / "cutout"))
