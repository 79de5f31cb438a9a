"""The table that `Model.summary()` prints, drawn with `rich`."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from multikeras import dtypes, tree

if TYPE_CHECKING:
    from multikeras.layers.layer import Layer


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: list[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: list[str] | None = None,
) -> None:
    """Prints the layers of a model and the numbers of its parameters; see `Model.summary`."""
    if not model.built:
        raise ValueError(
            f"{model._who()}.summary: the model is not built, so shapes and weights are not known. "
            "Call it on data, or build(input_shape), first."
        )
    connected = _is_branched(model)
    columns = ["Layer (type)", "Output Shape", "Param #"]
    columns += ["Connected to"] if connected else []
    columns += ["Trainable"] if show_trainable else []
    width = line_length or min(shutil.get_terminal_size((100, 24)).columns, 120)
    table = Table(width=width)
    for name, column_width in zip(columns, _widths(positions, width, len(columns)), strict=True):
        justify: Any = {"Param #": "right", "Trainable": "center"}.get(name, "left")
        table.add_column(name, justify=justify, width=column_width, overflow="fold")
    for depth, layer in _rows(model, expand_nested, layer_range):
        row = [
            f"{'    ' * depth}{escape(layer.name)} ({type(layer).__name__})",
            _output_shape(layer, model),
            f"{layer.count_params():,}" if layer.built else "0 (unbuilt)",
        ]
        row += [escape(", ".join(_sources(layer, model)) or "-")] if connected else []
        row += [_trainable_mark(layer)] if show_trainable else []
        table.add_row(*row)
    lines = [f'Model: "{model.name}"', _render(table, width), *_totals(model)]
    for line in "\n".join(lines).splitlines():
        (print_fn or print)(line)


def _render(table: Table, width: int) -> str:
    buffer = io.StringIO()
    Console(file=buffer, width=width, force_terminal=False).print(table)
    return buffer.getvalue().rstrip("\n")


def _widths(positions: list[float] | None, width: int, count: int) -> list[int | None]:
    if not positions:
        return [None] * count
    ends = [int(p * width) if positions[-1] <= 1 else int(p) for p in positions][:count]
    starts = [0, *ends]
    widths: list[int | None] = [max(end - start - 3, 4) for start, end in zip(starts, ends)]
    return widths + [None] * (count - len(widths))


def _is_branched(model: Any) -> bool:
    """Whether the layers are no plain chain, so that a column must tell the connections."""
    graph = getattr(model, "_graph", None)
    if graph is None:
        return False
    return any(len(node.inputs) > 1 for node in graph.nodes) or any(
        len(op.inbound_nodes) > 1 for op in graph.operations
    )


def _rows(model: Any, expand: bool, layer_range: list[str] | None) -> list[tuple[int, Layer]]:
    layers = list(model.layers)
    if layer_range is not None:
        if len(layer_range) != 2 or not all(isinstance(n, str) for n in layer_range):
            raise ValueError(
                f"summary: layer_range must be two layer names, got {layer_range!r}."
            )
        ends = [
            [i for i, layer in enumerate(layers) if re.fullmatch(pattern, layer.name)]
            for pattern in layer_range
        ]
        if not ends[0] or not ends[1]:
            raise ValueError(
                f"summary: no layer matches {layer_range!r}; there are "
                f"{[layer.name for layer in layers]}."
            )
        layers = layers[min(ends[0]) : max(ends[1]) + 1]
    rows: list[tuple[int, Layer]] = []

    def visit(layer: Layer, depth: int) -> None:
        rows.append((depth, layer))
        if expand and hasattr(layer, "layers"):
            for child in layer.layers:
                visit(child, depth + 1)

    for layer in layers:
        visit(layer, 0)
    return rows


def _output_shape(layer: Layer, model: Any) -> str:
    graph = getattr(model, "_graph", None)
    nodes = [n for n in layer.inbound_nodes if graph is None or n in graph.nodes]
    outputs = nodes[0].output_structure if nodes else None
    if outputs is None:
        try:
            outputs = layer.output
        except (AttributeError, ValueError):
            return "?"
    shapes = [str(tensor.shape) for tensor in tree.flatten(outputs)]
    return ", ".join(shapes)


def _sources(layer: Layer, model: Any) -> list[str]:
    nodes = set(model._graph.nodes)
    sources = []
    for node in layer.inbound_nodes:
        for tensor in node.inputs if node in nodes else ():
            operation, node_index, tensor_index = tensor.keras_history
            sources.append(f"{operation.name}[{node_index}][{tensor_index}]")
    return sources


def _trainable_mark(layer: Layer) -> str:
    if not layer.weights:
        return "-"
    return "Y" if layer.trainable else "N"


def _totals(model: Any) -> list[str]:
    optimizer = getattr(model, "optimizer", None)
    groups = {
        "Trainable params": model.trainable_weights,
        "Non-trainable params": model.non_trainable_weights,
        "Optimizer params": list(optimizer.variables) if optimizer is not None else [],
    }
    sizes = {name: _count_and_bytes(variables) for name, variables in groups.items()}
    count, size = (sum(pair[i] for pair in sizes.values()) for i in (0, 1))
    lines = [f" Total params: {count:,} ({_readable(size)})"]
    for name, (count, size) in sizes.items():
        if count or not name.startswith("Optimizer"):
            lines.append(f" {name}: {count:,} ({_readable(size)})")
    return lines


def _count_and_bytes(variables: list[Any]) -> tuple[int, int]:
    counts = [int(np.prod(v.shape)) for v in variables]
    sizes = (c * dtypes.item_bytes(v.dtype) for c, v in zip(counts, variables, strict=True))
    return sum(counts), sum(sizes)


def _readable(size: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            return f"{size:.2f} {unit}"
        size /= 1024
    raise AssertionError
