"""Functions of integers."""

import jax.numpy as jnp

bitwise_and = jnp.bitwise_and
bitwise_or = jnp.bitwise_or
bitwise_xor = jnp.bitwise_xor
bitwise_not = bitwise_invert = jnp.bitwise_not
left_shift = bitwise_left_shift = jnp.left_shift
right_shift = bitwise_right_shift = jnp.right_shift
gcd = jnp.gcd
lcm = jnp.lcm
