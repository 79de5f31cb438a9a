"""The same training gives the same logs on every backend: every epoch, every name, every value.

The models stand in logs_worker.py; a backend trains all of them in one process of its own.
"""

from __future__ import annotations

import concurrent.futures
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BACKENDS = ("numpy", "jax", "torch", "tensorflow")
HERE = Path(__file__).parent
RELATIVE, ABSOLUTE = 1e-4, 1e-6

# How far each model's logs may be apart, relatively, where that is more than RELATIVE.
LOOSER = {
    # Activations have 8 significant bits, and where they are rounded is the framework's matter.
    "mixed_bfloat16": 1e-2,
    # The same with 11 bits.
    "mixed_float16": 1e-3,
}

MODELS = (
    "sequential",
    "delayed_sequential",
    "multi_output",
    "shared_layer",
    "one_layer_two_outputs",
    "subclass_with_normalization_and_dropout",
    "cnn",
    "attention",
    "masked_lstm",
    "masked_gru_with_weights_of_steps",
    "bidirectional_rnn",
    "stateful_rnn",
    "sample_weights",
    "class_weights",
    "regularized_and_constrained",
    "activity_regularized",
    "added_loss",
    "added_metrics_and_losses_of_the_graph",
    "added_metrics",
    "own_train_step",
    "own_loss_and_metrics",
    "moving_average_of_weights",
    "accumulated_gradients",
    "clipped_decayed_and_scheduled",
    "several_steps_in_one",
    "uncompiled",
    "mixed_bfloat16",
    "mixed_float16",
    "frozen_layer_from_a_generator",
    "dataset_of_workers",
    "single_batches",
)


def run(backend: str, folder: Path) -> dict[str, dict[str, list[float]]]:
    """What one backend logged."""
    environment = {
        "PYTHONPATH": str(HERE.parents[1]),
        "MULTIKERAS_BACKEND": backend,
        # Most of JAX's time goes into compiling steps that run a dozen times.
        "XLA_FLAGS": "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true",
    }
    done = subprocess.run(
        [sys.executable, str(HERE / "logs_worker.py"), str(folder)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((folder / f"{backend}.json").read_text())["logs"]


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """The logs of every backend, by backend and model."""
    folder = tmp_path_factory.mktemp("logs")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda backend: run(backend, folder), BACKENDS)
        return dict(zip(BACKENDS, found, strict=True))


def test_every_model_was_trained(logs):
    for found in logs.values():
        assert tuple(found) == MODELS
    assert set(LOOSER) <= set(MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_the_logs_are_the_same(logs, model):
    relative = LOOSER.get(model, RELATIVE)
    for first, second in itertools.combinations(BACKENDS, 2):
        a, b = logs[first][model], logs[second][model]
        assert list(a) == list(b), f"names on {first} and {second}"
        for name in a:
            expected = pytest.approx(b[name], rel=relative, abs=ABSOLUTE)
            assert a[name] == expected, f"{name} on {first} and {second}"
