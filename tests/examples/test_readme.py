"""The Python in README.md runs as it stands there (with fewer epochs) and does what it says."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

import multikeras

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def elsewhere(tmp_path):
    """A folder of its own to run in."""
    before = os.getcwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)


def test_all_blocks_are_run_here():
    assert len(BLOCKS) == 3
    assert "digits" in BLOCKS[0] and "train_step" in BLOCKS[1] and "Backup" in BLOCKS[2]


def test_the_model(elsewhere, capsys):
    code, changed = re.subn(r"epochs=\d+", "epochs=2", BLOCKS[0])
    assert changed == 1
    names: dict = {}
    exec(compile(code, "README.md", "exec"), names)
    printed = capsys.readouterr().out.strip().splitlines()
    result = eval(printed[-1])
    assert set(result) == {"accuracy", "loss"} and result["accuracy"] > 0.8
    losses = names["model"].history.history["loss"]
    assert losses[1] < 0.7 * losses[0]

    again = multikeras.models.load_model(elsewhere / "digits.keras")
    x = names["x_test"][:8, ..., None]
    np.testing.assert_array_equal(again.predict(x, verbose=0), names["model"].predict(x, verbose=0))


def test_the_training_loop_of_ones_own():
    names: dict = {"keras": multikeras}
    exec(compile(BLOCKS[1], "README.md", "exec"), names)
    multikeras.utils.set_random_seed(0)
    inputs = multikeras.Input((4,))
    model = names["Regularized"](inputs, multikeras.layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
    losses = model.fit(x, x.sum(1, keepdims=True), epochs=5, verbose=0).history["loss"]
    assert losses[-1] < 0.7 * losses[0]


def test_the_run_that_can_be_killed(elsewhere):
    code, changed = re.subn(r"epochs=\d+", "epochs=4", BLOCKS[2])
    code = code.replace("save_freq=50", "save_freq=3")
    assert changed == 1
    x = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
    y = x.sum(1, keepdims=True)

    def run(dies_at):
        multikeras.utils.set_random_seed(0)
        model = multikeras.Sequential([multikeras.Input((4,)), multikeras.layers.Dense(1)])
        model.compile("adam", "mse")
        fit = model.fit

        class Dies(multikeras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                if int(self.model.optimizer.iterations) == dies_at:
                    raise MemoryError

        def fit_and_die(*args, callbacks, **kwargs):
            return fit(*args, callbacks=[*callbacks, Dies()], verbose=0, **kwargs)

        model.fit = fit_and_die
        exec(compile(code, "README.md", "exec"), {"keras": multikeras, "model": model} | data)
        return model

    data = {"x": x, "y": y}
    whole = run(dies_at=None)
    with pytest.raises(MemoryError):
        run(dies_at=5)
    assert os.path.exists("backup")
    again = run(dies_at=None)
    assert again.history.history == whole.history.history
    for a, b in zip(again.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
