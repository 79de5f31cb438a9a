"""Whole `.keras` files: written whole or not at all, read as data or not at all."""

import json
import os
import resource
import signal
import stat
import subprocess
import sys
import textwrap
import warnings
import zipfile

import numpy as np
import pytest

from multikeras.saving import (
    CorruptFileError,
    UnknownObjectError,
    WeightsMismatchError,
    load_model,
    load_weights,
    model_from_json,
    save_model,
    save_weights,
    serialize_keras_object,
)
from multikeras.saving.atomic import atomic_file
from tests.saving.fakes import Dense, Model, Sequential


def model_of(*sizes, start=0.0):
    layers = [Dense(f"d{i}", *size, start=start) for i, size in enumerate(sizes)]
    return Sequential("seq", layers)


def values(model):
    return [value for layer in model.layers for value in layer.values()]


def assert_same(first, second):
    assert len(values(first)) == len(values(second))
    for a, b in zip(values(first), values(second)):
        np.testing.assert_array_equal(a, b)


def rewritten(path, changes, drop=()):
    """The archive with some members' contents changed: `{name: bytes or function of bytes}`."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist() if name not in drop}
    for name, change in changes.items():
        members[name] = change(members[name]) if callable(change) else change
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def with_config(change):
    def apply(data):
        config = json.loads(data)
        return json.dumps(change(config) or config).encode()

    return {"config.json": apply}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.keras"
    save_model(model_of((3, 2), (2, 1), start=1.0), path)
    return path


def test_a_model_comes_back(saved):
    model = load_model(saved)
    assert (type(model), model.name) == (Sequential, "seq")
    assert_same(model, model_of((3, 2), (2, 1), start=1.0))


def test_the_archive_is_kerass(saved):
    with zipfile.ZipFile(saved) as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        metadata = json.loads(archive.read("metadata.json"))
        config = json.loads(archive.read("config.json"))
    assert {"keras_version", "date_saved"} <= set(metadata)
    assert config["class_name"] == "Sequential"


def test_weights_load_from_either_kind_of_file(tmp_path, saved):
    weights = tmp_path / "w.weights.h5"
    save_weights(model_of((3, 2), (2, 1), start=2.0), weights)
    for path, start in ((saved, 1.0), (weights, 2.0)):
        model = model_of((3, 2), (2, 1), start=9.0)
        load_weights(model, path)
        assert_same(model, model_of((3, 2), (2, 1), start=start))


def test_a_model_comes_back_from_json():
    model = model_of((3, 2))
    text = json.dumps(serialize_keras_object(model))
    assert_same(model_from_json(text), model)


def test_further_members_and_keys_are_passed_over(saved):
    rewritten(
        saved,
        {
            "notes.txt": b"hello",
            "metadata.json": json.dumps({"other": 1}).encode(),
            **with_config(lambda config: config.update(other=1)),
        },
    )
    load_model(saved)


def test_a_newer_file_warns(saved):
    rewritten(saved, {"metadata.json": json.dumps({"multikeras": {"format": 99}}).encode()})
    with pytest.warns(UserWarning, match="file format 99"):
        load_model(saved)


def unknown_class(config):
    config["class_name"] = "Sequentiall"


def os_system(config):
    return {"module": "os", "class_name": "system", "config": {"command": "touch pwned"}}


def bytecode(config):
    config["config"]["name"] = {"class_name": "__lambda__", "config": {"code": "4wEA"}}
    config["config"] = {"deep": [config["config"]]}
    return {"module": "tests.fakes", "class_name": "Asks", "config": config}


def other_shapes(config):
    config["config"]["sizes"] = [[3, 2], [2, 5]]


def no_model(config):
    return [1, 2, 3]


BAD_FILES = {
    "unknown class": (with_config(unknown_class), UnknownObjectError, "Did you mean 'Sequential'"),
    "another library": (with_config(os_system), UnknownObjectError, "'os.system'"),
    "bytecode": (with_config(bytecode), ValueError, "declared"),
    "other shapes": (with_config(other_shapes), WeightsMismatchError, "another shape"),
    "no model": (with_config(no_model), CorruptFileError, "describes no model"),
    "bad json": ({"config.json": b"{"}, CorruptFileError, "no valid JSON"),
    "deep json": ({"config.json": b"[" * 5000 + b"]" * 5000}, CorruptFileError, "too deep"),
    "no hdf5": ({"model.weights.h5": b"x" * 5000}, CorruptFileError, "no HDF5 file"),
    "cut hdf5": ({"model.weights.h5": lambda data: data[:-900]}, CorruptFileError, "cut short"),
    "a name that escapes": ({"../evil": b""}, CorruptFileError, "lead out"),
}


@pytest.mark.parametrize("case", BAD_FILES)
@pytest.mark.parametrize("safe_mode", [True, False])
def test_bad_files_are_refused(saved, case, safe_mode):
    changes, error, message = BAD_FILES[case]
    rewritten(saved, changes)
    with pytest.raises(error, match=message):
        load_model(saved, safe_mode=safe_mode)
    assert sorted(os.listdir(saved.parent)) == ["model.keras"]


@pytest.mark.parametrize("member", ["config.json", "model.weights.h5"])
def test_a_missing_member_is_named(saved, member):
    rewritten(saved, {}, drop=[member])
    with pytest.raises(CorruptFileError, match=f"no member '{member}'"):
        load_model(saved)


def test_a_cut_file_never_gives_a_model(saved):
    data = saved.read_bytes()
    for length in range(0, len(data), 211):
        saved.write_bytes(data[:length])
        with pytest.raises(CorruptFileError):
            load_model(saved)


def test_no_changed_byte_of_the_weights_goes_unnoticed(saved):
    data = saved.read_bytes()
    start = data.index(b"\x89HDF")
    for at in range(start, start + 6000, 101):
        saved.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(CorruptFileError):
            load_model(saved)


PATHS = {
    "model as text": (lambda m, d: save_model(m, d / "m.txt"), ValueError, "'.keras'"),
    "unknown format": (
        lambda m, d: save_model(m, d / "m.keras", save_format="onnx"),
        ValueError,
        "'keras', 'h5' or 'tf'.*'onnx'",
    ),
    "another format's path": (
        lambda m, d: save_model(m, d / "m.h5", save_format="keras"),
        ValueError,
        "end in '.keras'",
    ),
    "another format's option": (
        lambda m, d: save_model(m, d / "m.keras", signatures={}),
        ValueError,
        "signatures can only be given with save_format='tf'",
    ),
    "unknown format of weights": (
        lambda m, d: save_weights(m, d / "m.h5", save_format="csv"),
        ValueError,
        "'keras', 'h5' or 'tf'.*'csv'",
    ),
    "no path": (lambda m, d: save_model(m, 3), TypeError, "must be a path"),
    "no folder": (
        lambda m, d: save_model(m, d / "no" / "m.keras"),
        FileNotFoundError,
        "folder .*no' does not exist",
    ),
    "a folder": (lambda m, d: save_model(m, d / "folder.keras"), IsADirectoryError, "a folder"),
    "no model": (lambda m, d: save_model({}, d / "m.keras"), TypeError, "expects a model"),
    "unknown option": (
        lambda m, d: save_model(m, d / "m.keras", colour=1),
        TypeError,
        "unknown arguments ..colour",
    ),
    "not zipped": (lambda m, d: save_model(m, d / "m.keras", zipped=False), ValueError, "zipped"),
    "load what is not there": (
        lambda m, d: load_model(d / "none.keras"),
        FileNotFoundError,
        "There is no file",
    ),
    "load a folder": (lambda m, d: load_model(d / "folder.keras"), IsADirectoryError, "a folder"),
    "load another extension": (lambda m, d: load_model(d / "m.txt"), ValueError, "'.keras'"),
}


@pytest.mark.parametrize("case", PATHS)
def test_paths_are_checked(tmp_path, case):
    (tmp_path / "folder.keras").mkdir()
    call, error, message = PATHS[case]
    with pytest.raises(error, match=message):
        call(model_of((1, 1)), tmp_path)
    assert os.listdir(tmp_path) == ["folder.keras"]


def test_an_unbuilt_model_is_not_saved(tmp_path):
    model = Model("m")
    model.built = False
    with pytest.raises(ValueError, match="Model 'm' has not been built"):
        save_model(model, tmp_path / "m.keras")


def test_overwrite_false_keeps_the_file(saved):
    before = saved.read_bytes()
    with pytest.raises(FileExistsError, match="overwrite=True"):
        save_model(model_of((5, 5)), saved, overwrite=False)
    assert saved.read_bytes() == before


def test_compile_false_drops_what_was_compiled(saved):
    rewritten(saved, with_config(lambda c: c.update(compile_config={"optimizer": {"a": 1}})))
    load_model(saved, compile=False)


# -- writing whole or not at all ------------------------------------------------------------


def test_an_error_while_writing_leaves_the_old_file(saved):
    before = saved.read_bytes()
    broken = model_of((3, 2))
    broken.layers[0].save_own_variables = None  # can't be called
    with pytest.raises(TypeError):
        save_model(broken, saved)
    assert saved.read_bytes() == before and os.listdir(saved.parent) == ["model.keras"]


def test_a_link_stays_a_link(tmp_path, saved):
    link = tmp_path / "link.keras"
    link.symlink_to(saved)
    save_model(model_of((1, 1), start=4.0), link)
    assert link.is_symlink()
    assert_same(load_model(saved), model_of((1, 1), start=4.0))


def test_permissions_are_those_of_any_new_file(tmp_path):
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    path = tmp_path / "x.bin"
    with atomic_file(path) as file:
        file.write(b"1")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    path.chmod(0o600)
    with atomic_file(path) as file:
        file.write(b"2")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and path.read_bytes() == b"2"


# The stores don't know the backend; NumPy is the one that starts in no time.
PLAIN = {**os.environ, "PYTHONPATH": ".", "MULTIKERAS_BACKEND": "numpy"}
SCRIPT = """
import sys, os, signal, resource
import numpy as np
from tests.saving.fakes import Dense, Sequential
from multikeras.saving import save_model, save_weights

