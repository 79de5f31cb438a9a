"""`multikeras quickstart`: its report and its failures with steps stubbed, and once for real."""

import io

import numpy as np
import pytest
from rich.console import Console

from multikeras.cli import backends, curves, quickstart
from multikeras.cli.quickstart import Result, StepError

HISTORY = {"loss": [1.0, 0.5], "val_loss": [1.1, 0.6], "accuracy": [0.5, 0.9]}


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=120)


def _result(shift=0.0):
    return Result(np.full((360, 10), 0.1 + shift), 0.98, 1.5, HISTORY)


def _stub(monkeypatch, opened):
    """Replaces the child processes; `opened` maps a backend to a Result or an error."""
    monkeypatch.setattr(backends, "installed", lambda: dict.fromkeys(opened, "1.0"))

    def step(backend, action, model, *args, quiet=True):
        outcome = _result() if action == "train" else opened[backend]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(quickstart, "_step", step)


def test_report(monkeypatch, console, tmp_path):
    _stub(monkeypatch, {"numpy": _result(), "jax": _result(2e-6)})
    out = tmp_path / "new [folder]"
    assert quickstart.run(out, console=console) == 0
    text = console.file.getvalue()
    assert out.is_dir() and "[folder]" in text
    assert "Test accuracy 98.0%" in text
    assert "2.0e-06" in text
    assert "pip install 'multikeras[torch]'" in text


def test_a_backend_that_disagrees_fails(monkeypatch, console, tmp_path):
    _stub(monkeypatch, {"numpy": _result(), "jax": _result(0.01)})
    assert quickstart.run(tmp_path, console=console) == 1
    assert "jax differs from numpy by 1.0e-02" in console.file.getvalue()


def test_nan_predictions_fail(monkeypatch, console, tmp_path):
    _stub(monkeypatch, {"numpy": _result(float("nan"))})
    assert quickstart.run(tmp_path, console=console) == 1


def test_a_backend_that_cannot_open_is_named_and_the_rest_goes_on(monkeypatch, console, tmp_path):
    _stub(monkeypatch, {"jax": StepError("ImportError: no jaxlib"), "torch": _result()})
    assert quickstart.run(tmp_path, console=console) == 1
    text = console.file.getvalue()
    assert "jax could not open the model: ImportError: no jaxlib" in text
    assert "98.0%" in text


def test_out_that_is_a_file(console, tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    assert quickstart.run(path, console=console) == 1
    assert "cannot make the folder" in console.file.getvalue()


def test_a_failed_step_gives_the_last_line_of_its_error(monkeypatch, tmp_path):
    """The worker runs for real and fails: there is no such model file."""
    with pytest.raises(StepError) as error:
        quickstart._step("numpy", "open", tmp_path / "missing.keras")
    assert "missing.keras" in str(error.value)


@pytest.mark.parametrize("blocks", [True, False])
def test_text_chart_without_values_or_height(blocks):
    assert curves.text_chart([], blocks=blocks) == ["0.00 |"] + ["     |"] * 4
    assert curves.text_chart([0.0], height=1, blocks=blocks) == ["0.00 |  "]
    assert curves.text_chart([1, 2], height=1, blocks=False)[0].isascii()


def test_png(tmp_path):
    pytest.importorskip("matplotlib", reason="an optional extra of the package")
    assert curves.save_png(HISTORY, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_the_curve_is_text(monkeypatch, console, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    _stub(monkeypatch, {"numpy": _result()})
    assert quickstart.run(tmp_path, console=console) == 0
    assert "loss by epoch" in console.file.getvalue()
    assert not (tmp_path / "training.png").exists()


def test_for_real_on_what_is_installed(console, tmp_path):
    status = quickstart.run(tmp_path, epochs=1, console=console)
    text = console.file.getvalue()
    assert status == 0, text
    assert (tmp_path / "digits.keras").stat().st_size > 100_000
    for name in backends.installed():
        assert name in text


@pytest.mark.all_backends
def test_the_promise(console, tmp_path):
    """97% on the test images, and the same predictions on all backends."""
    assert set(backends.installed()) == set(quickstart.config.BACKENDS)
    model = tmp_path / "digits.keras"
    trained = quickstart._step("numpy", "train", model, str(quickstart.EPOCHS), "0")
    assert trained.accuracy >= 0.97
    assert len(trained.history["loss"]) == quickstart.EPOCHS
    for name in quickstart.config.BACKENDS:
        opened = quickstart._step(name, "open", model)
        np.testing.assert_allclose(
            opened.predictions, trained.predictions, atol=quickstart.TOLERANCE, rtol=0
        )
