"""The wire takes anything from the other side and gives back data or a WireError, nothing else."""

import contextlib
import json
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from classroom.wire import DEPTH, WireError, changed, decode, encode, snapshot

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)
json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("tdcagfx"), inner, max_size=2)
    ),
    max_leaves=15,
)


def same(a, b):
    """Equal in value and type, not-a-numbers included."""
    if type(a) is not type(b):
        return False
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    return a == b or (isinstance(a, float) and math.isnan(a) and math.isnan(b))


@given(plain)
@settings(deadline=None)
def test_data_come_back_as_they_were(value):
    assert same(decode(encode(value)), value)


@given(
    arrays.arrays(
        st.sampled_from(["<f8", ">f4", "<i8", "|u1", "|b1", "<c16", "<U5"]),
        arrays.array_shapes(min_dims=0, min_side=0),
    )
)
@settings(deadline=None)
def test_arrays_come_back_as_they_were(value):
    back = decode(encode(value))
    assert (back.dtype, back.shape) == (value.dtype, value.shape)
    assert back.tobytes() == np.ascontiguousarray(value).tobytes()
    assert back.flags.writeable


@given(json_like)
@settings(deadline=None, max_examples=300)
def test_any_json_is_data_or_refused(value):
    with contextlib.suppress(WireError):
        decode(json.dumps(value).encode())


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_are_data_or_refused(content):
    with contextlib.suppress(WireError):
        decode(content)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"\xff\xfe", b"[" * 10**6, b'{"t":' * 10**5, b'{"d":[1]}', b'{"c":[1]}',
        b'{"a":["<f8",[3],"AAAA"]}',  # fewer bytes than its shape says
        b'{"a":["<f8",[60000000,60000000],""]}',
        b'{"a":["<f8",[-1],"AAAAAAAAAAA="]}',
        b'{"a":["<f8",[true],"AAAAAAAAAAA="]}',
        b'{"a":["<f8",[1.0],"AAAAAAAAAAA="]}',
        b'{"a":["|O",[1],"AAAAAAAAAAA="]}', b'{"a":["<i3",[1],"AAAA"]}',
        b'{"a":["<V8",[1],"AAAAAAAAAAA="]}', b'{"a":["f8,f8",[1],"AAAAAAAAAAA="]}',
        b'{"a":["<f8",[1],"not base64"]}', b'{"a":[[],[],[]]}', b'{"a":null}',
        b'{"a":["<U0",[60000000,60000000],""]}',
        b'{"g":{"bit_generator":"PCG64"}}', b'{"f":0}', b'{"x":1}', b'{"t":1,"d":{}}', b"{}",
        b"1" * 10_000,
    ],
)  # fmt: skip
def test_forged_messages_are_refused(content):
    began = time.monotonic()
    with pytest.raises(WireError):
        decode(content)
    assert time.monotonic() - began < 2


def test_what_is_no_data_is_refused():
    deep = []
    for _ in range(DEPTH + 1):
        deep = [deep]
    bad = [
        object(), print, lambda: 0, {1: 2}, {"x": b"bytes"}, deep, np.array([object()]), iter([]),
        np.random.default_rng(0), np.zeros(5_000_000), np.zeros(2, "M8[s]"), 10**10_000,
    ]  # fmt: skip
    for value in bad:
        with pytest.raises(WireError):
            encode(value)
    assert decode(encode({2, 1})) == [1, 2]
    assert decode(encode(np.float64(2.5))) == 2.5


def test_an_object_that_lies_is_refused():
    class Liar:
        __class__ = list

        def __iter__(self):
            raise KeyboardInterrupt if False else RuntimeError

        def __len__(self):
            raise RuntimeError

    class Long(list):
        def __iter__(self):
            return iter([1])

    with pytest.raises(WireError):
        encode(Liar())
    assert decode(encode(Long())) == [1]


def test_a_change_in_place_is_seen_and_only_then():
    x, inner = np.zeros(3), {"y": np.array([np.nan])}
    before = snapshot((x, inner, np.random.default_rng(0), print), {"z": x})
    assert changed(before, (x, inner, np.random.default_rng(1), print), {"z": x}) == ""
    inner["y"][0] = 1
    assert changed(before, (x, inner), {"z": x}) == "2"
    inner["y"] = object()
    assert changed(before, (x, inner), {"z": x})


def test_generators_and_functions_are_for_those_who_ask_for_them():
    made = np.random.default_rng(3)
    held = encode({"r": made, "f": print}, [])
    assert decode(held, lambda number: number)["r"].random() == made.random()
    for value in (np.random.default_rng(3), print):
        with pytest.raises(WireError, match="unknown tag"):
            decode(encode(value, []))
        with pytest.raises(WireError, match="unknown tag"):
            decode(encode([value], []))


def test_a_message_may_be_so_long_and_no_longer(monkeypatch):
    monkeypatch.setattr("classroom.wire.LIMIT", 100)
    assert decode(b'"' + b"x" * 98 + b'"') == "x" * 98
    with pytest.raises(WireError, match="101 bytes are too many; the limit is 100"):
        decode(b'"' + b"x" * 99 + b'"')
    assert len(encode("x" * 98)) == 100
    with pytest.raises(WireError, match="101 bytes are too many"):
        encode("x" * 99)
