"""One contestant of ``tools/bench.py`` in a process of its own: reads names of workloads, answers with measurements.

    python tools/bench_worker.py CONTESTANT MODEL FOLDER THREADS

``FOLDER`` holds the photos. Every line of standard input is the name of a workload, every line of standard output one
JSON object: milliseconds of wall and of processor time, bytes of the answer, and the process's peak memory so far.
"""

import json
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
Work = Callable[[bytes, dict[str, Any]], bytes]
"""Makes an answer of a photo and of the options of a workload."""


def ours(model: Path, threads: int) -> Work:
    """Make the service's pipeline on its default model."""
    sys.path.insert(0, str(ROOT / "layers" / "cutout"))
    from cutout.imaging.allocator import keep_freed_memory  # noqa: PLC0415  (this contestant's alone, as the rest)
    from cutout.imaging.models.manifest import load_manifest  # noqa: PLC0415
    from cutout.imaging.models.onnx import OnnxSegmenter  # noqa: PLC0415
    from cutout.imaging.pipeline import cut_out  # noqa: PLC0415
    from cutout.imaging.spec import (  # noqa: PLC0415
        Channels,
        CutoutSpec,
        ImageFormat,
        Length,
        Limits,
        Shadow,
        SizeName,
        Stroke,
    )
    from cutout.imaging.threads import use_threads  # noqa: PLC0415

    keep_freed_memory()
    use_threads(threads)
    segmenter = OnnxSegmenter(load_manifest(ROOT / "models").select("cutout-s"), model, threads)
    values: dict[str, Callable[[Any], Any]] = {
        "format": ImageFormat,
        "channels": Channels,
        "size": SizeName,
        "shadow": lambda _: Shadow(),
        "stroke": lambda px: Stroke(Length(px)),
        "bg_color": tuple,
    }

    def work(data: bytes, options: dict[str, Any]) -> bytes:
        spec = CutoutSpec(**{name: values.get(name, lambda value: value)(value) for name, value in options.items()})
        return cut_out(data, spec, segmenter, Limits()).data

    return work


def rembg(model: Path, threads: int) -> Work:
    """Make rembg's ``remove`` with its own preparation for the network, on whatever file is given."""
    import numpy as np  # noqa: PLC0415
    import onnxruntime as ort  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415
    from rembg import remove  # noqa: PLC0415
    from rembg.sessions.dis_general_use import DisSession  # noqa: PLC0415
    from rembg.sessions.u2netp import U2netpSession  # noqa: PLC0415

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads

    class Ours(DisSession):  # type: ignore[misc]
        """rembg's session for a network of any size, with the range that ours was trained on."""

        def predict(self, img: Any, *_: Any, **__: Any) -> Any:
            half = (0.501961,) * 3
            side = self.inner_session.get_inputs()[0].shape[-1]
            raw = self.inner_session.run(None, self.normalize(img, half, half, (side, side)))[0]
            mask = Image.fromarray((np.clip(raw[0, 0], 0, 1) * 255).astype(np.uint8))
            return [mask.resize(img.size, Image.Resampling.LANCZOS)]

        @classmethod
        def download_models(cls, *_: Any, **__: Any) -> str:
            return str(model)

        @classmethod
        def name(cls, *_: Any, **__: Any) -> str:
            return "ours"

    class Small(U2netpSession):  # type: ignore[misc]
        """rembg's session for U2-Netp, on the file that is here."""

        @classmethod
        def download_models(cls, *_: Any, **__: Any) -> str:
            return str(model)

    kind = Small if "u2netp" in model.name else Ours
    session = kind(kind.name(), options, providers=["CPUExecutionProvider"])
    return lambda data, _: bytes(remove(data, session=session))


def bare(model: Path, threads: int) -> Work:
    """Make one run of the network on a tensor that is there already; Pillow is there, as in every such script."""
    import numpy as np  # noqa: PLC0415
    import onnxruntime as ort  # noqa: PLC0415
    import PIL.Image  # noqa: F401, PLC0415

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    taken = session.get_inputs()[0]
    tensor = np.full(taken.shape, 0.5, np.float32)
    return lambda _data, _options: session.run(None, {taken.name: tensor})[0].tobytes()[:0]


def pillow(_model: Path, _threads: int) -> Work:
    """Make Pillow's decoding and encoding, with nothing in between."""
    from PIL import Image  # noqa: PLC0415

    def work(data: bytes, _: dict[str, Any]) -> bytes:
        buffer = BytesIO()
        with Image.open(BytesIO(data)) as picture:
            picture.convert("RGBA").save(buffer, "PNG")
        return buffer.getvalue()

    return work


CONTESTANTS: dict[str, Callable[[Path, int], Work]] = {"ours": ours, "rembg": rembg, "bare": bare, "pillow": pillow}


def peak_mb() -> float:
    """Read this program's peak from Linux; ``getrusage`` would count what its parent had when it was forked."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    """Answer line by line until standard input ends."""
    contestant, model, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    work = CONTESTANTS[contestant](model, int(sys.argv[4]))
    for line in sys.stdin:
        asked = json.loads(line)
        data = (folder / asked["photo"]).read_bytes()
        wall, processor = time.perf_counter(), time.process_time()
        made = work(data, asked["options"])
        measured = {
            "wall_ms": (time.perf_counter() - wall) * 1000,
            "cpu_ms": (time.process_time() - processor) * 1000,
            "process_ms": time.process_time() * 1000,
            "bytes": len(made),
            "peak_mb": peak_mb(),
        }
        print(json.dumps(measured), flush=True)


if __name__ == "__main__":
    main()
