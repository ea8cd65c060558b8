"""A CSV of the study: read back whole, also after a spreadsheet saved it again."""

import contextlib
import csv
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actmax_lib.study.records import COLUMNS, RecordError, chained, read, write
from actmax_lib.study.session import load_design, schedule
from tests.study.sessions import DESIGN, answers, file, played, requoted, table

TRIALS = len(schedule(5, "matching", "short", DESIGN))
GOOD = played()


def slow_crc(data: bytes) -> int:
    """CRC-32 bit by bit (polynomial 0xEDB88320), as the standard defines it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xEDB88320 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test_the_columns_are_those_of_the_contract():
    assert ",".join(COLUMNS) == (
        "version,stimuli,mode,length,session,seed,trial,of,phase,condition,unit,batch,level,side,"
        "answer,confidence,correct,rt_ms,check"
    )
    assert GOOD.splitlines()[0] == ",".join(COLUMNS)


def test_the_check_is_a_chained_crc():
    previous = ""
    for row in table(GOOD)[1:]:
        text = previous + "," + ",".join(row[:-1])
        assert row[-1] == f"x{slow_crc(text.encode()):08x}"
        previous = row[-1]
    assert slow_crc(b"123456789") == 0xCBF43926  # the check value of CRC-32
    assert chained("123456789", [])[1:] == "cbf43926"


@pytest.mark.parametrize("mode", ["matching", "occlusion"])
@pytest.mark.parametrize("length", ["short", "full"])
def test_what_was_answered_is_read_back(tmp_path, mode, length):

    def right(trial):
        return trial.index % 3 > 0

    text = played(2**32 - 1, mode, length, right=right)
    found = read(file(tmp_path, text), DESIGN)
    assert (found.id, found.mode, found.length, found.seed) == (
        "s0000002a", mode, length, 2**32 - 1,
    )  # fmt: skip
    assert [a.trial for a in found.answers] == list(schedule(2**32 - 1, mode, length, DESIGN))
    given = answers(2**32 - 1, mode, length, right=right)
    assert [(a.answer, a.confidence, a.rt_ms) for a in found.answers] == given
    assert [a.correct for a in found.answers] == [right(a.trial) for a in found.answers]
    assert [list(row) for row in found.rows] == table(text)[1:]


SAVED_AGAIN = {
    "byte order mark": "\ufeff" + GOOD,
    "CRLF": GOOD.replace("\n", "\r\n"),
    "old Macintosh": GOOD.replace("\n", "\r"),
    "no last line ending": GOOD.rstrip("\n"),
    "blank lines": "\n" + GOOD.replace("\n", "\n\n", 3) + "\n\n  \n",
    "blank cells": GOOD.replace("\n", ",,\n") + "," * 20 + "\n",
    "quoted": requoted(GOOD, quoting=csv.QUOTE_ALL),
    "only text quoted": requoted(GOOD, quoting=csv.QUOTE_NONNUMERIC),
    "semicolons": requoted(GOOD, delimiter=";"),
    "tabs": requoted(GOOD, delimiter="\t"),
    "spaces": GOOD.replace(",", ", "),
    "UTF-16": GOOD.encode("utf-16"),
    "all at once": ("\ufeff" + requoted(GOOD, delimiter=";", quoting=csv.QUOTE_ALL)).encode(),
}


@pytest.mark.parametrize("how", SAVED_AGAIN)
def test_saved_again_by_a_spreadsheet(tmp_path, how):
    assert read(file(tmp_path, SAVED_AGAIN[how]), DESIGN).rows == tuple(map(tuple, table(GOOD)[1:]))


def test_the_books_stimuli_are_no_number_to_a_spreadsheet():
    """It would write 12e45678 as 1.2E+45679, and every file would be one of other stimuli."""
    assert not re.fullmatch(r"[0-9]+(e[0-9]+)?", load_design().stimuli)


@settings(max_examples=150)
@given(
    at=st.integers(0, len(GOOD.encode()) - 1),
    what=st.sampled_from(["change", "insert", "remove", "swap"]),
    byte=st.integers(0, 255),
)
def test_any_one_damage_is_found_or_harmless(tmp_path_factory, at, what, byte):
    """A byte changed, put in, lost, or two swapped: the same answers, or a RecordError."""
    raw = bytearray(GOOD.encode())
    if what == "change":
        raw[at] = byte
    elif what == "insert":
        raw.insert(at, byte)
    elif what == "remove":
        del raw[at]
    else:
        raw[at : at + 2] = raw[at : at + 2][::-1]
    path = file(tmp_path_factory.getbasetemp(), bytes(raw), "damaged.csv")
    with contextlib.suppress(RecordError):
        assert [list(row) for row in read(path, DESIGN).rows] == table(GOOD)[1:]


def test_write_says_what_is_wrong():
    how = {"session": "s0000002a", "seed": 5, "mode": "matching", "length": "short"}
    for given_answers, told in (
        ([("up", 1, 0)], "answer 'up'"),
        ([("left", 4, 0)], "confidence 4"),
        ([("left", 1, -1)], "rt_ms"),
        ([("left", 1, 0)] * (TRIALS + 1), f"{TRIALS + 1} answers for {TRIALS}"),
    ):
        with pytest.raises(ValueError, match=told):
            write(given_answers, **how, design=DESIGN)
    with pytest.raises(ValueError, match="session must be"):
        write([], **(how | {"session": "ada"}), design=DESIGN)
