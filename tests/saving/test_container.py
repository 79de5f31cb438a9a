"""Zip archives, JSON and HDF5 files that are damaged or mean harm."""

import io
import os
import struct
import zipfile
import zlib

import h5py
import ml_dtypes
import numpy as np
import pytest

from multikeras.saving.atomic import Window
from multikeras.saving.container import CorruptFileError, ZipWriter, open_zip, parse_json
from multikeras.saving.hdf5 import create_hdf5, open_hdf5, write_array


def zip_of(*members, compression=zipfile.ZIP_STORED, change=None):
    """The bytes of an archive of (name, data) members; `change(info)` alters each listing."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = compression
            if change:
                change(info)
            archive.writestr(info, data)
    return buffer.getvalue()


def patched(data, field, value, member=0):
    """Overwrite one field of a member's entry in the listing at the end of an archive."""
    offset, kind = {
        "flags": (8, "<H"),
        "method": (10, "<H"),
        "crc": (16, "<I"),
        "compressed": (20, "<I"),
        "size": (24, "<I"),
        "start": (42, "<I"),
    }[field]
    data = bytearray(data)
    at = -1
    for _ in range(member + 1):
        at = data.index(b"PK\x01\x02", at + 1)
    struct.pack_into(kind, data, at + offset, value)
    return bytes(data)


def link(info):
    info.external_attr = 0o120777 << 16


def read_all(path):
    with open_zip(path) as archive:
        for name in archive.names:
            with archive.open(name) as member:
                member.read()
    return True


GOOD = zip_of(("a.json", b"{}"), ("b", b"b" * 1000))
DEFLATED = zip_of(("a", bytes(5_000_000)), compression=zipfile.ZIP_DEFLATED)

