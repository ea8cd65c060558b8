"""Files that do not count: every fault is found and has its own words."""

import csv
import json
import random

import pytest

from actmax_lib.study.records import COLUMNS, RecordError, read
from actmax_lib.study.session import schedule
from actmax_lib.study.table import LIMIT
from tests.study.sessions import DESIGN, file, forged, joined, played, refused, requoted, table

TRIALS = len(schedule(5, "matching", "short", DESIGN))
GOOD = played()


@pytest.mark.parametrize("text", ["", "\n\n", " \r\n", "\ufeff", ",,,\n"])
def test_empty(tmp_path, text):
    refused(tmp_path, text, "empty", "is empty")


def test_not_there_and_not_a_file(tmp_path):
    for path, told in ((tmp_path / "none.csv", "is not there"), (tmp_path, "is a folder")):
        with pytest.raises(RecordError, match=told) as caught:
            read(path, DESIGN)
        assert caught.value.kind == "unreadable"


def test_not_text(tmp_path):
    refused(tmp_path, b"PK\x03\x04 rest of a workbook", "not text", "workbook.*save it as CSV")
    refused(tmp_path, b"\x89PNG\r\n\x1a\n", "not text", r"not UTF-8 text \(byte 0\)")
    refused(tmp_path, GOOD.encode().replace(b"left", b"l\xe9ft"), "not text", "not UTF-8")
    refused(tmp_path, GOOD.replace("left", "\0\0\0\0"), "not text", "zero bytes")


def test_too_large(tmp_path):
    refused(tmp_path, GOOD + "\n" * LIMIT, "too large", f"larger than {LIMIT} bytes")
    assert read(file(tmp_path, GOOD + "\n" * (LIMIT - len(GOOD))), DESIGN)


@pytest.mark.parametrize(
    "text", ["name,grade\nAda,1\n", "<!doctype html>\n<p>login</p>", "hello", json.dumps({"a": 1})]
)
def test_not_a_csv_of_this_study(tmp_path, text):
    refused(tmp_path, text, "not a record", "not a CSV of this study: its first line is")


def test_not_a_csv_at_all(tmp_path):
    refused(tmp_path, 'version,"mo"de\n', "not a record", "is not CSV", 1)


def test_the_header_is_gone(tmp_path):
    refused(tmp_path, GOOD.partition("\n")[2], "not a record", "its first line is '1,ab12cd34")


def test_a_column_was_added_removed_or_moved(tmp_path):
    rows = table(GOOD)
    named = joined([[*row, "name" if k == 0 else "Ada"] for k, row in enumerate(rows)])
    refused(tmp_path, named, "damaged", r"other columns \(added: name\)", 1)
    less = joined([row[:5] + row[6:] for row in rows])
    refused(tmp_path, less, "damaged", r"missing: seed\)")
    moved = joined([row[1:] + row[:1] for row in rows])
    refused(tmp_path, moved, "damaged", "in another order")


def test_another_version_or_other_stimuli(tmp_path):
    refused(
        tmp_path, forged(GOOD, version="2"), "another version", "version '2'; this book's is '1'"
    )
    newer = joined([["version", "stimuli", "colour"], ["2", "ab12cd34", "red"]])
    refused(tmp_path, newer, "another version", "has version '2'", 2)
    refused(tmp_path, forged(GOOD, stimuli="1.2E+45"), "other stimuli", "1.2E.45.*'ab12cd34'")


@pytest.mark.parametrize("count", [1, TRIALS // 2, TRIALS - 1])
def test_stopped_before_the_end(tmp_path, count):
    told = f"{count} of {TRIALS} trials"
    refused(tmp_path, played(count=count), "truncated", told, count + 1)


def test_only_a_header(tmp_path):
    refused(tmp_path, ",".join(COLUMNS) + "\n", "truncated", "a header and no answer")
    refused(tmp_path, "version,stimuli,mo", "truncated", "ends inside its header")


def test_cut_at_every_byte(tmp_path):
    """Whatever is cut off the end is found; no shorter file counts."""
    whole = read(file(tmp_path, GOOD), DESIGN).rows
    draw = random.Random(0)
    tail = range(len(GOOD) - 250, len(GOOD) - 1)
    for end in [*draw.sample(range(1, len(GOOD)), 60), *tail]:
        with pytest.raises(RecordError) as caught:
            read(file(tmp_path, GOOD[:end]), DESIGN)
        assert caught.value.kind == "truncated", (end, caught.value)
    assert read(file(tmp_path, GOOD[:-1]), DESIGN).rows == whole


def test_cut_inside_a_quoted_cell(tmp_path):
    text = requoted(GOOD, quoting=csv.QUOTE_ALL)[:-5]
    refused(tmp_path, text, "truncated", "inside a quoted cell")


def test_a_row_in_the_middle_is_cut_or_two_are_one(tmp_path):
    lines = GOOD.splitlines(keepends=True)
    cut = "".join([*lines[:5], lines[5][:40] + "\n", *lines[6:]])
    refused(tmp_path, cut, "truncated", "a row is cut: ", 6)
    glued = "".join([*lines[:5], lines[5].replace("\n", ","), *lines[6:]])
    refused(tmp_path, glued, "damaged", "a row has 38 cells, not 19", 6)


def test_a_row_is_repeated(tmp_path):
    lines = GOOD.splitlines(keepends=True)
    twice = "".join([*lines[:5], lines[3], *lines[5:]])
    refused(tmp_path, twice, "repeated", "trial 3 is there twice, first in line 4", 6)


def test_a_row_is_missing(tmp_path):
    rows = table(GOOD)
    refused(tmp_path, joined(rows[:4] + rows[5:]), "missing", r"trial 4 is missing")
    refused(tmp_path, joined(rows[:1] + rows[3:]), "missing", r"trials 1, 2 are missing")


def test_rows_in_another_order(tmp_path):
    head, *rows = table(GOOD)
    by_time = sorted(rows, key=lambda row: int(row[COLUMNS.index("rt_ms")]))
    refused(tmp_path, joined([head, *by_time]), "order", "sort them by trial")


def test_two_files_in_one(tmp_path):
    both = GOOD + played(6, session="s0000002b")
    refused(tmp_path, both, "merged", "second header", TRIALS + 2)
    headless = GOOD + played(6, session="s0000002b").partition("\n")[2]
    refused(tmp_path, headless, "merged", "session is 's0000002b'", TRIALS + 2)


def test_the_table_that_merge_writes(tmp_path):
    rows = table(GOOD)
    told = joined([["participant", *rows[0]], *(["1", *row] for row in rows[1:])])
    refused(tmp_path, told, "merged", "a table that merge wrote")


@pytest.mark.parametrize("number", ["1.23E+09", "007", "-1", "1,5", "٣", "", "1_0", "9" * 11])
def test_a_number_that_a_program_reformatted(tmp_path, number):
    rows = table(GOOD)
    rows[7][COLUMNS.index("rt_ms")] = f'"{number}"'
    refused(tmp_path, joined(rows), "damaged", "rt_ms is .*not a whole number", 8)
