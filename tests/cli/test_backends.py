"""`multikeras backends`: what it lists, how it explains the choice, that nothing is imported."""

import os
import subprocess
import sys
from importlib import metadata, util
from pathlib import Path

import numpy as np
import pytest

from multikeras import config
from multikeras.cli import backends, main

# The command as the console script runs it, and then the frameworks that it has imported.
COMMAND = """
import sys
sys.argv = ["multikeras", "backends"]
import multikeras_launcher
status = multikeras_launcher.main()
print("loaded:", sorted({"jax", "torch", "tensorflow", "keras"} & set(sys.modules)))
sys.exit(status)
"""


def _run(tmp_path, code=COMMAND, **env):
    env = {**os.environ, "MULTIKERAS_HOME": str(tmp_path), "COLUMNS": "100", **env}
    env = {name: value for name, value in env.items() if value is not None}
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=root, capture_output=True, text=True
    )


def test_lists_all_backends_and_the_default(tmp_path):
    done = _run(tmp_path, MULTIKERAS_BACKEND=None)
    assert done.returncode == 0, done.stderr
    for name in config.BACKENDS:
        assert name in done.stdout
    assert np.__version__ in done.stdout
    assert "Selected: numpy, by the default." in done.stdout
    assert "loaded: []" in done.stdout


@pytest.mark.parametrize("name", config.BACKENDS)
def test_selection_by_environment_imports_nothing(tmp_path, name):
    done = _run(tmp_path, MULTIKERAS_BACKEND=name)
    assert f"Selected: {name}, by the environment variable MULTIKERAS_BACKEND." in done.stdout
    assert "loaded: []" in done.stdout
    there = util.find_spec(name) is not None
    assert done.returncode == (0 if there else 1)
    assert (f"pip install 'multikeras[{name}]'" in done.stdout) != there


def test_selection_by_config_file(tmp_path):
    (tmp_path / "multikeras.json").write_text('{"backend": "numpy"}')
    done = _run(tmp_path, MULTIKERAS_BACKEND=None)
    assert "Selected: numpy, by the config file" in done.stdout
    assert "multikeras.json" in done.stdout


def test_misspelt_backend_is_named(tmp_path):
    done = _run(tmp_path, MULTIKERAS_BACKEND="pytorch")
    assert done.returncode == 1
    assert "Unknown backend 'pytorch'" in done.stdout
    assert "Traceback" not in done.stderr


def test_broken_config_file_is_one_line(tmp_path):
    (tmp_path / "multikeras.json").write_text("{backend: numpy}")
    done = _run(tmp_path, MULTIKERAS_BACKEND=None)
    assert done.returncode == 2
    assert done.stderr.startswith("multikeras: The config file")
    assert "Traceback" not in done.stderr


def test_python_m_multikeras(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "multikeras", "backends"],
        env={**os.environ, "MULTIKERAS_BACKEND": "numpy", "MULTIKERAS_HOME": str(tmp_path)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "Selected: numpy" in done.stdout


def test_version_of_a_variant_package(monkeypatch):
    """A framework may come from a package of another name, such as a CPU-only build."""
    versions = {"framework-cpu": "2.1"}

    def version(name):
        try:
            return versions[name]
        except KeyError:
            raise metadata.PackageNotFoundError(name) from None

    monkeypatch.setattr(backends.metadata, "version", version)
    monkeypatch.setattr(
        backends.metadata, "packages_distributions", lambda: {"json": ["framework-cpu"]}
    )
    assert backends.installed_version("json") == "2.1"
    assert backends.installed_version("csv") == "unknown"
    assert backends.installed_version("no_such_module") is None


def test_a_plain_folder_is_not_a_framework(tmp_path, monkeypatch):
    (tmp_path / "framework_folder").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert backends.installed_version("framework_folder") is None


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "COMMAND"),
        (["train"], "invalid choice"),
        (["quickstart", "--epochs", "0"], "expected an integer of 1 or more, got '0'"),
        (["quickstart", "--epochs", "many"], "expected an integer of 1 or more, got 'many'"),
        (["quickstart", "--seed", "-1"], "expected an integer of 0 or more, got '-1'"),
    ],
)
def test_bad_arguments(argv, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_help(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["quickstart", "--help"])
    assert stop.value.code == 0
    assert "--epochs" in capsys.readouterr().out
