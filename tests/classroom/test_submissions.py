"""Whose file is whose: Canvas, Moodle, nbgrader, zips, links, twins, and what is no notebook."""

import io
import os
import zipfile

import pytest

from classroom.frames import NOTEBOOK
from classroom.submissions import NoSubmissions, _member, find


def put(folder, *names, content=b"{}"):
    """Files, each a minute newer than the one before."""
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if content != b"{}" else name.encode())
        os.utime(path, (10**9 + 60 * number,) * 2)


def packed(path, names, **more):
    """A zip with these members."""
    with zipfile.ZipFile(path, "w", **more) as archive:
        for name in names:
            archive.writestr(name, name.encode())


def students(place, sheet="formulation"):
    """Student: what is read."""
    return {s.student: s.read().decode() for s in find(place, sheet)}


def test_plain_files(tmp_path):
    put(tmp_path, "anna.ipynb", "bob_formulation.ipynb", "formulation-cy.ipynb", "D E.IPYNB")
    put(tmp_path, ".hidden.ipynb", ".ipynb_checkpoints/anna.ipynb", "__MACOSX/._anna.ipynb")
    assert list(students(tmp_path)) == ["D-E", "anna", "bob", "cy"]


def test_canvas(tmp_path):
    put(tmp_path, "smithanna_12345_67890_formulation.ipynb", "smithanna_999_1_formulation.ipynb")
    put(tmp_path, "leebo_LATE_5_6_formulation-1.ipynb", "yu_7_8_everything.zip")
    packed(tmp_path / "yu_7_8_everything.zip", ["a/b/sheet.ipynb"])
    found = {s.student: s for s in find(tmp_path, "formulation")}
    assert sorted(found) == ["leebo_5", "smithanna_12345", "smithanna_999", "yu_7"]
    assert found["leebo_5"].flags == ("late",)
    assert found["yu_7"].read() == b"a/b/sheet.ipynb"


def test_moodle(tmp_path):
    put(tmp_path, "Müller Jörg_123_assignsubmission_file_/x.ipynb")
    put(tmp_path, "Ann Lee_124_assignsubmission_file/deep/x.ipynb")
    assert list(students(tmp_path)) == ["Ann-Lee_124", "Müller-Jörg_123"]


def test_nbgrader_and_a_folder_a_student(tmp_path):
    put(tmp_path, "anna/formulation/x.ipynb", "bob/x.ipynb", "bob/.ipynb_checkpoints/x.ipynb")
    put(tmp_path, "anna/maxima/x.ipynb")  # newer, of another sheet
    assert students(tmp_path) == {"anna": "anna/formulation/x.ipynb", "bob": "bob/x.ipynb"}
    assert all(s.flags == () for s in find(tmp_path, "formulation"))


def test_zips_of_all_kinds(tmp_path):
    inner = io.BytesIO()
    packed(inner, ["work.ipynb"])
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in ("class/anna.ipynb", "class/bob.ipynb", "__MACOSX/class/._anna.ipynb"):
            archive.writestr(name, name.encode())
        archive.writestr("class/cy.zip", inner.getvalue())
    found = students(tmp_path / "all.zip")
    assert found == {"anna": "class/anna.ipynb", "bob": "class/bob.ipynb", "cy": "work.ipynb"}
    packed(tmp_path / "moodle.zip", ["A_1_assignsubmission_file_/x.ipynb"])
    assert list(students(tmp_path / "moodle.zip")) == ["A_1"]


def test_one_student_alone_is_no_folder_around_all(tmp_path):
    put(tmp_path, "anna/formulation.ipynb", "anna/notes.txt")
    assert list(students(tmp_path)) == ["anna"]
    put(tmp_path / "more", "download/anna/x.ipynb", "download/bob/x.ipynb")
    assert list(students(tmp_path / "more")) == ["anna", "bob"]


