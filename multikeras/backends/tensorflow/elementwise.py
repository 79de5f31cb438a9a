"""Element-by-element functions."""

import tensorflow as tf

add = tf.add
