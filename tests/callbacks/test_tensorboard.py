"""Event files, read back by a reader of their documented layout."""

import json
import struct
import zlib

import numpy as np
import pytest

from multikeras import callbacks as C
from multikeras import layers, models
from multikeras.callbacks.event_file import crc32c
from multikeras.optimizers import SGD
from multikeras.variables import Variable


def records(path):
    data = path.read_bytes()
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        yield data[12 : 12 + length]
        for part, check in ((data[:8], data[8:12]), (data[12 : 12 + length], data[12 + length :])):
            crc = crc32c(part)
            masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
            assert struct.unpack("<I", check[:4]) == (masked,)
        data = data[16 + length :]


def fields(message):
    """(number, value) of the fields of a message in Protocol Buffers' wire format."""

    def varint(at):
        number = shift = 0
        while True:
            byte = message[at]
            number |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                return number, at

    at, found = 0, []
    while at < len(message):
        key, at = varint(at)
        if key & 7 == 0:
            value, at = varint(at)
        else:
            length = {1: 8, 5: 4}.get(key & 7)
            if length is None:
                length, at = varint(at)
            value, at = message[at : at + length], at + length
        found.append((key >> 3, value))
    return found


def events(folder):
    """{tag: [(step, value)]} of the one event file in a folder."""
    (path,) = folder.iterdir()
    found = {}
    for event in map(dict, map(fields, records(path))):
        for _, value in fields(event.get(5, b"")):
            parts = dict(fields(value))
            if 2 in parts:
                number = struct.unpack("<f", parts[2])[0]
            else:  # an image, a histogram, a tensor
                number = dict(fields(next(parts[n] for n in (4, 5, 8) if n in parts)))
            found.setdefault(parts[1].decode(), []).append((event[2], number))
    return found


def png(data):
    """Width, height and rows of a grey picture whose rows are not filtered."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        body = data[at + 4 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length]) == (zlib.crc32(body),)
        chunks[body[:4]] = body[4:]
        at += 12 + length
    width, height, depth, kind = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, kind) == (8, 0)
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    return width, height, rows[:, 1:].tolist()


class Model:
    def __init__(self):
        self.weights = [Variable([1.0, 2.0, 4.0], name="v")]
        self.optimizer = SGD(0.5)
        self.optimizer.build(self.weights)


def play(**options):
    calls = C.CallbackList(C.TensorBoard(**options), model=Model())
    calls.on_train_begin()
    for epoch in range(2):
        calls.on_epoch_begin(epoch)
        for batch in range(3):
            calls.on_train_batch_end(batch, {"loss": batch + 3.0 * epoch})
        calls.on_test_end({"loss": 7.0})
        calls.on_epoch_end(epoch, {"loss": 0.5, "val_loss": 0.25, "f1": np.ones(2)})
    calls.on_train_end()


def test_epochs(tmp_path):
    play(log_dir=tmp_path, write_steps_per_second=True)
    train = events(tmp_path / "train")
    assert train.pop("epoch_steps_per_second") == [(0, 0.0), (1, 0.0)]
    assert train == {
        "epoch_loss": [(0, 0.5), (1, 0.5)],
        "epoch_learning_rate": [(0, 0.5), (1, 0.5)],
    }
    assert events(tmp_path / "validation") == {"epoch_loss": [(0, 0.25), (1, 0.25)]}


@pytest.mark.parametrize(("every", "steps"), [("batch", [0, 1, 2, 3, 4, 5]), (2, [1, 3, 5])])
def test_batches(tmp_path, every, steps):
    play(log_dir=tmp_path, update_freq=every)
    assert events(tmp_path / "train")["batch_loss"] == [(s, float(s)) for s in steps]


def test_histograms(tmp_path):
    play(log_dir=tmp_path, histogram_freq=2)
    ((step, parts),) = events(tmp_path / "train")["v"]
    numbers = [struct.unpack("<d", parts[n])[0] for n in range(1, 6)]
    assert step == 0 and numbers == [1.0, 4.0, 3.0, 7.0, 21.0]
    assert np.frombuffer(parts[7], "<f8").sum() == 3 and len(parts[6]) == len(parts[7])


def test_images(tmp_path):
    play(log_dir=tmp_path, histogram_freq=1, write_images=True)
    (_, first), (step, _) = events(tmp_path / "train")["v/image"]
    assert (step, first[1], first[2], first[3]) == (1, 1, 3, 1)
    assert png(first[4]) == (3, 1, [[0, 85, 255]])  # of 1, 2 and 4, the least is black


def test_the_graph_of_the_model_stands_there_once(tmp_path):
    model = models.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    data = np.ones((4, 2)), np.ones((4, 1))
    for name, options in (("with", {}), ("without", {"write_graph": False})):
        board = C.TensorBoard(tmp_path / name, update_freq="batch", **options)
        model.fit(*data, epochs=2, verbose=0, callbacks=[board])
    assert "keras" not in events(tmp_path / "without" / "train")
    ((step, tensor),) = events(tmp_path / "with" / "train")["keras"]
    assert (step, tensor[1]) == (0, 7)
    assert json.loads(tensor[8])["class_name"] == "Sequential"


def test_evaluation(tmp_path):
    calls = C.CallbackList(C.TensorBoard(tmp_path), model=Model())
    calls.on_test_begin()
    calls.on_test_end({"loss": 2.0})
    assert events(tmp_path / "validation") == {"evaluation_loss_vs_iterations": [(0, 2.0)]}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"profile_batch": 2}, "profile_batch=2 is not supported"),
        ({"embeddings_freq": 1}, "embeddings_freq"),
        ({"update_freq": "hour"}, "update_freq must be"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(ValueError, match=message):
        C.TensorBoard(**options)
