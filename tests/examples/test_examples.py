"""Every script in `examples/` runs, learns, and prints the same on every backend."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import multikeras as keras

ROOT = Path(__file__).resolve().parents[2]
BACKEND = keras.config.backend()

# What two epochs print, on any backend: the same seed gives the same run.
LOSSES = {
    "collab_filtering": [3.8741, 3.4491],
    "digits_cnn": [2.0551, 1.0669],
    "portable_train_step": [42.0842, 36.1336],
}

# Epochs, the numbers of the last line after them (accuracies, or before and after training) and
# how far they may be off: two networks that play against each other make much of a rounding.
LAST_LINES = {
    "distillation": (3, [0.9306, 0.2000, 0.6444], 0.02),
    "gan": (3, [0.4381, 0.2418], 0.02),
    "gradient_penalty": (6, [0.9104, 0.62], 0.1),
}


def run(name: str, *arguments: str) -> str:
    """What a script prints."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / f"{name}.py"), *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT), "MULTIKERAS_BACKEND": BACKEND},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_every_example_is_listed():
    assert sorted([*LOSSES, *LAST_LINES]) == sorted(
        path.stem for path in (ROOT / "examples").glob("*.py")
    )


@pytest.mark.parametrize("name", LOSSES)
def test_an_example_runs_and_learns(name, tmp_path):
    saves = name == "digits_cnn"
    path = tmp_path / "digits.keras"
    printed = run(name, "--epochs", "2", *(["--save", str(path)] if saves else []))
    losses = [float(loss) for loss in re.findall(r"[^_]loss:? ([\d.]+)(?: - acc.*val_|,)", printed)]
    assert losses[-1] < losses[0]
    assert losses == pytest.approx(LOSSES[name], rel=2e-3)
    assert f"{BACKEND} epoch 2:" in printed or f"{BACKEND}: test accuracy" in printed
    if saves:
        assert 'Model: "sequential"' in printed and "Total params" in printed
        accuracy = float(re.search(r"test accuracy ([\d.]+)", printed)[1])
        assert accuracy == pytest.approx(0.8833, abs=0.01)
        (_, _), (x, y) = keras.datasets.digits.load_data()
        model = keras.models.load_model(path)
        found = model.evaluate(x[..., None], y, verbose=0, return_dict=True)["accuracy"]
        assert found == pytest.approx(accuracy, abs=1e-4)


@pytest.mark.parametrize("name", LAST_LINES)
def test_an_example_with_its_own_step_runs_and_learns(name):
    epochs, expected, tolerance = LAST_LINES[name]
    printed = run(name, "--epochs", str(epochs))
    found = [float(number) for number in re.findall(r"\d\.\d+", printed.splitlines()[-1])]
    assert found == pytest.approx(expected, rel=tolerance)
    if name == "distillation":
        teacher, alone, taught = found
        assert teacher > taught > alone + 0.2
    else:
        before, after = found
        assert after < 0.8 * before
