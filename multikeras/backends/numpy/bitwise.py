"""Functions of integers."""

import numpy as np

bitwise_and = np.bitwise_and
bitwise_or = np.bitwise_or
bitwise_xor = np.bitwise_xor
bitwise_not = bitwise_invert = np.bitwise_not
left_shift = bitwise_left_shift = np.left_shift
right_shift = bitwise_right_shift = np.right_shift
gcd = np.gcd
lcm = np.lcm
