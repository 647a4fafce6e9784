"""Run an ONNX graph in torch, in bfloat16 where the processor is quicker at that.

onnxruntime computes a teacher in float32; a recent Xeon does bfloat16 products eight times as fast (AMX), and torch
uses them. Only the operations that the teachers have are known; any other is an error.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import NodeProto, helper, numpy_helper
from torch import Tensor
from torch.nn import functional

SIZES = ("Shape", "Slice", "Gather", "Unsqueeze")  # work on the sides of a map, as int64 tensors


class Graph:
    """A graph with one picture as input; its first output is the answer."""

    def __init__(self, path: Path, dtype: torch.dtype = torch.bfloat16) -> None:
        model = onnx.load(str(path))
        self.dtype = dtype
        self.weights = {i.name: self._weight(numpy_helper.to_array(i)) for i in model.graph.initializer}
        self.given, self.wanted = model.graph.input[0].name, model.graph.output[0].name
        self.nodes = in_order(list(model.graph.node), {self.given, *self.weights}, self.wanted)
        self.last = {name: i for i, node in enumerate(self.nodes) for name in node.input}

    @torch.inference_mode()
    def __call__(self, image: Tensor) -> Tensor:
        """The first output, float32, for an input float32 [N, 3, S, S]."""
        values: dict[str, Tensor | None] = dict(self.weights)
        values[self.given] = image.to(self.dtype).contiguous(memory_format=torch.channels_last)
        for i, node in enumerate(self.nodes):
            inputs = [values[name] if name else None for name in node.input]
            attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            values[node.output[0]] = run(node.op_type, inputs, attributes)
            for name in node.input:
                if self.last[name] == i:
                    values[name] = None
        answer = values[self.wanted]
        assert answer is not None  # noqa: S101
        return answer.float()

    def _weight(self, array: np.ndarray) -> Tensor:
        if array.dtype.kind != "f":
            return torch.from_numpy(array)
        weight = torch.from_numpy(array.astype(np.float32)).to(self.dtype)
        return weight.contiguous(memory_format=torch.channels_last) if weight.ndim == 4 else weight


def in_order(nodes: list[NodeProto], known: set[str], wanted: str) -> list[NodeProto]:
    """The nodes that ``wanted`` needs, each after those that it needs itself."""
    makers = {name: node for node in nodes for name in node.output}
    ordered: list[NodeProto] = []
    done = set(known) | {""}
    pending = [wanted]
    while pending:
        name = pending[-1]
        missing = [] if name in done else [i for i in makers[name].input if i not in done]
        if missing:
            pending += missing
            continue
        pending.pop()
        if name not in done:
            ordered.append(makers[name])
            done |= set(makers[name].output)
    return ordered


def run(kind: str, inputs: list[Any], attributes: dict[str, Any]) -> Tensor:
    """One operation."""
    x = inputs[0] if inputs else None
    match kind:
        case "Conv":
            return functional.conv2d(
                x,
                inputs[1],
                inputs[2] if len(inputs) > 2 else None,
                attributes["strides"],
                attributes["pads"][:2],
                attributes["dilations"],
                attributes["group"],
            )
        case "Relu":
            return functional.relu(x)
        case "MaxPool":
            return functional.max_pool2d(x, attributes["kernel_shape"], attributes["strides"], ceil_mode=True)
        case "Sigmoid":
            return torch.sigmoid(x.float())
        case "Add":
            return x + inputs[1]
        case "Concat":
            return torch.cat(inputs, attributes["axis"])
        case "Cast":
            return x  # between floats and between whole numbers: both stay what they are here
        case "Resize":
            sides = [int(side) for side in inputs[3][2:]]
            return functional.interpolate(x, size=sides, mode="bilinear", align_corners=False)
        case "Constant":
            array = numpy_helper.to_array(attributes["value"])
            return torch.from_numpy(array.copy())
        case _ if kind in SIZES:
            return sides_of(kind, inputs, attributes)
        case _:
            raise ValueError(f"{kind} is not known here")


def sides_of(kind: str, inputs: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    """One operation on the sides of a map."""
    x = inputs[0]
    match kind:
        case "Shape":
            return torch.tensor(x.shape, dtype=torch.int64)
        case "Slice":
            begin, end = (int(part[0]) for part in inputs[1:3])
            return x[begin:end]
        case "Gather":
            return x[inputs[1]]
        case _:
            return x.unsqueeze(attributes["axes"][0])
