"""The TensorFlow backend: layers are `tf.Module`s, steps are `tf.function`s."""

from multikeras.backends.tensorflow import core as core

from multikeras.backends.tensorflow import elementwise as elementwise

UNSUPPORTED: dict[str, str] = {}
