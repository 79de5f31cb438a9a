"""A config can't make the process allocate what its file has no values for."""

import json
import zipfile

import pytest

import multikeras as keras

LAYERS = {
    "Dense": lambda: keras.layers.Dense(4),
    "Embedding": lambda: keras.layers.Embedding(4, 4),
    "LSTM": lambda: keras.layers.LSTM(4),
    "MultiHeadAttention": lambda: keras.layers.EinsumDense("abc,cd->abd", (None, 4)),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("units", [10**8, 10**12])
def test_a_config_of_huge_layers_is_refused(tmp_path, name, units):
    shape = (4,) if name in ("Dense", "Embedding") else (3, 4)
    model = keras.Sequential([keras.Input(shape), LAYERS[name]()])
    model.save(tmp_path / "small.keras")
    with zipfile.ZipFile(tmp_path / "small.keras") as small:
        members = {member: small.read(member) for member in small.namelist()}
    config = json.loads(members["config.json"])
    layer = config["config"]["layers"][1]["config"]
    for key in ("units", "input_dim"):
        if key in layer:
            layer[key] = units
    if "output_shape" in layer:
        layer["output_shape"] = [None, units]
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(tmp_path / "huge.keras", "w") as huge:
        for member, content in members.items():
            huge.writestr(member, content)
    with pytest.raises(ValueError, match=r"huge\.keras' declares a variable .* bytes"):
        keras.saving.load_model(tmp_path / "huge.keras")
    # What was refused leaves no limit behind.
    keras.Variable(keras.initializers.Zeros(), shape=(2**13, 2**11), dtype="float64")