BAD_ZIPS = {
    "empty": (b"", "no zip archive"),
    "text": (b"this is no archive" * 10, "no zip archive"),
    "cut at the end": (GOOD[:-10], "no zip archive"),
    "cut in the middle": (GOOD[: len(GOOD) // 2], "no zip archive"),
    "cut at the start": (GOOD[60:], "refused|no zip archive"),
    "parent": (zip_of(("../a", b"")), r"'\.\./a' could lead out"),
    "parent inside": (zip_of(("x/../../a", b"")), "could lead out"),
    "absolute": (zip_of(("/etc/passwd", b"")), "could lead out"),
    "drive": (zip_of(("C:evil", b"")), "could lead out"),
    "backslash": (zip_of(("..\\evil", b"")), "could lead out"),
    "dot": (zip_of(("./a", b"")), "could lead out"),
    "double slash": (zip_of(("a//b", b"")), "could lead out"),
    "control character": (zip_of(("a\nb", b"")), "could lead out"),
    "link": (zip_of(("a", b"/etc/passwd"), change=link), "'a' is a link"),
    "encrypted": (patched(GOOD, "flags", 1), "'a.json' is encrypted"),
    "other compression": (patched(GOOD, "method", 12), "unexpected way"),
    "two sizes": (patched(GOOD, "size", 77), "two different sizes"),
    "wrong checksum": (patched(GOOD, "crc", 1), "'a.json' is damaged"),
    "changed content": (GOOD.replace(b"bbbb", b"bbcb", 1), "'b' is damaged"),
    "overlap": (patched(GOOD, "start", 0, member=1), "overlaps"),
    "beyond the end": (
        patched(patched(GOOD, "size", 2**20, 1), "compressed", 2**20, 1),
        "beyond the end",
    ),
    "bomb": (DEFLATED, "claims to unpack from"),
    "huge claim": (patched(DEFLATED, "size", 2**31), "claims to unpack"),
}


def _duplicated(name):
    with pytest.warns(UserWarning, match="Duplicate name"):
        return zip_of(("a", b"1"), (name, b"2"))


@pytest.mark.parametrize("case", BAD_ZIPS)
def test_bad_archives_are_refused(tmp_path, case):
    data, message = BAD_ZIPS[case]
    path = tmp_path / "file.keras"
    path.write_bytes(data)
    with pytest.raises(CorruptFileError, match=message) as caught:
        read_all(path)
    assert "file.keras" in str(caught.value)


def test_two_members_of_one_name_are_refused(tmp_path):
    path = tmp_path / "file.keras"
    path.write_bytes(_duplicated("a"))
    with pytest.raises(CorruptFileError, match="two members named 'a'"):
        read_all(path)
    path.write_bytes(zip_of(("a", b"1"), ("A", b"2")))
    with pytest.raises(CorruptFileError, match="two members named 'A'"):
        read_all(path)


def test_too_many_bytes_in_all_are_refused(tmp_path):
    path = tmp_path / "file.keras"
    path.write_bytes(zip_of(("a", bytes(600)), ("b", bytes(600))))
    with pytest.raises(CorruptFileError, match="unpack to 1200 bytes; the limit for it is 1000"):
        with open_zip(path, max_bytes=1000):
            pass


def test_no_cut_of_a_file_goes_unnoticed(tmp_path):
    path = tmp_path / "file.keras"
    for length in range(len(GOOD)):
        path.write_bytes(GOOD[:length])
        with pytest.raises(CorruptFileError):
            read_all(path)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_are_seekable(tmp_path, compression):
    content = np.random.default_rng(0).bytes(3_000_000)
    path = tmp_path / "file.keras"
    path.write_bytes(zip_of(("x/y", content), ("z", b"end"), compression=compression))
    with open_zip(path) as archive, archive.open("x/y") as member:
        assert member.seek(-10, os.SEEK_END) == len(content) - 10
        assert member.read() == content[-10:]
        member.seek(5)
        assert member.read(7) == content[5:12]
        assert archive.read("z", 10) == b"end"
        with pytest.raises(CorruptFileError, match="'z' has 3 bytes; the limit is 2"):
            archive.read("z", 2)
        with pytest.raises(CorruptFileError, match="no member 'w'; it has x/y, z"):
            archive.read("w", 10)


BAD_JSON = {
    "empty": (b"", "no valid JSON"),
    "cut": (b'{"a": [1, 2', "no valid JSON"),
    "not utf-8": (b'{"a": "\xff"}', "no valid JSON"),
    "deep lists": (b"[" * 100_000 + b"]" * 100_000, "nested too deep"),
    "deep dicts": (b'{"a":' * 300 + b"1" + b"}" * 300, "nested too deep"),
    "long number": (b"1" * 100_000, "no valid JSON"),
    "code": (b"__import__('os')", "no valid JSON"),
}


@pytest.mark.parametrize("case", BAD_JSON)
def test_bad_json_is_refused(case):
    data, message = BAD_JSON[case]
    with pytest.raises(CorruptFileError, match=message):
        parse_json(data, "config.json")


def test_nesting_up_to_the_limit_is_fine():
    assert parse_json(b"[" * 199 + b"]" * 199, "x") is not None


@pytest.mark.parametrize(
    "values",
    [
        np.arange(6, dtype="float32").reshape(2, 3),
        np.float64(2.5),
        np.array([], "int8").reshape(0, 4),
        np.array([True, False]),
        np.array([2**63], "uint64"),
        np.array([1 + 2j], "complex64"),
        np.array([[1.5, -2.0]], ml_dtypes.bfloat16),
        np.array(0.5, ml_dtypes.float8_e4m3fn),
        np.array([1.5], "float16"),
    ],
    ids=lambda v: f"{v.dtype}{v.shape}",
)
def test_arrays_come_back_from_inside_an_archive(tmp_path, values):
    path = tmp_path / "file.keras"
    with open(path, "w+b") as file, ZipWriter(file) as archive:
        archive.add("before", b"x" * 11)
        with archive.open("model.weights.h5") as window, create_hdf5(window) as h5:
            group = h5.create_group("layers/dense/vars")
            group.attrs["name"] = "dense \u00fc"
            write_array(group, "0", values)
        archive.add("after", "y")
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["before", "model.weights.h5", "after"]
    with open_zip(path) as archive, archive.open("model.weights.h5") as file:
        with open_hdf5(file, "file") as reader:
            group = reader.groups["layers/dense/vars"]
            assert group.name == "dense \u00fc"
            stored = group.arrays["0"]
            assert (stored.shape, stored.dtype) == (values.shape, values.dtype.name)
            back = stored.read()
    assert back.dtype == values.dtype
    np.testing.assert_array_equal(back, values)


def _external_link(h5):
    h5["a"] = h5py.ExternalLink("/etc/other.h5", "/x")


def _soft_link(h5):
    h5["real"] = np.zeros(3)
    h5["a"] = h5py.SoftLink("/real")


def _second_name(h5):
    h5["real"] = np.zeros(3)
    h5["a"] = h5["real"]


def _cycle(h5):
    group = h5.create_group("g/h")
    group["back"] = h5["g"]


def _external_storage(h5):
    h5.create_dataset("a", (4,), "f4", external=[("/etc/passwd", 0, 16)])


def _virtual(h5):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/other.h5", "x", (4,))
    h5.create_virtual_dataset("a", layout)


def _shape_bomb(h5):
    h5.create_dataset("a", (10**12,), "f4")


def _chunked_bomb(h5):
    h5.create_dataset("a", (10**12,), "f4", chunks=(1000,), compression="gzip")


def _chunk_bomb(h5):
    h5.create_dataset("a", (1,), "f4", chunks=(2**28,), maxshape=(None,))


def _unknown_filter(h5):
    h5.create_dataset("a", data=np.zeros(100), compression="lzf")


def _references(h5):
    h5.create_dataset("a", (2,), dtype=h5py.ref_dtype)


def _text(h5):
    h5.create_dataset("a", data=["text"], dtype=h5py.string_dtype())


def _opaque(h5):
    h5["a"] = np.zeros(3, "V5")


def _false_bfloat16(h5):
    h5["a"] = np.zeros(3, "V8")
    h5["a"].attrs["dtype"] = "bfloat16"


def _record(h5):
    h5["a"] = np.zeros(3, [("x", "f4"), ("y", "i4")])


def _no_space(h5):
    h5.create_dataset("a", data=h5py.Empty("f4"))


def _named_type(h5):
    h5["a"] = np.dtype("f4")


def _deep(h5):
    h5.create_group("/".join("g" * 150))


BAD_HDF5 = {
    "external link": (_external_link, "'a' is a link"),
    "soft link": (_soft_link, "'a' is a link"),
    "second name": (_second_name, "already has another name"),
    "cycle": (_cycle, "already has another name"),
    "external storage": (_external_storage, "values in another file"),
    "virtual": (_virtual, "virtual"),
    "shape bomb": (_shape_bomb, "claims 4000000000000 bytes"),
    "compressed shape bomb": (_chunked_bomb, "claims 4000000000000 bytes"),
    "chunk bomb": (_chunk_bomb, "claims"),
    "unknown filter": (_unknown_filter, "unknown filter 32000"),
    "references": (_references, "does not hold numbers"),
    "text": (_text, "does not hold numbers"),
    "opaque": (_opaque, "does not hold numbers"),
    "false bfloat16": (_false_bfloat16, "does not hold numbers"),
    "record": (_record, "does not hold numbers"),
    "no space": (_no_space, "has no shape"),
    "named type": (_named_type, "neither a group nor an array"),
    "deep": (_deep, "nested too deep"),
}


@pytest.mark.parametrize("case", BAD_HDF5)
def test_bad_hdf5_is_refused(tmp_path, case):
    make, message = BAD_HDF5[case]
    path = tmp_path / "model.weights.h5"
    with h5py.File(path, "w") as h5:
        make(h5)
    with open(path, "rb") as file, pytest.raises(CorruptFileError, match=message) as caught:
        with open_hdf5(file, str(path)):
            pass
    assert "model.weights.h5" in str(caught.value)


def test_a_byte_budget_is_kept(tmp_path):
    path = tmp_path / "model.weights.h5"
    with h5py.File(path, "w") as h5:
        h5["a"] = np.zeros(100)
        h5["b"] = np.zeros(100)
    with open(path, "rb") as file, pytest.raises(CorruptFileError, match="more than 1000 bytes"):
        with open_hdf5(file, "x", max_bytes=1000):
            pass


def test_a_cut_hdf5_file_never_gives_values(tmp_path):
    path = tmp_path / "model.weights.h5"
    with h5py.File(path, "w") as h5:
        for i in range(3):
            h5[f"layers/dense/vars/{i}"] = np.arange(200.0) + i
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with open(path, "rb") as file, pytest.raises(CorruptFileError):
            with open_hdf5(file, "x") as reader:
                for group in reader.groups.values():
                    for array in group.arrays.values():
                        array.read()


def test_compressed_arrays_of_other_writers_are_read(tmp_path):
    path = tmp_path / "model.weights.h5"
    values = np.arange(10_000.0)
    with h5py.File(path, "w") as h5:
        h5.create_dataset("a", data=values, compression="gzip", shuffle=True, fletcher32=True)
    with open(path, "rb") as file, open_hdf5(file, "x") as reader:
        np.testing.assert_array_equal(reader.groups[""].arrays["a"].read(), values)


class FullDisk(io.BytesIO):
    def __init__(self, room):
        super().__init__()
        self.room = room

    def write(self, data):
        if self.tell() + len(data) > self.room:
            raise OSError(28, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("room", [0, 100, 1000, 3000, 5000, 50_000, 90_000])
def test_a_full_disk_is_reported_as_such(room):
    window = Window(FullDisk(room), 0)
    with pytest.raises(OSError, match="No space left"):
        with create_hdf5(window) as h5:
            for i in range(10):
                group = h5.create_group(f"layers/dense_{i}/vars")
                write_array(group, "0", np.zeros((50, 50)))


def test_a_checksum_is_written(tmp_path):
    path = tmp_path / "file.keras"
    with open(path, "w+b") as file, ZipWriter(file) as archive, archive.open("m") as window:
        window.write(b"abc" * 1000)
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("m").CRC == zlib.crc32(b"abc" * 1000)
        assert archive.getinfo("m").file_size == 3000