path, kind, mode = sys.argv[1:]
big = Sequential("seq", [Dense(f"d{i}", 500, 500, start=7.0) for i in range(8)])
if mode == "kill":
    class Deadly(Dense):
        def save_own_variables(self, store):
            super().save_own_variables(store)
            os.kill(os.getpid(), signal.SIGKILL)
    Deadly.__module__ = "multikeras.fakes"
    big._stack.insert(4, Deadly("deadly", 500, 500))
else:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limit = int(mode)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    (save_model if kind == "model" else save_weights)(big, path)
except OSError as error:
    print("OSError", error.errno)
"""


def run(path, kind, mode):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), str(path), kind, str(mode)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=os.path.dirname(os.path.dirname(os.path.dirname(__file__))),
        env=PLAIN,
    )


@pytest.mark.parametrize(("kind", "name"), [("model", "m.keras"), ("weights", "m.weights.h5")])
def test_a_killed_process_leaves_the_old_file(tmp_path, kind, name):
    path = tmp_path / name
    old = model_of((3, 2), start=1.0)
    (save_model if kind == "model" else save_weights)(old, path)
    before = path.read_bytes()
    result = run(path, kind, "kill")
    assert result.returncode == -signal.SIGKILL, result.stderr
    assert path.read_bytes() == before
    # And saving again works, whatever was left behind.
    (save_model if kind == "model" else save_weights)(old, path)


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="needs a limit of file size")
@pytest.mark.parametrize(("kind", "name"), [("model", "m.keras"), ("weights", "m.weights.h5")])
@pytest.mark.parametrize("room", [0, 2_000, 7_900_000])
def test_a_full_disk_leaves_the_old_file(tmp_path, kind, name, room):
    path = tmp_path / name
    path.write_bytes(b"the old one")
    result = run(path, kind, room)
    assert (result.returncode, result.stdout.strip()) == (0, "OSError 27"), result.stderr
    assert path.read_bytes() == b"the old one"
    assert os.listdir(tmp_path) == [name]


def test_saving_and_loading_hold_no_second_copy(tmp_path):
    script = """
        import sys, resource, tracemalloc
        import numpy as np
        from tests.saving.fakes import Dense, Sequential
        from multikeras.saving import save_model, load_weights

        tracemalloc.start()
        model = Sequential("seq", [Dense(f"d{i}", 1024, 1024) for i in range(16)])
        own = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        save_model(model, sys.argv[1])
        load_weights(model, sys.argv[1])
        print(tracemalloc.get_traced_memory()[1] - own)
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "m.keras")],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=os.path.dirname(os.path.dirname(os.path.dirname(__file__))),
        env=PLAIN,
    )
    assert result.returncode == 0, result.stderr
    layer, all_layers = 4 * 1024 * 1025, 16 * 4 * 1024 * 1025
    assert int(result.stdout) < 4 * layer < all_layers / 3


def test_loading_warns_of_nothing(saved):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_model(saved)
