"""Functions of integers."""

import torch

from multikeras.backends.torch.core import widened

bitwise_and = widened(torch.bitwise_and)
bitwise_or = widened(torch.bitwise_or)
bitwise_xor = widened(torch.bitwise_xor)
bitwise_not = bitwise_invert = widened(torch.bitwise_not)
left_shift = bitwise_left_shift = widened(torch.bitwise_left_shift)
right_shift = bitwise_right_shift = widened(torch.bitwise_right_shift)
gcd = widened(torch.gcd)
lcm = widened(torch.lcm)
