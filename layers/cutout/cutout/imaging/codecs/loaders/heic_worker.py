"""A process of its own that decodes one HEIC from standard input to standard output.

The decoder is C and C++, and damaged files crash it: two of a thousand mutated ones did (pi-heif 1.4). Here a crash
ends this process only, which knows no credentials and has bounded memory and time. It imports nothing of ours, to
start fast.

Answer: a line of JSON (mode, width, height, lengths of profile and EXIF), the profile, EXIF, and the pixels row by row;
no pixels where there are more of them than the first argument allows.
"""

import json
import resource
import sys
from io import BytesIO

from pi_heif import register_heif_opener
from PIL import Image

MEMORY_BYTES = 2 << 30
CPU_S = 20


def main() -> None:
    """Decode the file."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    register_heif_opener(thumbnails=False)
    with Image.open(BytesIO(sys.stdin.buffer.read()), formats=["HEIF"]) as picture:
        pixels = b""
        if 0 < picture.width * picture.height <= int(sys.argv[1]):
            picture.load()
            pixels = picture.tobytes()
        profile, exif = picture.info.get("icc_profile") or b"", picture.info.get("exif") or b""
        head = {
            "mode": picture.mode,
            "width": picture.width,
            "height": picture.height,
            "profile": len(profile),
            "exif": len(exif),
        }
        sys.stdout.buffer.write(b"".join((json.dumps(head).encode(), b"\n", profile, exif, pixels)))


if __name__ == "__main__":
    main()
