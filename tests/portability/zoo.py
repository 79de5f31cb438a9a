"""Models to write to files, built alike with multikeras and with Keras 3.

`build(k)` of an entry takes the library's module and gives the model. The same table serves
every process: the names are the names of the files.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Build = Callable[[Any], Any]

IMAGE, SEQUENCE, VECTOR, TOKENS = (8, 8, 4), (5, 4), (6,), (5,)
# name -> (input shape, dtype, the layer as Python source; `L` are the layers)
LAYERS: dict[str, tuple[tuple[int, ...], str, str]] = {
    f"layer_{index:02d}_{source.split('(')[0]}": (shape, dtype, source)
    for index, (shape, dtype, source) in enumerate(
        [
            (VECTOR, "float32", "Dense(3)"),
            (VECTOR, "float32", "Dense(3, activation='relu', use_bias=False)"),
            (
                SEQUENCE,
                "float32",
                "Dense(3, activation='gelu', kernel_regularizer='l2', bias_constraint='non_neg', "
                "kernel_initializer='he_normal')",
            ),
            (VECTOR, "float32", "Activation('tanh')"),
            (VECTOR, "float32", "Activation('softmax')"),
            (VECTOR, "float32", "ReLU(max_value=0.3, negative_slope=0.1, threshold=0.05)"),
            (VECTOR, "float32", "LeakyReLU(0.2)"),
            (VECTOR, "float32", "Softmax()"),
            (SEQUENCE, "float32", "Softmax(axis=1)"),
            (VECTOR, "float32", "Dropout(0.5, seed=3)"),
            (SEQUENCE, "float32", "Dropout(0.5, noise_shape=(None, 1, 4))"),
            (TOKENS, "int32", "Embedding(9, 3)"),
            (TOKENS, "int32", "Embedding(9, 3, mask_zero=True)"),
            (SEQUENCE, "float32", "Masking(mask_value=0.5)"),
            (IMAGE, "float32", "Flatten()"),
            (VECTOR, "float32", "Reshape((2, -1))"),
            (SEQUENCE, "float32", "Permute((2, 1))"),
            (VECTOR, "float32", "RepeatVector(3)"),
            (IMAGE, "float32", "Rescaling(1 / 255, offset=-0.5)"),
            (SEQUENCE, "float32", "Conv1D(3, 2)"),
            (SEQUENCE, "float32", "Conv1D(3, 3, padding='causal', dilation_rate=2)"),
            (IMAGE, "float32", "Conv2D(3, 3, strides=2, padding='same', activation='relu')"),
            (IMAGE, "float32", "Conv2D(4, (2, 3), groups=2, use_bias=False)"),
            (IMAGE, "float32", "DepthwiseConv2D(3, depth_multiplier=2, padding='same')"),
            (SEQUENCE, "float32", "MaxPooling1D(2)"),
            (IMAGE, "float32", "MaxPooling2D((2, 3), strides=2, padding='same')"),
            (SEQUENCE, "float32", "AveragePooling1D(2, strides=1)"),
            (IMAGE, "float32", "AveragePooling2D((2, 4), padding='same')"),
            (SEQUENCE, "float32", "GlobalAveragePooling1D()"),
            (IMAGE, "float32", "GlobalAveragePooling2D(keepdims=True)"),
            (SEQUENCE, "float32", "GlobalMaxPooling1D()"),
            (IMAGE, "float32", "GlobalMaxPooling2D()"),
            (IMAGE, "float32", "ZeroPadding2D(((1, 2), (0, 1)))"),
            (IMAGE, "float32", "Cropping2D(((1, 2), (0, 1)))"),
            (IMAGE, "float32", "UpSampling2D((2, 3))"),
            (IMAGE, "float32", "UpSampling2D(2, interpolation='bilinear')"),
            (IMAGE, "float32", "BatchNormalization()"),
            (VECTOR, "float32", "BatchNormalization(scale=False, momentum=0.9, epsilon=0.01)"),
            (SEQUENCE, "float32", "LayerNormalization()"),
            (SEQUENCE, "float32", "LayerNormalization(axis=(1, 2), center=False)"),
            (SEQUENCE, "float32", "RMSNormalization()"),
            (SEQUENCE, "float32", "SimpleRNN(3, return_sequences=True)"),
            (SEQUENCE, "float32", "LSTM(3)"),
            (SEQUENCE, "float32", "LSTM(3, return_sequences=True, go_backwards=True)"),
            (SEQUENCE, "float32", "LSTM(3, use_bias=False, activation='relu', unroll=True)"),
            (SEQUENCE, "float32", "LSTM(3, return_state=True)"),
            (SEQUENCE, "float32", "GRU(3)"),
            (SEQUENCE, "float32", "GRU(3, reset_after=False, return_sequences=True)"),
            (SEQUENCE, "float32", "RNN(L.LSTMCell(3))"),
            (SEQUENCE, "float32", "RNN(L.GRUCell(3, activation='relu'), return_sequences=True)"),
            (SEQUENCE, "float32", "RNN([L.SimpleRNNCell(3), L.LSTMCell(2)], return_state=True)"),
            (SEQUENCE, "float32", "Bidirectional(L.LSTM(3, return_sequences=True))"),
            (SEQUENCE, "float32", "Bidirectional(L.GRU(3), merge_mode='sum')"),
            (
                SEQUENCE,
                "float32",
                "Bidirectional(L.LSTM(3), backward_layer=L.GRU(2, go_backwards=True))",
            ),
            (SEQUENCE, "float32", "TimeDistributed(L.Dense(2, activation='relu'))"),
            (VECTOR, "float32", "Dense(3, dtype='float64')"),
            (VECTOR, "float32", "Dense(3, name='named', trainable=False)"),
            (VECTOR, "float32", "Dense(3, activity_regularizer='l1')"),
        ]
    )
}
# Layers of several inputs: (shape of each, source with `x` and `y`).
MERGES = {
    "merge_add": "L.Add()([x, y])",
    "merge_multiply": "L.Multiply()([x, y])",
    "merge_concatenate": "L.Concatenate(axis=1)([x, y])",
    "merge_attention": "L.MultiHeadAttention(2, 3)(x, y)",
    "merge_attention_options": (
        "L.MultiHeadAttention(2, 3, value_dim=2, use_bias=False, output_shape=5)"
        "(query=x, value=y, key=y, use_causal_mask=True)"
    ),
    "merge_attention_scores": "L.MultiHeadAttention(1, 2)(x, y, return_attention_scores=True)",
}
# Ops on `x` (4, 6), `y` (6, 4), `i` (4,) of int32, `v` (4,) and `im` (8, 8, 4).
OPS = """
x + 1
1 - x
x * 2.5
x / 2
x ** 2
2 ** x
x // 0.3
x % 0.3
-x
abs(x - 0.2)
x @ y
x > 0.2
x >= v[:, :, None]
(x < 0.3) & (x > 0.1)
(x < 0.2) | ~(x < 0.3)
x != x
x[:, 0]
x[0]
x[:, 1:3, None]
x[..., ::2]
x[:, -1, ::2]
x + np.ones(6, "float32")
ops.add(x, x)
ops.matmul(x, np.ones((6, 2), "float32"))
ops.maximum(x, 0.2)
ops.arctan2(x, 0.5)
ops.logaddexp(x, x)
ops.where(x > 0.2, x, 0.0)
ops.isclose(x, x, rtol=1e-3)
ops.logical_not(x > 0.2)
ops.clip(x, 0.1, 0.3)
ops.round(x, 2)
ops.sqrt(x)
ops.rsqrt(x)
ops.square(x)
ops.exp(x)
ops.log(x)
ops.log1p(x)
ops.sin(x)
ops.tanh(x)
ops.arctanh(x)
ops.erf(x)
ops.sign(x)
ops.floor(x * 3)
ops.isnan(x)
ops.nan_to_num(x, nan=1.0)
ops.relu(x - 0.2)
ops.relu6(x)
ops.sigmoid(x)
ops.silu(x)
ops.gelu(x, approximate=False)
ops.elu(x - 0.2, alpha=0.5)
ops.leaky_relu(x - 0.2, negative_slope=0.3)
ops.selu(x)
ops.hard_sigmoid(x)
ops.softplus(x)
ops.softmax(x, axis=1)
ops.log_softmax(x)
ops.threshold(x, 0.2, 0.1)
ops.sum(x)
ops.sum(x, axis=(1, 2), keepdims=True)
ops.mean(x, axis=-1)
ops.max(x, axis=1)
ops.min(x, axis=1, keepdims=True)
ops.prod(x, axis=1)
ops.var(x, axis=1)
ops.std(x, axis=(0, 1))
ops.all(x > 0.1, axis=1)
ops.any(x > 0.1, axis=1)
ops.logsumexp(x, axis=-1)
ops.argmax(x, axis=-1)
ops.argmin(x, axis=1)
ops.cumsum(x, axis=1)
ops.cumprod(x, axis=1)
ops.count_nonzero(x > 0.2)
ops.average(x, axis=1)
ops.sort(x, axis=1)
ops.argsort(x)
ops.top_k(x, 2)
ops.reshape(x, (-1, 24))
ops.reshape(x, (-1, 2, 12))
ops.ravel(x)
ops.transpose(x, (0, 2, 1))
ops.swapaxes(x, 1, 2)
ops.moveaxis(x, 1, 2)
ops.expand_dims(x, 1)
ops.expand_dims(x, (1, 2))
ops.squeeze(x[:, :1], 1)
ops.concatenate([x, x], axis=1)
ops.stack([x, x], axis=-1)
ops.hstack([x, x])
ops.vstack([x, x])
ops.append(x, x, axis=1)
ops.split(x, 2, axis=1)
ops.split(x, [1, 3], axis=2)
ops.unstack(x, 4, axis=1)
ops.tile(x, (1, 2, 1))
ops.repeat(x, 2, axis=1)
ops.pad(x, ((0, 0), (1, 1), (0, 0)))
ops.pad(x, ((0, 0), (1, 1), (0, 0)), constant_values=2)
ops.pad(x, ((0, 0), (1, 1), (0, 0)), mode="reflect")
ops.flip(x, axis=1)
ops.flip(x, axis=(1, 2))
ops.roll(x, 1, axis=1)
ops.rot90(x, axes=(1, 2))
ops.einsum("bij,bjk->bik", x, y)
ops.tensordot(x, np.ones((6, 2), "float32"), axes=1)
ops.tensordot(x, np.ones((4, 6), "float32"), axes=[[1, 2], [0, 1]])
ops.take(x, [0, 2], axis=1)
ops.take(x, i, axis=2)
ops.take_along_axis(x, ops.expand_dims(i, -1), axis=2)
ops.one_hot(i, 5)
ops.cast(x, "float16")
ops.cast(x * 3, "int32")
ops.full_like(x, 2.0)
ops.zeros_like(x)
ops.ones_like(x, dtype="int32")
ops.tril(x)
ops.triu(x, k=1)
ops.stop_gradient(x)
ops.max_pool(im, 2)
ops.average_pool(im, (2, 2), strides=1, padding="same")
ops.conv(im, np.ones((3, 3, 4, 2), "float32"), strides=2, padding="same")
ops.depthwise_conv(im, np.ones((3, 3, 4, 1), "float32"))
ops.moments(x, axes=[1, 2])
ops.layer_normalization(x)
ops.categorical_crossentropy(x, x)
ops.binary_crossentropy(x, x)
activations.relu(x - 0.2, max_value=0.1)
activations.softmax(x)
losses.mean_squared_error(x, x * 2)
losses.sparse_categorical_crossentropy(i, x)
""".strip().splitlines()


def _layer_model(name: str) -> Build:
    shape, dtype, source = LAYERS[name]

    def build(k: Any) -> Any:
        x = k.layers.Input(shape, dtype=dtype, name="x")
        layer = eval(f"L.{source}", {"L": k.layers})
        return k.models.Model(x, layer(x))

    return build


def _merge_model(source: str) -> Build:
    def build(k: Any) -> Any:
        x, y = k.layers.Input(SEQUENCE, name="x"), k.layers.Input(SEQUENCE, name="y")
        return k.models.Model([x, y], eval(source, {"L": k.layers, "x": x, "y": y}))

    return build


def _op_model(source: str) -> Build:
    def build(k: Any) -> Any:
        inputs = {
            "x": k.layers.Input((4, 6), name="x"),
            "y": k.layers.Input((6, 4), name="y"),
            "i": k.layers.Input((4,), dtype="int32", name="i"),
            "v": k.layers.Input((4,), name="v"),
            "im": k.layers.Input(IMAGE, name="im"),
        }
        names = {"ops": k.ops, "np": np, "activations": k.activations, "losses": k.losses}
        outputs = eval(source, names | inputs)
        used = [tensor for name, tensor in inputs.items() if name in _words(source)]
        return k.models.Model(used, outputs)

    return build


def _words(source: str) -> set[str]:
    return set("".join(c if c.isalnum() or c == "_" else " " for c in source).split())


# -- whole models ------------------------------------------------------------------------------


def sequential(k: Any) -> Any:
    L = k.layers
    return k.models.Sequential(
        [
            L.Input(IMAGE),
            L.Conv2D(3, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(2),
        ],
        name="convnet",
    )


def sequential_built_late(k: Any) -> Any:
    model = k.models.Sequential([k.layers.Dense(3, activation="relu"), k.layers.Dense(2)])
    model.build((None, 6))
    return model


def nested_sequential(k: Any) -> Any:
    L = k.layers
    inner = k.models.Sequential([L.Input(VECTOR), L.Dense(4), L.Dense(3)], name="inner")
    return k.models.Sequential([inner, L.Dense(2)])


def shared_layer(k: Any) -> Any:
    a, b = k.layers.Input(VECTOR, name="a"), k.layers.Input(VECTOR, name="b")
    dense = k.layers.Dense(4, name="shared")
    return k.models.Model([a, b], k.layers.Add()([dense(a), dense(dense2(k)(b))]))


def dense2(k: Any) -> Any:
    return k.layers.Dense(6, name="before")


def _inner(k: Any) -> Any:
    x = k.layers.Input(VECTOR)
    return k.models.Model(x, k.layers.Dense(3, activation="relu")(x) * 2, name="inner")


def nested_twice(k: Any) -> Any:
    a, b = k.layers.Input(VECTOR, name="a"), k.layers.Input(VECTOR, name="b")
    inner = _inner(k)
    return k.models.Model([a, b], [k.layers.ReLU()(inner(a)), inner(b)])


def nested_in_two_graphs(k: Any) -> Any:
    a, b = k.layers.Input(VECTOR, name="a"), k.layers.Input(VECTOR, name="b")
    inner = _inner(k)
    y = k.layers.Input((3,))
    outer = k.models.Model(y, inner(k.layers.Dense(6)(y)), name="outer")
    return k.models.Model([a, b], outer(inner(a)) + inner(b))


def dict_inputs(k: Any) -> Any:
    inputs = {"b": k.layers.Input(VECTOR, name="b"), "a": k.layers.Input((3,), name="a")}
    joined = k.layers.Concatenate()([inputs["a"], inputs["b"]])
    outputs = {
        "two": k.layers.Dense(2, name="two")(joined),
        "one": k.layers.Dense(1, name="one")(joined),
    }
    return k.models.Model(inputs, outputs)


def list_outputs(k: Any) -> Any:
    x = k.layers.Input(VECTOR)
    y = k.layers.Dense(3)(x)
    return k.models.Model([x], [y, k.layers.ReLU()(y), x])


def nested_structure(k: Any) -> Any:
    a, b = k.layers.Input(VECTOR, name="a"), k.layers.Input(VECTOR, name="b")
    return k.models.Model([a, {"z": b}], [a + b, {"q": a * b}])


def op_graph(k: Any) -> Any:
    x = k.layers.Input((4, 6), name="x")
    mean = k.ops.mean(x, axis=1, keepdims=True)
    centred = (x - mean) / k.ops.sqrt(k.ops.var(x, axis=1, keepdims=True) + 1e-3)
    parts = k.ops.split(k.layers.Dense(4)(centred), 2, axis=-1)
    return k.models.Model(x, k.ops.concatenate([parts[1], k.ops.tanh(parts[0])], axis=-1)[:, 0])


def masked(k: Any) -> Any:
    x = k.layers.Input(TOKENS, dtype="int32")
    y = k.layers.Embedding(9, 3, mask_zero=True)(x)
    return k.models.Model(x, k.layers.LSTM(2)(k.layers.Dropout(0.3)(y)))


def masked_average(k: Any) -> Any:
    x = k.layers.Input(SEQUENCE)
    y = k.layers.Masking(mask_value=0.0)(x)
    return k.models.Model(x, k.layers.GlobalAveragePooling1D()(y))


def residual_norm(k: Any) -> Any:
    L = k.layers
    x = L.Input(IMAGE)
    y = L.BatchNormalization()(L.Conv2D(4, 3, padding="same", use_bias=False)(x))
    return k.models.Model(x, L.GlobalAveragePooling2D()(L.Activation("relu")(L.Add()([x, y]))))


def transformer(k: Any) -> Any:
    L = k.layers
    tokens = L.Input(TOKENS, dtype="int32")
    x = L.Embedding(9, 4)(tokens)
    x = L.LayerNormalization()(x + L.MultiHeadAttention(2, 2)(x, x, use_causal_mask=True))
    x = L.LayerNormalization()(x + L.Dense(4)(L.Dense(8, activation="gelu")(x)))
    return k.models.Model(tokens, L.Dense(9)(x))


def states(k: Any) -> Any:
    x = k.layers.Input(SEQUENCE)
    _, h, c = k.layers.LSTM(3, return_state=True)(x)
    return k.models.Model(x, k.layers.LSTM(3)(x, initial_state=[h, c]))


def mixed_float16(k: Any) -> Any:
    x = k.layers.Input(VECTOR)
    y = k.layers.Dense(4, activation="relu", dtype="mixed_float16")(x)
    return k.models.Model(x, k.layers.Dense(2, dtype="float32")(y))


def mixed_bfloat16(k: Any) -> Any:
    x = k.layers.Input(VECTOR)
    y = k.layers.Dense(4, activation="relu", dtype="mixed_bfloat16")(x)
    return k.models.Model(x, k.layers.Dense(2, dtype="float32")(y))


def bfloat16(k: Any) -> Any:
    x = k.layers.Input(VECTOR)
    return k.models.Model(
        x, k.layers.Dense(2, dtype="float32")(k.layers.Dense(4, dtype="bfloat16")(x))
    )


def lambda_registered(k: Any) -> Any:
    x = k.layers.Input(VECTOR)
    return k.models.Model(x, k.layers.Lambda(custom(k)["zoo>doubled"])(x))


def lambda_activation(k: Any) -> Any:
    x = k.layers.Input(VECTOR)
    return k.models.Model(x, k.layers.Lambda(k.activations.tanh)(x))


def custom_layer(k: Any) -> Any:
    x = k.layers.Input(VECTOR)
    return k.models.Model(x, custom(k)["zoo>Scaled"](3, [0.5, 2.0])(x))


def custom_model(k: Any) -> Any:
    model = custom(k)["zoo>Branches"](units=3)
    model(k.ops.ones((1, *VECTOR)))
    return model


def custom_activation(k: Any) -> Any:
    x = k.layers.Input(VECTOR)
    return k.models.Model(x, k.layers.Dense(3, activation=custom(k)["zoo>doubled"])(x))


_CUSTOM: dict[int, dict[str, Any]] = {}


def custom(k: Any) -> dict[str, Any]:
    """Classes and functions of a user, registered with the library `k`."""
    if id(k) in _CUSTOM:
        return _CUSTOM[id(k)]

    @k.saving.register_keras_serializable("zoo")
    def doubled(x: Any) -> Any:
        return x * 2

    @k.saving.register_keras_serializable("zoo")
    class Scaled(k.layers.Layer):
        def __init__(self, units: int, factors: list[float], **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units, self.factors = units, factors

        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")
            self.count = self.add_weight(
                shape=(), initializer="ones", trainable=False, name="count", dtype="float32"
            )
            self.built = True

        def call(self, x: Any) -> Any:
            return k.ops.matmul(x, self.kernel) * sum(self.factors) + self.count

        def compute_output_shape(self, input_shape: Any) -> Any:
            return (*input_shape[:-1], self.units)

        def get_config(self) -> dict[str, Any]:
            return super().get_config() | {"units": self.units, "factors": self.factors}

    @k.saving.register_keras_serializable("zoo")
    class Branches(k.models.Model):
        def __init__(self, units: int = 2, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.first = k.layers.Dense(units)
            self.blocks = [k.layers.Dense(units), k.layers.Dense(units), k.layers.ReLU()]
            self.by_name = {"b": k.layers.Dense(units), "a": Scaled(units, [1.0])}
            self._hidden = k.layers.Dense(1)

        def call(self, x: Any) -> Any:
            y = self.blocks[2](self.blocks[1](self.blocks[0](x)))
            return self._hidden(self.first(x) + y + self.by_name["a"](x) + self.by_name["b"](x))

        def get_config(self) -> dict[str, Any]:
            return super().get_config() | {"units": self.units}

    @k.saving.register_keras_serializable("zoo")
    class Graph(k.models.Model):
        """A functional model of a class of its own."""

    names = {"doubled": doubled, "Scaled": Scaled, "Branches": Branches, "Graph": Graph}
    _CUSTOM[id(k)] = {f"zoo>{name}": value for name, value in names.items()}
    return _CUSTOM[id(k)]


def unregistered(k: Any) -> dict[str, Any]:
    """A class that the program did not register: loading gets it as `custom_objects`."""

    class Shifted(k.layers.Layer):
        def __init__(self, by: float = 1.0, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.by = by

        def call(self, x: Any) -> Any:
            return x + self.by

        def get_config(self) -> dict[str, Any]:
            return super().get_config() | {"by": self.by}

    return {"Shifted": Shifted}


def custom_unregistered(k: Any) -> Any:
    x = k.layers.Input(VECTOR)
    return k.models.Model(x, unregistered(k)["Shifted"](0.5)(x))


def subclass_of_graph(k: Any) -> Any:
    x = k.layers.Input(VECTOR)
    return custom(k)["zoo>Graph"](x, k.layers.Dense(2)(x))


_WHOLE = [
    sequential, sequential_built_late, nested_sequential, shared_layer, nested_twice,
    nested_in_two_graphs, dict_inputs,
    list_outputs, nested_structure, op_graph, masked, masked_average, residual_norm, transformer,
    states, mixed_float16, mixed_bfloat16, bfloat16, lambda_registered, lambda_activation,
    custom_layer, custom_model, custom_activation, custom_unregistered,
    subclass_of_graph,
]  # fmt: skip

MODELS: dict[str, Build] = (
    {name: _layer_model(name) for name in LAYERS}
    | {name: _merge_model(source) for name, source in MERGES.items()}
    | {f"op_{index:03d} {source}": _op_model(source) for index, source in enumerate(OPS)}
    | {f"model_{build.__name__}": build for build in _WHOLE}
)
# Optimizers whose state goes to files, as Python source; `o` are the optimizers.
TRAINED = {
    "train_sgd": "o.SGD(0.05)",
    "train_momentum": "o.SGD(0.05, momentum=0.9, nesterov=True)",
    "train_rmsprop": "o.RMSprop(0.01)",
    "train_rmsprop_all": "o.RMSprop(0.01, momentum=0.5, centered=True)",
    "train_adam": "o.Adam(0.01)",
    "train_amsgrad": "o.Adam(0.01, amsgrad=True, clipnorm=0.5)",
    "train_adamw": "o.AdamW(0.01, weight_decay=0.02)",
    "train_nadam": "o.Nadam(0.01)",
    "train_adagrad": "o.Adagrad(0.05)",
    "train_lion": "o.Lion(0.01)",
    "train_ema": "o.SGD(0.05, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=3)",
    "train_schedule": "o.Adam(o.schedules.ExponentialDecay(0.05, 3, 0.5))",
    "train_cosine": "o.SGD(o.schedules.CosineDecay(0.05, 12))",
    "train_accumulate": "o.SGD(0.05, gradient_accumulation_steps=3)",
    "train_float16": "o.SGD(0.05)",
}


def trained(k: Any, name: str) -> Any:
    """A compiled model with weights that are the same everywhere."""
    L = k.layers
    hidden = L.Dense(
        4, activation="tanh", dtype="mixed_float16" if "float16" in name else "float32"
    )
    model = k.models.Sequential(
        [L.Input((3,)), hidden, L.BatchNormalization(), L.Dense(1, dtype="float32")]
    )
    optimizer = eval(TRAINED[name], {"o": k.optimizers})
    model.compile(optimizer, loss=k.losses.MeanSquaredError(), metrics=["mae"])
    set_weights(model, 7)
    return model


def fit(model: Any) -> list[float]:
    """Trains for two epochs of four batches; the loss of each."""
    rng = np.random.default_rng(11)
    x = rng.uniform(-1, 1, (16, 3)).astype("float32")
    y = x.sum(axis=1, keepdims=True)
    return model.fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=0).history["loss"]


# Keras 3.15.1 can't open what it writes itself here.
REFUSED_BY_KERAS = {"model_nested_in_two_graphs"}
# Comparisons in 16-bit floats are as coarse as those.
TOLERANCES = {"model_mixed_float16": 2e-3, "model_mixed_bfloat16": 2e-2, "model_bfloat16": 2e-2}


def file_name(name: str) -> str:
    """The name of a model's files."""
    return name.split(" ")[0]


