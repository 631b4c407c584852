"""The model file: exact, atomic, and one clear error for whatever is not one."""

import contextlib
import json
import os
import pickle
import struct
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save as save_as_others_do

from fitwell import files
from fitwell.errors import InvalidArgument, InvalidFile

TYPES = "bool int8 uint8 int16 uint16 int32 uint32 int64 uint64 float16 float32 float64 complex64"
HEADER = {"layers": [{"class": "layers.Dense", "args": {"units": 3}}], "note": "Größe 大"}


def example_arrays():
    generator = np.random.default_rng(0)
    arrays = {name: generator.integers(0, 2, (2, 3)).astype(name) for name in TYPES.split()}
    key = np.asarray(jax.random.key_data(jax.random.key(7)))
    return arrays | {
        "bfloat16": np.asarray(jnp.arange(6, dtype=jnp.bfloat16).reshape(3, 2)),
        "key": key,
        "scalar": np.float32(2.5),
        "empty": np.zeros((0, 4), np.float32),
        "not a number": np.array([np.nan, np.inf, -0.0], np.float32),
        "名/kernel": np.ones((1, 2, 1), np.int8),
    }


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A small file and its bytes."""
    path = tmp_path_factory.mktemp("files") / "model.safetensors"
    files.write(path, HEADER, {"kernel": np.arange(6, dtype=np.float32).reshape(2, 3)})
    return path, path.read_bytes()


@contextlib.contextmanager
def as_a_user_without_rights():
    """Permissions do not bind root: become nobody for a moment."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def same_bits(a, b):
    return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())


def test_every_type_and_shape_comes_back_to_the_last_bit(tmp_path):
    arrays = example_arrays()
    files.write(tmp_path / "m", HEADER, arrays)
    header, found = files.read(tmp_path / "m")
    assert {k: header[k] for k in HEADER} == HEADER
    assert header["format"] == 1
    assert isinstance(header["library"], str)
    assert set(found) == set(arrays)
    assert all(same_bits(found[name], np.asarray(arrays[name])) for name in arrays)


def test_the_safetensors_library_reads_the_same_numbers(tmp_path):
    arrays = example_arrays()
    files.write(tmp_path / "m", HEADER, arrays)
    with safe_open(tmp_path / "m", framework="numpy") as file:
        assert json.loads(file.metadata()["fitwell"])["note"] == "Größe 大"
        assert all(same_bits(file.get_tensor(n), np.asarray(a)) for n, a in arrays.items())


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3).T,
        np.arange(6.0)[::2],
        np.arange(6.0)[::-1],
        np.arange(6).astype(">i4"),
        jnp.arange(3.0),
    ],
    ids=["transposed", "strided", "reversed", "big-endian", "jax"],
)
def test_the_layout_in_memory_does_not_matter(tmp_path, array):
    files.write(tmp_path / "m", {}, {"a": array})
    np.testing.assert_array_equal(files.read(tmp_path / "m")[1]["a"], np.asarray(array))


def test_a_file_without_arrays_and_numbers_that_are_not_finite(tmp_path):
    files.write(tmp_path / "m", {"history": {"loss": [1.0, float("nan"), float("inf")]}}, {})
    header, arrays = files.read(tmp_path / "m")
    np.testing.assert_array_equal(header["history"]["loss"], [1.0, np.nan, np.inf])
    assert arrays == {}


