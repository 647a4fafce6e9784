"""Small ONNX models that have the tensors of the manifest's rows, and rows for them."""

from dataclasses import replace
from hashlib import md5, sha256

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from cutout.imaging.models.manifest import Model


def tiny_onnx(size_px: int, *, half: bool = False, outputs: int = 1, gain: float = 1.0, name: str = "x.1") -> bytes:
    """Output i is gain * (i + 1) * the mean of the three input channels, [1, 1, S, S]; float16 when ``half``."""
    made = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    nodes, results, constants = [], [], [numpy_helper.from_array(np.array([1], np.int64), "axis")]
    nodes.append(helper.make_node("ReduceMean", [name, "axis"], ["mean"], keepdims=1))
    for index in range(outputs):
        constants.append(numpy_helper.from_array(np.array(gain * (index + 1), np.float32), f"gain{index}"))
        nodes.append(helper.make_node("Mul", ["mean", f"gain{index}"], [f"product{index}"]))
        nodes.append(helper.make_node("Cast", [f"product{index}"], [f"17{index}"], to=made))
        results.append(helper.make_tensor_value_info(f"17{index}", made, [1, 1, size_px, size_px]))
    taken = helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, size_px, size_px])
    graph = helper.make_graph(nodes, "tiny", [taken], results, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def row_for(model: Model, data: bytes) -> Model:
    """``model`` with the checksums and the size of ``data``."""
    digest = md5(data, usedforsecurity=False).hexdigest() if model.md5 else ""
    return replace(model, sha256=sha256(data).hexdigest(), md5=digest, size_bytes=len(data))
