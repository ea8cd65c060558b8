"""Files that were changed after the export: by hand, and by who knows how the check is made."""

import pytest

from actmax_lib.study.records import COLUMNS
from actmax_lib.study.session import schedule
from tests.study.sessions import DESIGN, OTHER, forged, joined, played, refused, table

TRIALS = len(schedule(5, "matching", "short", DESIGN))
GOOD = played()


def changed(trial: int, column: str, value: str) -> str:
    rows = table(GOOD)
    rows[trial][COLUMNS.index(column)] = value
    return joined(rows)


@pytest.mark.parametrize(
    ("column", "value"), [("rt_ms", "12345"), ("confidence", "7"), ("unit", "999"), ("side", "up"),
                          ("answer", "neither"), ("level", "p10"), ("phase", "main2")]
)  # fmt: skip
def test_edited_by_hand(tmp_path, column, value):
    told = "check does not match the row of trial 7"
    refused(tmp_path, changed(7, column, value), "tampered", told, 8)


def test_all_edited_rows_are_named(tmp_path):
    rows = table(GOOD)
    for trial in (4, 9, TRIALS):
        rows[trial][COLUMNS.index("rt_ms")] = "12345"
    refused(tmp_path, joined(rows), "tampered", f"trials 4, 9, {TRIALS}$", 5)
    for trial in range(1, TRIALS + 1):
        rows[trial][COLUMNS.index("rt_ms")] = "12345"
    refused(tmp_path, joined(rows), "tampered", f"and {TRIALS - 5} more", 2)


def test_an_improved_score(tmp_path):
    """Answer and correct changed together: only the check knows."""
    bad = played(right=lambda trial: trial.index != 7)
    rows = table(bad)
    side = rows[7][COLUMNS.index("side")]
    rows[7][COLUMNS.index("answer")], rows[7][COLUMNS.index("correct")] = side, "1"
    refused(tmp_path, joined(rows), "tampered", "trial 7")


def test_a_check_of_another_session_does_not_fit(tmp_path):
    rows, others = table(GOOD), table(played(noise=1))
    rows[7] = others[7]
    refused(tmp_path, joined(rows), "tampered", "trials? 7")


# A forger who knows the check still has to play the schedule


def forging(column, value, trial=7):
    return forged(GOOD, **{f"{column}__{trial}": value})


@pytest.mark.parametrize(
    ("column", "value"),
    [("unit", "999"), ("batch", "19"), ("level", "p10"), ("phase", "mian"), ("side", "up"),
     ("condition", "none")],
)  # fmt: skip
def test_a_row_that_is_not_in_the_schedule(tmp_path, column, value):
    told = f"{column} of trial 7 is '{value}'; the session of this seed has"
    refused(tmp_path, forging(column, value), "tampered", told, 8)


def test_the_other_side_is_not_in_the_schedule(tmp_path):
    side = schedule(5, "matching", "short", DESIGN)[6].side
    refused(tmp_path, forging("side", OTHER[side]), "tampered", "side of trial 7 is", 8)


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [("answer", "up", "answer is 'up', not one of left, right"), ("confidence", "4", "confidence"),
     ("confidence", "0", "confidence is '0'"), ("correct", "2", "correct is '2'"),
     ("correct", "0", "trial 7 counts 0, but the answer is")],
)  # fmt: skip
def test_an_answer_that_cannot_be(tmp_path, column, value, told):
    refused(tmp_path, forging(column, value), "tampered", told, 8)


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"mode": "guessing"}, "mode='guessing' is unknown"), ({"length": "long"}, "length='long'"),
     ({"seed": str(2**32)}, "seed"), ({"seed": "6"}, "of trial 1 is"),
     ({"session": "Ada"}, "session is 'Ada'"), ({"of": "31"}, f"has {TRIALS} trials"),
     ({"length": "full"}, "trials"), ({"trial__1": "99"}, f"trial 99 of {TRIALS}"),
     ({"trial__1": "0"}, f"trial 0 of {TRIALS}"),
     ({"seed__4": "8"}, "seed is '8', in its first row '5'"),
     ({"version__4": "2"}, "version is '2', in its first row '1'"),
     ({"stimuli__4": "ffffffff"}, "stimuli is 'ffffffff', in its first row 'ab12cd34'"),
     ({"mode__4": "occlusion"}, "mode is 'occlusion', in its first row 'matching'"),
     ({"length__4": "full"}, "length is 'full', in its first row 'short'"),
     ({"of__4": "9"}, "of is '9', in its first row")],
)  # fmt: skip
def test_a_session_that_cannot_be(tmp_path, changes, told):
    refused(tmp_path, forged(GOOD, **changes), "tampered", told)


def test_a_cut_file_that_hides_it(tmp_path):
    """Fewer rows, ``of`` and every check made to fit: the seed still says how many there were."""
    short = forged(played(count=20), of="20")
    refused(tmp_path, short, "tampered", f"of is 20, .* has {TRIALS} trials")


def test_words_from_a_file_do_not_reach_the_terminal_raw(tmp_path):
    error = refused(
        tmp_path, forged(GOOD, mode="\x1b[31m" + "y" * 5000), "tampered", "mode=.*x1b.*yyy"
    )
    assert "\x1b" not in str(error)
    assert len(error.reason) < 300
