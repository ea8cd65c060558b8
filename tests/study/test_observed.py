"""Rows of the observers' results by name, and who is better with what."""

import json

import pytest
from matplotlib.figure import Figure

from actmax_lib.study.observed import Observed, dots, text


def share(observer, condition, value, scope="all", level="p90"):
    row = {"observer": observer, "condition": condition, "level": level, "scope": scope}
    return row | {"value": value, "low": value - 0.1, "high": value + 0.1}


def gap(observer, low, high, scope="all", level="p90"):
    middle = 0.0 if low is None else (low + high) / 2
    row = {"observer": observer, "level": level, "scope": scope, "difference": middle}
    return row | {"low": low, "high": high}


@pytest.fixture
def observed(tmp_path):
    gaps = {"a": (0.01, 0.19), "b": (-0.2, -0.01), "c": (-0.1, 0.1), "d": (None, None)}
    rows = [share(who, kind, 0.6) for who in gaps for kind in ("natural", "synthetic")]
    rows += [share("a", "natural", 0.7, "layer 2"), share("e", "none", 0.5)]
    found = {
        "observers": {who: {"label": who.upper()} for who in "abc"},
        "variants": {"d": {"label": "D"}, "e": {"label": "E"}},
        "units": [{"scope": scope} for scope in ("layer 2", "layer 2", "layer 1")],
        "rows": rows,
        "paired": [gap(who, *sides) for who, sides in gaps.items()],
    }
    path = tmp_path / "observers.json"
    path.write_text(json.dumps(found))
    return Observed.load(path)


def test_better_needs_an_interval_on_one_side_of_zero(observed):
    groups = observed.better("p90", "abcd")
    assert groups == {"natural": ["A"], "synthetic": ["B"], "undecided": ["C", "D"]}


def test_an_interval_that_ends_at_zero_decides_nothing(observed):
    observed.gap("a", "p90")["low"] = 0.0
    observed.gap("b", "p90")["high"] = 0.0
    assert observed.better("p90", "ab")["undecided"] == ["A", "B"]


def test_rows_are_found_by_all_of_their_name(observed):
    assert observed.share("a", "natural", "p90", "layer 2")["value"] == 0.7
    assert observed.share("a", "natural", "p90")["value"] == 0.6
    assert observed.scopes == ["layer 2", "layer 1"]


@pytest.mark.parametrize("name", [("x", "natural", "p90"), ("a", "natural", "p70")])
def test_a_row_that_is_not_there_is_named(observed, name):
    with pytest.raises(ValueError, match=f"no row.*{name[0]}.*{name[2]}"):
        observed.share(*name)


def test_the_table_leaves_out_what_was_not_taken(observed):
    rows = observed.table("ae", ["p90", "p70"], ["all", "layer 2"])
    assert rows == [["A, p90", "0.60 [0.50, 0.70]", "0.60 [0.50, 0.70]", "0.10 [0.01, 0.19]"]]


def test_text_has_no_interval_where_there_is_none():
    assert text({"value": 1.0, "low": None, "high": None}) == "1.00"
    row = {"difference": -0.049, "low": -0.1, "high": -0.001}
    assert text(row, "difference") == "-0.05 [-0.10, 0.00]"  # no minus in front of nothing


def test_dots_are_where_the_shares_are(observed):
    fig = Figure()
    observed.share("b", "synthetic", "p90").update(value=0.44, low=None, high=None)
    dots(fig, observed, ["a", "b"], ["p90"])
    (ax,) = fig.axes
    drawn = [tuple(line.get_xdata()) for line in ax.lines]
    assert sorted(x for x in drawn if len(x) == 1) == [(0.44,), (0.6,), (0.6,), (0.6,)]
    assert drawn.count((0.5, 0.7)) == 3  # the interval that is not known is not drawn
    assert [label.get_text() for label in ax.get_yticklabels()] == ["A", "B"]
    assert [text.get_text() for text in ax.get_legend().texts] == ["natural", "synthetic"]
