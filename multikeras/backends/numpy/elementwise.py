"""Element-by-element functions."""

import autograd.numpy as anp

add = anp.add