@settings(max_examples=300, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
def test_a_changed_byte_is_an_error_or_changes_nothing(saved, place, value):
    path, content = saved
    position = int(place * len(content))
    damaged = path.with_name("damaged")
    damaged.write_bytes(content[:position] + bytes([value]) + content[position + 1 :])
    original_header, original_arrays = files.read(path)
    try:
        header, arrays = files.read(damaged)
    except InvalidFile:
        return
    assert header == original_header  # the same byte, or another kind of blank in the padding
    assert same_bits(arrays["kernel"], original_arrays["kernel"])


def test_every_flipped_bit_is_found(saved):
    path, content = saved
    damaged = path.with_name("damaged")
    for position in range(len(content)):
        flipped = content[position] ^ (1 << position % 8)
        damaged.write_bytes(content[:position] + bytes([flipped]) + content[position + 1 :])
        with pytest.raises(InvalidFile):
            files.read(damaged)


@settings(max_examples=100, deadline=None)
@given(length=st.floats(0, 1, exclude_max=True), tail=st.binary(max_size=20))
def test_a_truncated_or_continued_file_is_an_error(saved, length, tail):
    path, content = saved
    damaged = path.with_name("damaged")
    for kept in (content[: int(length * len(content))], content + tail + b"\0"):
        damaged.write_bytes(kept)
        with pytest.raises(InvalidFile, match="damaged or of another kind"):
            files.read(damaged)


def raw(header, data=b"", length=None):
    """A safetensors file by hand; `header` is bytes or what `json.dumps` takes."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def with_header(text):
    """A whole file with a right checksum around any text in the place of the header."""
    facts = {"fitwell": text, "checksum": files._checksum(text, {})}
    return raw({"__metadata__": facts})


def tensor(shape, offsets, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


class Bomb:
    def __reduce__(self):
        return os.mkdir, (os.environ["BOMB"],)


GIGANTIC = {"a": tensor([2**33], [0, 2**35])}
OVERLAPPING = {"a": tensor([2], [0, 8]), "b": tensor([2], [4, 12])}
TWICE = b'{"a":%b,"a":%b}' % tuple(
    json.dumps(tensor([1], offsets)).encode() for offsets in ([0, 4], [4, 8])
)
DAMAGED = {
    "empty": b"",
    "four bytes": b"abcd",
    "text": b"age,fare\n1,2\n",
    "pickle": pickle.dumps({"a": 1}),
    "png": b"\x89PNG\r\n\x1a\n" + bytes(64),
    "huge length": raw({}, length=2**62),
    "long length": raw({}, length=90_000_000),
    "no object": raw([1]),
    "deep nesting": raw(b'{"a":' + b"[" * 100_000),
    "overlap": raw(OVERLAPPING, bytes(12)),
    "out of range": raw({"a": tensor([20], [0, 80])}, bytes(8)),
    "offsets backwards": raw({"a": tensor([2], [8, 0])}, bytes(8)),
    "gigantic shape": raw(GIGANTIC, bytes(8)),
    "overflowing shape": raw({"a": tensor([2**40, 2**40], [0, 8])}, bytes(8)),
    "gigantic empty shape": raw({"__metadata__": {"fitwell": '{"format": 1}'}}
                                | {"a": tensor([0, 2**62], [0, 0])}),
    "negative shape": raw({"a": tensor([-1], [0, 0])}),
    "unknown type": raw({"a": tensor([1], [0, 4], "F31")}, bytes(4)),
    "one name twice": raw(TWICE, bytes(8)),
    "deep header": with_header("[" * 100_000),
    "header is no JSON": with_header("{units: 3}"),
    "header is a list": with_header("[1, 2]"),
    "header is a number": with_header("1e999"),
    "header is a huge number": with_header("1" * 10_000),
    "header gives a name twice": with_header('{"format": 1, "a": {"b": 1, "b": 2}}'),
    "header without format": with_header("{}"),
    "format of text": with_header('{"format": "1"}'),
    "format true": with_header('{"format": true}'),
    "format zero": with_header('{"format": 0}'),
}  # fmt: skip


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_and_hostile_files_give_one_error(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(InvalidFile) as caught:
        files.read(path)
    message = str(caught.value)
    assert message.startswith(
        f"model file {str(path)!r}: expected a safetensors file that fitwell saved, "
        "received a file that is damaged or of another kind ("
    )
    assert message.endswith("Use another copy of the file, or save the model again.")
    assert len(message) < 600


def test_a_pickle_is_not_run(tmp_path, monkeypatch):
    monkeypatch.setenv("BOMB", str(tmp_path / "exploded"))
    path = tmp_path / "model.safetensors"
    for content in (pickle.dumps(Bomb()), raw({}, pickle.dumps(Bomb()))):
        path.write_bytes(content)
        with pytest.raises(InvalidFile):
            files.read(path)
    assert not (tmp_path / "exploded").exists()
    pickle.loads(pickle.dumps(Bomb()))
    assert (tmp_path / "exploded").exists()  # the bomb would have worked


MEASURE = """
import pathlib, resource, sys
from fitwell import errors, files
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
for path in pathlib.Path(sys.argv[1]).iterdir():
    try: files.read(path)
    except errors.InvalidFile: pass
print(peak() - before)
"""


def test_hostile_files_do_not_take_memory(tmp_path):
    for number, content in enumerate(DAMAGED.values()):
        (tmp_path / f"{number}.safetensors").write_bytes(content)
    command = [sys.executable, "-c", MEASURE, str(tmp_path)]
    kilobytes = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert int(kilobytes) < 100_000


def refusal(call, *arguments, error=InvalidFile):
    with pytest.raises(error) as caught:
        call(*arguments)
    return str(caught.value)


def test_messages_of_read(tmp_path, saved):
    path = tmp_path / "m.safetensors"
    expected = f"model file {str(path)!r}: expected "
    assert refusal(files.read, path) == (
        f"{expected}a file that fitwell saved, received no file of that name. Check the path."
    )
    path.mkdir()
    assert refusal(files.read, path) == (
        f"{expected}a file that fitwell saved, received a folder. Check the path."
    )
    path.rmdir()
    path.write_bytes(save_as_others_do({"a": np.ones(2, np.float32)}, {"format": "pt"}))
    assert refusal(files.read, path) == (
        f"{expected}a file that fitwell saved, received a safetensors file of another program. "
        "Build the model and pass it the arrays with set_weights."
    )
    path.write_bytes(with_header('{"format": 2, "library": "9.1"}'))
    assert refusal(files.read, path) == (
        f"{expected}format 1, received format 2, written by fitwell 9.1. "
        "Install a newer fitwell to read it."
    )
    content = bytearray(saved[1])
    content[-1] ^= 1
    path.write_bytes(content)
    assert refusal(files.read, path) == (
        f"{expected}the numbers that were saved, received others (the checksum does not match). "
        "The file was damaged. Use another copy of the file, or save the model again."
    )
    path.chmod(0)
    with as_a_user_without_rights():
        message = refusal(files.read, path)
    assert message == (
        f"{expected}a file you may read, received permission denied. "
        "Change its permissions or read a copy."
    )


def test_messages_of_write(tmp_path):
    arrays = {"a": np.ones(2)}
    path = tmp_path / "none" / "m"
    assert refusal(files.write, path, {}, arrays) == (
        f"save to {str(path)!r}: expected a folder that exists, "
        f"received {str(path.parent)!r}, which is none. Make the folder first."
    )
    assert refusal(files.write, tmp_path, {}, arrays) == (
        f"save to {str(tmp_path)!r}: expected the path of a file, received a folder. "
        "Add a file's name to the path."
    )
    with as_a_user_without_rights():
        message = refusal(files.write, "/m.safetensors", {}, arrays)
    assert message.startswith(
        "save to '/m.safetensors': expected a place that can be written to, received [Errno 13]"
    )
    assert message.endswith("Choose another place, or make room and allow writing there.")


@pytest.mark.parametrize(
    ("header", "arrays", "message"),
    [
        (
            {},
            {"a": np.array([None])},
            "save: expected arrays of numbers (at most 64 bits for a number), "
            "received 'a' of type object. Turn it into numbers, or leave it out.",
        ),
        (
            {},
            {"a": np.array(["x"])},
            "save: expected arrays of numbers (at most 64 bits for a number), "
            "received 'a' of type <U1. Turn it into numbers, or leave it out.",
        ),
        (
            {},
            {"__metadata__": np.ones(2)},
            "save: expected names that safetensors does not use, received '__metadata__'. "
            "Give the array another name.",
        ),
        (
            {"a": {1, 2}},
            {},
            "save: expected a header of strings, numbers, lists and dicts, received something else "
            "(Object of type set is not JSON serializable). "
            "Turn it into one of those, or leave it out.",
        ),
    ],
    ids=["objects", "text", "reserved name", "set"],
)
def test_what_cannot_be_saved_is_said_and_leaves_no_file(tmp_path, header, arrays, message):
    assert refusal(files.write, tmp_path / "m", header, arrays, error=InvalidArgument) == message
    assert list(tmp_path.iterdir()) == []


def test_a_header_that_no_reader_takes_is_not_written(tmp_path):
    header = {"a": "x" * 100_000_000}
    message = refusal(files.write, tmp_path / "m", header, {}, error=InvalidArgument)
    assert message.startswith("save: expected a header of at most 100,000,000 bytes, received 100,")
    assert message.endswith(" bytes. Leave out what the file does not need.")
    assert list(tmp_path.iterdir()) == []


def test_an_old_file_survives_a_failed_save(tmp_path):
    files.write(tmp_path / "m", {"n": 1}, {"a": np.ones(2)})
    with pytest.raises(InvalidArgument):
        files.write(tmp_path / "m", {"n": {2}}, {})
    assert files.read(tmp_path / "m")[0]["n"] == 1


def test_a_link_stays_a_link_and_permissions_follow_the_umask(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "m")
    files.write(tmp_path / "link", {"n": 1}, {})
    (tmp_path / "plain").touch()
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "m").stat().st_mode == (tmp_path / "plain").stat().st_mode


WRITER = """
import sys, numpy as np
from fitwell import files
n = 0
while True:
    n += 1
    files.write(sys.argv[1], {"n": n}, {"a": np.full(300_000, n, np.float32)})
    if n == 1: print("go", flush=True)
"""


def test_a_kill_at_any_moment_leaves_a_whole_file(tmp_path):
    path = tmp_path / "m"
    counts = []
    for wait in (0.0, 0.013, 0.029):
        command = [sys.executable, "-c", WRITER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "go\n"
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(wait)
            process.kill()
        header, arrays = files.read(path)
        counts.append(header["n"])
        np.testing.assert_array_equal(arrays["a"], np.full(300_000, header["n"], np.float32))
    assert min(counts) >= 1
