"""The loop on TensorFlow: a `tf.function` step, with the framework's own kernel of Adam."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

Model = tuple[list[tf.Variable], Callable[[tf.Tensor], tf.Tensor]]


def train(
    model: Model, x: np.ndarray, y: np.ndarray, batch_size: int, epochs: int, xla: bool = True
) -> Callable[[], float]:
    """`model` is (variables, function of the inputs that gives logits)."""
    variables, apply = model
    count = len(x)
    moments = [(tf.Variable(tf.zeros_like(v)), tf.Variable(tf.zeros_like(v))) for v in variables]
    steps, total = tf.Variable(0.0), tf.Variable(0.0)

    @tf.function(jit_compile=xla)
    def step(x: tf.Tensor, y: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            logits = apply(x)
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
            mean = tf.reduce_mean(loss)
        grads = tape.gradient(mean, variables)
        steps.assign_add(1.0)
        for variable, grad, (m, v) in zip(variables, grads, moments, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=m.handle,
                v=v.handle,
                beta1_power=0.9**steps,
                beta2_power=0.999**steps,
                lr=1e-3,
                beta1=0.9,
                beta2=0.999,
                epsilon=1e-7,
                grad=grad,
            )
        total.assign_add(mean * tf.cast(tf.shape(x)[0], tf.float32))

    def run() -> float:
        for _ in range(epochs):
            total.assign(0.0)
            order = np.random.permutation(count)
            for start in range(0, count, batch_size):
                rows = order[start : start + batch_size]
                step(tf.constant(x[rows]), tf.constant(y[rows]))
            mean = float(total) / count
        return mean

    return run
