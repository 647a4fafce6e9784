"""Run an ONNX graph in torch, in bfloat16.

onnxruntime computes a teacher in float32; a Xeon with AMX multiplies in bfloat16 many times as fast, and torch uses
that. Only the operations that the teachers have are known; any other is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import NodeProto, helper, numpy_helper
from torch import Tensor
from torch.nn import functional

Attributes = dict[str, Any]


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
    """One operation, named as ONNX does."""
    if kind not in OPERATIONS:
        raise ValueError(f"{kind} is not known here")
    return OPERATIONS[kind](attributes, *inputs)


def _convolve(given: Attributes, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    shape = given["strides"], given["pads"][:2], given["dilations"], given["group"]
    return functional.conv2d(x, weight, bias, *shape)


def _resize(_: Attributes, x: Tensor, _roi: None, _scales: None, sides: Tensor) -> Tensor:
    return functional.interpolate(x, size=sides[2:].tolist(), mode="bilinear", align_corners=False)


OPERATIONS: dict[str, Callable[..., Tensor]] = {
    "Add": lambda _, x, y: x + y,
    "Cast": lambda _, x: x,  # between floats and between whole numbers: both stay what they are here
    "Concat": lambda given, *parts: torch.cat(parts, given["axis"]),
    "Constant": lambda given: torch.from_numpy(numpy_helper.to_array(given["value"]).copy()),
    "Conv": _convolve,
    "MaxPool": lambda given, x: functional.max_pool2d(x, given["kernel_shape"], given["strides"], ceil_mode=True),
    "Relu": lambda _, x: functional.relu(x),
    "Resize": _resize,
    "Sigmoid": lambda _, x: torch.sigmoid(x.float()),
    # What follows works on the sides of a map, as int64 tensors.
    "Gather": lambda _, x, at: x[at],
    "Shape": lambda _, x: torch.tensor(x.shape, dtype=torch.int64),
    "Slice": lambda _, x, begin, end, *_along: x[int(begin[0]) : int(end[0])],
    "Unsqueeze": lambda given, x: x.unsqueeze(given["axes"][0]),
}
