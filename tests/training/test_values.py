"""Values that variables hold for a while."""

from __future__ import annotations

import numpy as np
import pytest

import multikeras as keras
from multikeras.training.values import swapped


def test_variables_have_their_values_back_also_after_an_error():
    variable = keras.Variable([1.0, 2.0])
    with pytest.raises(OSError, match="full"), swapped([(variable, np.array([3.0, 4.0]))]):
        assert variable.numpy().tolist() == [3.0, 4.0]
        raise OSError("the disk is full")
    assert variable.numpy().tolist() == [1.0, 2.0]