def test_the_newest_of_several_is_taken_and_told(tmp_path):
    put(tmp_path, "a/formulation.ipynb", "a/formulation-2.ipynb", "a/scratch.ipynb", "b/x.ipynb")
    a, b = find(tmp_path, "formulation")
    assert a.file == "a/formulation-2.ipynb"
    assert a.flags == ("3 notebooks, the newest was taken: formulation-2.ipynb",)
    assert b.flags == ()


def test_two_people_never_become_one(tmp_path):
    put(tmp_path, "a b.ipynb", "a-b.ipynb", "A-B.ipynb", "a?b.ipynb", ".ipynb.d/x", "...ipynb")
    names = [s.student for s in find(tmp_path, "formulation")]
    assert len({name.casefold() for name in names}) == 4
    put(tmp_path / "long", f"{'x' * 100}1.ipynb", f"{'x' * 100}2.ipynb", "-.ipynb")
    names = [s.student for s in find(tmp_path / "long", "formulation")]
    assert len(set(names)) == 3
    assert all(0 < len(name) < 90 and "/" not in name for name in names)


def test_names_are_safe_for_files(tmp_path):
    put(tmp_path, "=cmd|calc.ipynb", "a\nb.ipynb", "\u202eevil.ipynb", "a;b'c\"d$(e)`f`.ipynb")
    for submission in find(tmp_path, "formulation"):
        assert all(c.isalnum() or c in "-_." for c in submission.student)
        assert not submission.student.startswith((".", "-"))


def test_links_are_not_followed(tmp_path):
    secret = tmp_path / "secret"
    put(secret, "key.ipynb", content=b"SECRET")
    put(tmp_path / "in", "a/notes.txt")
    (tmp_path / "in" / "b.ipynb").symlink_to(secret / "key.ipynb")
    (tmp_path / "in" / "c").symlink_to(secret)
    (tmp_path / "in" / "d.ipynb").mkdir()
    os.mkfifo(tmp_path / "in" / "e.ipynb")
    link = zipfile.ZipInfo("f/x.ipynb")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "in" / "f.zip", "w") as archive:
        archive.writestr(link, str(secret / "key.ipynb"))
    for submission in find(tmp_path / "in", "formulation"):
        assert submission.problem
        assert submission.read() == b""


def test_what_is_no_notebook_is_told(tmp_path):
    put(tmp_path, "a/report.pdf", "a/data.csv", "b.pdf")
    put(tmp_path, "c.ipynb", content=b"x" * (NOTEBOOK + 1))
    put(tmp_path, "d.zip", content=b"no zip at all")
    packed(tmp_path / "e.zip", ["../../../etc/passwd.ipynb"])
    told = {s.student: s for s in find(tmp_path, "formulation")}
    assert told["a"].problem == "No notebook (.ipynb) was handed in; there is data.csv, report.pdf."
    assert "b.pdf" in told["b"].problem
    assert "20 MB; clear its outputs" in told["c"].problem
    assert "damaged" in told["d"].problem
    assert told["e"].read() == b"../../../etc/passwd.ipynb"  # bytes, written nowhere