# How the inputs are passed, where that is not one array or a list of them.
_PASSED = {
    "model_dict_inputs": lambda given: {"b": given["b"], "a": given["a"]},
    "model_nested_structure": lambda given: [given["a"], {"z": given["b"]}],
}


def make_inputs(model: Any, seed: int) -> dict[str, np.ndarray]:
    """Values for the inputs of a model by their names, in the order of `model.inputs`."""
    rng = np.random.default_rng(seed)
    arrays = {}
    specs = [(t.name, tuple(t.shape), t.dtype) for t in getattr(model, "inputs", None) or []]
    for name, shape, dtype in specs or [("x", (None, *VECTOR), "float32")]:
        size = tuple(2 if d is None else d for d in shape)
        if str(dtype).startswith("int"):
            arrays[name] = rng.integers(0, 5, size).astype("int32")
        else:
            arrays[name] = rng.uniform(0.05, 0.5, size).astype("float32")
    return arrays


def passed(name: str, inputs: dict[str, np.ndarray]) -> Any:
    """The inputs as the model `name` is called with them."""
    if name in _PASSED:
        return _PASSED[name](inputs)
    arrays = list(inputs.values())
    return arrays[0] if len(arrays) == 1 else arrays


def set_weights(model: Any, seed: int) -> None:
    """Gives every weight values that matter, biases and moving averages too."""
    rng = np.random.default_rng(seed)
    model.set_weights(
        [rng.uniform(0.05, 0.5, w.shape).astype("float32") for w in model.get_weights()]
    )
