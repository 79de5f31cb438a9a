"""What `summary()` prints."""

from __future__ import annotations

import re

import pytest

import multikeras as keras
from multikeras import layers


def text(model, **arguments):
    lines = []
    model.summary(print_fn=lines.append, **{"line_length": 100, **arguments})
    return "\n".join(lines)


def rows(model, **arguments):
    """The cells of the table's rows, the header left out."""
    table = [
        [cell.strip() for cell in re.split("[│┃|]", line)[1:-1]]
        for line in text(model, **arguments).splitlines()
        if re.match("[│┃]", line)
    ]
    return table[1:]


def nested():
    x = keras.Input((6,), name="x")
    inner = keras.Sequential(
        [keras.Input((6,)), layers.Dense(3, name="a"), layers.Dense(2, name="b")], name="inner"
    )
    return keras.Model(x, layers.Dense(1, name="end")(inner(x)), name="outer")


def test_columns_rows_and_totals():
    model = keras.Sequential(
        [keras.Input((6,)), layers.Dense(1000, name="big"), layers.BatchNormalization(name="norm")],
        name="plain",
    )
    assert rows(model) == [
        ["big (Dense)", "(None, 1000)", "7,000"],
        ["norm (BatchNormalization)", "(None, 1000)", "4,000"],
    ]
    found = text(model)
    assert 'Model: "plain"' in found
    for header in ("Layer (type)", "Output Shape", "Param #"):
        assert header in found
    assert "Connected to" not in found and "Optimizer" not in found
    assert "Total params: 11,000 (42.97 KB)" in found
    assert "Trainable params: 9,000 (35.16 KB)" in found
    assert "Non-trainable params: 2,000 (7.81 KB)" in found


def test_the_optimizers_state_is_counted():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(2)])
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    found = text(model)
    assert "Optimizer params: 30" in found  # two slots for 14 weights, and two counters
    assert "Total params: 44 " in found


def test_nested_models():
    model = nested()
    assert [row[0] for row in rows(model)] == [
        "x (InputLayer)",
        "inner (Sequential)",
        "end (Dense)",
    ]
    expanded = rows(model, expand_nested=True)
    assert [re.sub("[^a-zA-Z() ]", "", row[0]).strip() for row in expanded] == [
        "x (InputLayer)", "inner (Sequential)", "a (Dense)", "b (Dense)", "end (Dense)",
    ]  # fmt: skip
    assert [row[2] for row in expanded] == ["0", "29", "21", "8", "3"]
    assert [row[1] for row in expanded][2:] == ["(None, 3)", "(None, 2)", "(None, 1)"]


def test_trainable_column():
    model = nested()
    model.get_layer("inner").layers[0].trainable = False
    found = rows(model, expand_nested=True, show_trainable=True)
    assert [row[-1] for row in found] == ["-", "Y", "N", "Y", "Y"]


def test_layer_range():
    model = keras.Sequential(
        [keras.Input((3,))] + [layers.Dense(3, name=f"d_{i}") for i in range(5)]
    )
    names = lambda *ends: [row[0].split()[0] for row in rows(model, layer_range=list(ends))]  # noqa: E731
    assert names("d_1", "d_3") == ["d_1", "d_2", "d_3"]
    assert names("d_[12]", "d_.*") == ["d_1", "d_2", "d_3", "d_4"]
    with pytest.raises(ValueError, match=r"no layer matches.*nobody.*d_0"):
        names("nobody", "d_3")
    with pytest.raises(ValueError, match="two layer names"):
        names("d_1")


def test_branches_have_a_column_of_connections():
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    joined = layers.Concatenate(name="joined")([a, b])
    found = rows(keras.Model([a, b], layers.Dense(1, name="end")(joined)))
    assert [row[3] for row in found] == ["-", "-", "a[0][0], b[0][0]", "joined[0][0]"]


def test_models_that_are_not_built():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3, name="dense")

        def call(self, x):
            return self.dense(x)

    for model in (Own(), keras.Sequential([layers.Dense(2, name="d")])):
        with pytest.raises(ValueError, match=r"not built.*build\(input_shape\)"):
            model.summary()
    model = Own()
    model.build((None, 2))
    assert rows(model)[0][2] == "9"


def test_each_line_is_printed_by_itself():
    lines = []
    nested().summary(print_fn=lines.append)
    assert lines[0] == 'Model: "outer"' and lines[-1].startswith(" Non-trainable params")
    assert len(lines) > 8 and not any("\n" in line for line in lines)


def test_line_length_and_positions(capsys):
    model = nested()
    for width in (60, 90):
        lengths = {len(line) for line in text(model, line_length=width).splitlines()}
        assert max(lengths) == width
    narrow = text(model, positions=[0.6, 0.8, 1.0]).splitlines()[1]
    assert narrow.index("┳") == pytest.approx(60, abs=3)
    assert model.summary() is None
    printed = capsys.readouterr().out
    assert printed.startswith('Model: "outer"') and "inner (Sequential)" in printed


def test_names_are_no_markup():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, name="[red]x")], name="[b]")
    assert "[red]x (Dense)" in text(model) and 'Model: "[b]"' in text(model)