def test_zips_that_burst_or_are_locked(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.ipynb", bytes(NOTEBOOK + 1))
    packed(tmp_path / "b.zip", ["x.ipynb"])
    raw = bytearray((tmp_path / "b.zip").read_bytes())
    for at in (raw.find(b"PK\x03\x04") + 6, raw.find(b"PK\x01\x02") + 8):
        raw[at] |= 1  # the bit that says: locked with a password
    (tmp_path / "b.zip").write_bytes(raw)
    a, b = find(tmp_path, "formulation")
    assert "20 MB" in a.problem
    with pytest.raises(OSError, match="locked with a password"):
        b.read()
    monkeypatch.setattr("classroom.submissions.UNPACKED", 10)
    assert "too much" in find(tmp_path, "formulation")[0].problem


def test_nothing_there_is_said(tmp_path):
    for place in (tmp_path / "none", tmp_path):
        with pytest.raises(NoSubmissions):
            find(place, "formulation")
    put(tmp_path, "x.ipynb")
    with pytest.raises(NoSubmissions, match="neither"):
        find(tmp_path / "x.ipynb", "formulation")


def test_a_zip_may_have_so_many_members_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr("classroom.submissions.MEMBERS", 3)
    packed(tmp_path / "a.zip", ["x.ipynb", "1.txt", "2.txt"])
    packed(tmp_path / "b.zip", ["x.ipynb", "1.txt", "2.txt", "3.txt"])
    a, b = find(tmp_path, "formulation")
    assert a.read() == b"x.ipynb"
    assert "too much; it was not opened" in b.problem


def test_zips_in_zips_are_opened_so_deep_and_no_deeper(tmp_path):
    content = b"work"
    for depth in range(4):
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as archive:
            archive.writestr("inner.zip" if depth else "x.ipynb", content)
        content = held.getvalue()
        put(tmp_path, f"s{depth + 1}.zip", content=content)
    found = {s.student: s for s in find(tmp_path, "formulation")}
    assert [found[f"s{n}"].read() for n in (1, 2, 3)] == [b"work"] * 3
    assert "No notebook (.ipynb) was handed in; there is inner.zip" in found["s4"].problem


def test_no_more_is_unpacked_than_a_notebook_may_have(tmp_path, monkeypatch):
    monkeypatch.setattr("classroom.submissions.NOTEBOOK", 10)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x.ipynb", bytes(1000))
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert len(_member(archive, archive.infolist()[0])()) == 100


def test_one_spelling_of_a_name_and_twins_by_case(tmp_path):
    apart, whole = "Mu\u0308ller", "M\u00fcller"
    put(tmp_path, f"{apart}/formulation.ipynb", "ann.ipynb", "Ann.ipynb", "ANN.ipynb")
    found = find(tmp_path, "formulation")
    assert [s.student for s in found if s.file.endswith("formulation.ipynb")] == [whole]
    names = [s.student for s in found if s.student != whole]
    assert sorted(name.casefold() for name in names) == ["ann", "ann-2", "ann-3"]
    put(tmp_path, f"{whole}/formulation-2.ipynb")  # the same person, from another system
    (one,) = [s for s in find(tmp_path, "formulation") if s.student.startswith("M")]
    assert one.flags == ("2 notebooks, the newest was taken: formulation-2.ipynb",)


def test_moodle_s_files_without_folders(tmp_path):
    names = ["Hana Nováková_4713_assignsubmission_file_maxima.ipynb",
             "Hana Nováková_4713_assignsubmission_file_notes.txt",
             "Hana Nováková_4714_assignsubmission_file_Hana maxima final.ipynb"]  # fmt: skip
    put(tmp_path, *names)
    found = find(tmp_path, "maxima")
    assert [(f.student, f.name, f.id) for f in found] == [
        ("Hana-Nováková_4713", "Hana Nováková", "4713"),
        ("Hana-Nováková_4714", "Hana Nováková", "4714"),
    ]
    assert [f.file for f in found] == [names[0], names[2]]
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in (names[0], names[2]):
            archive.writestr(f"Course-Sheet 2/{name}", b"{}")
    assert {f.id for f in find(tmp_path / "all.zip", "maxima")} == {"4713", "4714"}
    (tmp_path / "in" / "one folder").mkdir(parents=True)
    for name in names:
        (tmp_path / name).rename(tmp_path / "in" / "one folder" / name)
    assert {f.id for f in find(tmp_path / "in", "maxima")} == {"4713", "4714"}


@pytest.mark.parametrize("order", [1, -1])
def test_the_late_one_of_two_is_the_newer_whatever_the_files_times_are(tmp_path, order):
    names = ["leebo_5_11_maxima.ipynb", "leebo_LATE_5_12_maxima.ipynb"]
    put(tmp_path, *names[::order])
    (found,) = find(tmp_path, "maxima")
    assert (found.file, found.name, found.id) == (names[1], "leebo", "5")
    assert found.flags[0] == "late"


def test_late_notes_do_not_make_a_notebook_late(tmp_path):
    put(tmp_path, "leebo_5_11_maxima.ipynb", "leebo_LATE_5_12_notes.txt")
    (found,) = find(tmp_path, "maxima")
    assert "late" not in found.flags
