"""The report of `merge.report` in words and columns, for a screen of 100 characters."""

from typing import Any

from actmax_lib.study.human import HUMAN
from actmax_lib.study.statistics import published
from actmax_lib.study.table import shown

SHOWN = ("natural", "synthetic", "none")
FEW = 10  # participants, below which the t interval leans on a bell shape that nobody can check


def text(report: dict[str, Any]) -> str:
    """What a teacher reads: how many count, the result, what it rests on, what was left out."""
    counted, files = report["counted"], report["files"]
    lines = [f"{counted} of {files} files counted, {len(report['left_out'])} left out."]
    if report["dropped"]:
        lines.append(f"{report['dropped']} dropped by --catch {report['catch']:g}, named below.")
    for mode, found in report["modes"].items():
        lines += ["", f"== {mode} =="]
        lines += _result(mode, found) if "conditions" in found else []
        lines += _people(found["participants"], report)
    if report["left_out"]:
        lines += ["", "LEFT OUT (not in any number above)"]
        for one in report["left_out"]:
            where = f", line {one['line']}" if one["line"] else ""
            lines.append(f"  {shown(one['file'])}{where}: {one['reason']}")
    return "\n".join(lines) + "\n"


def _result(mode: str, found: dict[str, Any]) -> list[str]:
    people = sum(p["counted"] for p in found["participants"])
    all_of = [found["conditions"][c] for c in SHOWN]
    who = f"{people} participants" if people > 1 else "1 participant"
    over = "participants" if people > 1 else "trials"
    lines = [
        f"{who}; right answers in main trials [95 % interval over {over}]",
        _row("", SHOWN),
        _row("all", map(_cell, all_of)),
        _row("+/- 2 se", map(_two_se, all_of)),
        _row("d'", map(_d_prime, all_of)),
        _row("confidence 1-3", [f"{e['confidence']:.2f}" for e in all_of]),
        _row("median time", [f"{e['median_rt_ms'] / 1000:.1f} s" for e in all_of]),
    ]
    if people > 1:
        lines.insert(
            3, _row("  the same over units", ["      " + _ends(e["over_units"]) for e in all_of])
        )
    if mode == "matching":  # what the paper asked
        lines.append(_row("the paper", map(_paper, SHOWN)))
    lines += ["", *_difference(found["paired"]), *_caution(found, people)]
    tables = {"difficulty": "levels", "layer": "layers", "confidence": "by_confidence"}
    for title, key in tables.items():
        lines += ["", _row(f"by {title}", SHOWN)]
        for name, cells in found[key].items():
            lines.append(_row(name, [_cell(cells[c]) if c in cells else "-" for c in SHOWN]))
    lines += ["", f"catch trials: {_cell(found['catch'])}"]
    lines += ["", "most often wrong, with references:"] if found["hardest"] else []
    for u in found["hardest"]:
        unit = f"unit {u['unit']} ({u['name']}, {u['layer']}, channel {u['channel']})"
        lines.append(f"  {u['correct']:3d} of {u['total']:3d} right: {unit}")
    return lines


def _difference(p: dict[str, Any]) -> list[str]:
    difference = f"natural minus synthetic: {p['difference']:+.3f}"
    if p["low"] is None:
        return [difference]
    sentence = f"{difference} [{p['low']:+.3f}, {p['high']:+.3f}] by participant"
    if p["t"] is not None:
        test = f"t({p['df']}) = {p['t']:.2f}, {_p(p['p'])}; Wilcoxon {_p(p['wilcoxon'])}"
    else:
        test = "no t test: every participant has the same difference"
    counts = (
        f"{p['natural_better']} did better with natural, {p['synthetic_better']} with synthetic"
    )
    return [sentence, f"  {test}", f"  {counts}, of {p['participants']}"]


def _caution(found: dict[str, Any], people: int) -> list[str]:
    """What the intervals leave out."""
    told = []
    if people == 1:
        told.append(
            "One participant: exact binomial intervals. How much people differ is unknown,\n"
            "so they say nothing about other people."
        )
    else:
        agreed = [c for c in SHOWN if found["conditions"][c]["interval"] == "exact"]
        if agreed:
            told.append(
                f"All participants scored the same in: {', '.join(agreed)}. That is no certainty;\n"
                "the interval there is the exact binomial one of all answers."
            )
        if people < FEW:
            told.append(f"{people} participants are few: the intervals are rough.")
        if len(found["lengths"]) > 1:
            told.append(
                "Short and full sessions together: a full one has more answers, more weight."
            )
        if found["seeds"] == 1:
            told.append("All used one seed: they saw the same pictures on the same sides.")
    return told


def _people(people: list[dict[str, Any]], report: dict[str, Any]) -> list[str]:
    lines = ["", "no.  natural  synthetic  none     catch  median  length  file"]
    for p in people:
        scores = [f"{p[c]['correct']}/{p[c]['total']}" for c in (*SHOWN, "catch")]
        head = f"{p['participant']:>3}  {scores[0]:<7}  {scores[1]:<9}  {scores[2]:<7}"
        time = f"{p['median_rt_ms'] / 1000:>4.1f} s"
        lines.append(f"{head}  {scores[3]:<5}  {time}  {p['length']:<6}  {shown(p['file'])}")
    noted = [p for p in people if p["notes"]]
    if noted:
        kept = "kept; --catch BAR drops those below BAR" if report["catch"] is None else "see below"
        lines += ["", f"TO LOOK AT ({kept})"]
        for p in noted:
            state = "" if p["counted"] else "; DROPPED by --catch"
            lines.append(f"  no. {p['participant']}: {', '.join(p['notes'])}{state}")
        n = min(p["catch"]["total"] for p in people)
        lines.append(f"  (someone who guesses has all {n} catch trials right once in {2**n})")
    return lines


def _row(name: str, cells: Any) -> str:
    return f"{name:<28} " + "".join(f"{cell:<24}" for cell in cells).rstrip()


def _cell(e: dict[str, Any]) -> str:
    return f"{e['value']:.3f} {_ends(e)}"


def _ends(e: dict[str, Any]) -> str:
    return f"[{e['low']:.3f}, {e['high']:.3f}]"


def _two_se(e: dict[str, Any]) -> str:
    counts = f"({e['correct']}/{e['total']})"
    return f"{e['two_se']:.3f} {counts}" if e["two_se"] is not None else f"- {counts}"


def _d_prime(e: dict[str, Any]) -> str:
    if e["d_prime"] is None:  # all right, or none
        return "infinite" if e["value"] > 0.5 else "-infinite"
    return f"{e['d_prime']:.2f}"


def _paper(condition: str) -> str:
    if condition not in HUMAN:
        return "-"
    e = published(condition)
    return f"{e.value:.3f} +/- {e.two_se:.3f}"


def _p(p: float) -> str:
    return f"p = {p:.4f}" if p >= 0.0001 else "p < 0.0001"
