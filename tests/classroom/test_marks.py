"""Marks for answers in words: read as spreadsheets save them, never lost, shown to the student."""

import csv
import json

import pytest

from classroom import batch, marks
from classroom.grade import grade
from tests.classroom.engine import rows, tiny

ANSWERS = {"anna": "Because.", "bob": "Why not?", "cy": ""}
FORMULAS = ["- first\n- second", "= 2", "+1", "@all", "\tindented", "'x"]


class Class:
    """A class of the tiny sheet, its answers in words given and its code not run."""

    def __init__(self, folder, monkeypatch):
        self.sheet, self.given, self.out = tiny(folder), folder / "in", folder / "out"
        self.folder = folder
        self.patch = monkeypatch

    def grade(self, answers=ANSWERS, words=None):
        """Grade a folder with just these; `words`: the text of a form."""
        for old in self.given.glob("*") if self.given.exists() else ():
            old.unlink()
        self.given.mkdir(exist_ok=True)
        for student in answers:
            (self.given / f"{student}.ipynb").write_bytes(b"{}")

        def graded(run, found, jobs):
            told = {s.student: batch.nothing(run.sheet, "") for s in found}
            for student, result in told.items():
                result |= {"words": {"in-words": answers[student]}, "total": 5}
                result["questions"][1]["earned"] = 5
                result |= {"file": "", "name": student.title(), "id": ""}
                (run.out / "results" / f"{student}.json").write_text("{}")
            return told

        self.patch.setattr("classroom.grade.graded", graded)
        path = None
        if words is not None:
            path = self.folder / "marked.csv"
            path.write_text(words)
        grade(self.sheet, self.given, self.out, unsafe=True, words=path)

    def rows(self, name):
        """A table of the class, by student."""
        return rows(self.out / name)

    def fill_in(self, student, **cells):
        """Write into the form as a teacher does."""
        table = self.rows("words.csv")
        table[student] |= cells
        names = list(dict.fromkeys(name for row in table.values() for name in row))
        with (self.out / "words.csv").open("w", encoding="utf-8-sig", newline="") as held:
            writer = csv.DictWriter(held, names)
            writer.writeheader()
            writer.writerows(table.values())

    def points(self):
        return {s: r["in-words"] for s, r in self.rows("grades.csv").items()}

    def said(self, student):
        return (self.out / "feedback" / f"{student}.md").read_text()


@pytest.fixture
def them(tmp_path, monkeypatch):
    made = Class(tmp_path, monkeypatch)
    made.grade()
    return made


def test_each_student_gets_his_own_mark_and_hears_of_it(them):
    assert them.points() == {"anna": "", "bob": "", "cy": "0"}  # nothing written, nothing to mark
    assert set(them.rows("words.csv")) == {"anna", "bob"}
    assert "> Because." in (them.out / "words.md").read_text()
    assert "**5 of 9 points so far**" in them.said("bob")
    assert "**5 of 12 points**" in them.said("cy")
    assert "## Question 3. In words: 0 of 3\n\nNothing was written.\n" in them.said("cy")
    them.fill_in("bob", points="1,5", comment="Say <b>what</b> you mean.")
    them.grade()
    assert them.points() == {"anna": "", "bob": "1.5", "cy": "0"}
    row = them.rows("grades.csv")["bob"]
    assert (row["name"], row["total"], row["of"], row["to mark"]) == ("Bob", "6.5", "12", "0")
    assert them.rows("grades.csv")["anna"]["to mark"] == "3"
    assert "**6.5 of 12 points**" in them.said("bob")
    assert "## Question 3. In words: 1.5 of 3\n\n> Say &lt;b>what" in them.said("bob")
    assert "A person marks this one (up to 3 points)." in them.said("anna")
    told = json.loads((them.out / "grades.json").read_text())["students"]
    assert told["bob"]["marks"] == {"in-words": 1.5}
    assert "marks" not in told["anna"]


def test_neither_an_empty_cell_nor_a_missing_row_takes_a_mark_away(them):
    them.fill_in("anna", points="3", comment="Good.", room="B 12")
    them.grade()
    them.fill_in("anna", points="", comment="", room="")
    them.grade()
    assert them.points()["anna"] == "3"
    row = them.rows("words.csv")["anna"]
    assert (row["points"], row["comment"], row["room"]) == ("3", "Good.", "B 12")
    them.fill_in("anna", points="", comment="Very good.", room="")
    them.grade()
    row = them.rows("words.csv")["anna"]
    assert (row["points"], row["comment"], row["room"]) == ("3", "Very good.", "B 12")
    them.grade({"late": "At last."})  # another folder, the same place
    assert them.points() == {"late": ""}
    them.grade()
    assert them.points()["anna"] == "3"
    (them.out / "words.csv").unlink()
    them.grade()
    assert them.points()["anna"] == "3"


def test_two_people_mark_in_two_files(them):
    head = "student,question,points\n"
    them.grade(words=f"{head}anna,in-words,2\nbob,in-words,\n")
    them.grade(words=f"{head}anna,in-words,\nbob,in-words,1\n")
    assert them.points() == {"anna": "2", "bob": "1", "cy": "0"}
    them.fill_in("bob", points="2")
    them.grade(words=f"{head}anna,in-words,3\n")  # both in one run
    assert them.points() == {"anna": "3", "bob": "2", "cy": "0"}


def test_a_mark_for_another_answer_is_flagged_until_it_is_given_again(them):
    them.fill_in("anna", points="3")
    them.grade()
    changed = ANSWERS | {"anna": "Because not."}
    for _ in range(3):  # not only in the first run
        them.grade(changed)
        assert them.points()["anna"] == "3"
        assert "not the one that was marked" in them.rows("grades.csv")["anna"]["flags"]
        assert "the mark of an earlier answer" in them.said("anna")
        row = them.rows("words.csv")["anna"]
        assert (row["points"], row["earlier"], row["answer"]) == ("", "3", "Because not.")
    them.grade(ANSWERS | {"anna": ""})  # nothing at all
    assert them.rows("words.csv")["anna"]["earlier"] == "3"
    assert "not the one that was marked" in them.rows("grades.csv")["anna"]["flags"]
    them.grade()  # the old notebook again
    assert them.rows("grades.csv")["anna"]["flags"] == ""
    assert them.rows("words.csv")["anna"]["points"] == "3"
    them.grade(changed)
    them.fill_in("anna", points="3")  # read again, and found as good
    them.grade(changed)
    assert "marked" not in them.rows("grades.csv")["anna"]["flags"]
    assert them.rows("words.csv")["anna"]["earlier"] == ""


def test_a_form_without_the_answers_is_for_those_of_now(them):
    them.grade(words="student,question,points\nanna,in-words,2\n")
    assert "marked" not in them.rows("grades.csv")["anna"]["flags"]
    (them.out / "words.csv").unlink()
    them.grade(ANSWERS | {"anna": "Because not."})
    assert "not the one that was marked" in them.rows("grades.csv")["anna"]["flags"]


def test_a_remark_alone_is_no_mark(them):
    them.fill_in("anna", comment="To be talked about.")
    them.grade()
    assert them.rows("grades.csv")["anna"]["to mark"] == "3"
    assert "marks" not in json.loads((them.out / "grades.json").read_text())["students"]["anna"]
    assert them.rows("words.csv")["anna"]["comment"] == "To be talked about."


def test_a_mark_for_nobody_is_told_and_kept(them, capsys):
    them.fill_in("anna", points="1")
    them.grade(words="student,question,points\nanan,in-words,2\n")
    assert "Marks without a submission, kept in marks.json: anan" in capsys.readouterr().err
    them.grade(ANSWERS | {"anan": "Here I am."})
    assert them.points()["anan"] == "2"
    assert them.rows("grades.csv")["anan"]["flags"] == ""
    assert "without a submission" not in capsys.readouterr().err
    them.grade({"anan": "Here I am."})  # the others were graded here before
    assert "without a submission" not in capsys.readouterr().err


@pytest.mark.parametrize("answer", FORMULAS)
def test_an_answer_that_a_table_must_disarm_is_still_the_one_that_was_marked(answer, them):
    them.grade({"anna": answer})
    them.fill_in("anna", points="2")
    for _ in range(2):
        them.grade({"anna": answer})
        row = them.rows("grades.csv")["anna"]
        assert (row["in-words"], row["to mark"]) == ("2", "0")
        assert "marked" not in row["flags"]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffstudent;question;points\nbob;in-words;1,5\n",
        "sep=;\nstudent;question;points\nbob;in-words;1,5\n",
        "Student\tQuestion\tPoints \nbob\tin-words\t1.5\n",
        '"student","question","points"\r\n"bob","in-words","1.5"\r\n\r\n,,\r\nAverage,,1.5\r\n',
        "points,room,question,student\n 1.50 ,B 1,in-words,'bob\n",
        "student,question,points\nbob,in-words,1.5\nbob,in-words,1.5\n",
    ],
    ids=["semicolons", "sep", "tabs", "quotes", "order", "twice"],
)
def test_what_a_spreadsheet_makes_of_it_is_read(text, tmp_path):
    path = tmp_path / "words.csv"
    path.write_text(text, "utf-8", newline="")
    (mark,) = marks.read_form(path, tiny(tmp_path)).items()
    assert (mark[0], mark[1].points) == (("bob", "in-words"), 1.5)


@pytest.mark.parametrize("given", ["4", "-1", "nan", "two", "3 points", "inf"])
def test_a_mark_that_cannot_be_is_refused(given, tmp_path):
    path = tmp_path / "words.csv"
    path.write_text(f"student,question,points\nanna,in-words,{given}\n")
    told = rf"row 2 \(anna\): '{given}' is no mark; it is a number from 0 to 3"
    with pytest.raises(marks.BadMarks, match=told):
        marks.read_form(path, tiny(tmp_path))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"student,question,points\nanna,else,1\n", "no question in words .* 'else'"),
        (b"student,question,points\na,in-words,1\na,in-words,2\n", r"row 3 .* mark above"),
        (b"student,points\nanna,1\n", "no columns student, question, points"),
        ("student,question,points,x\nanna,in-words,1,ü\n".encode("cp1252"), "save it as 'CSV UTF"),
        ("student,question,points\nanna,in-words,1\n".encode("utf-16"), "save it as 'CSV UTF"),
    ],
    ids=["question", "twice", "columns", "cp1252", "utf-16"],
)
def test_a_form_that_cannot_be_is_refused_before_anything_is_graded(content, told, them):
    before = (them.out / "grades.csv").read_bytes()
    (them.out / "words.csv").write_bytes(content)
    with pytest.raises(marks.BadMarks, match=told):
        them.grade()
    assert (them.out / "words.csv").read_bytes() == content
    assert (them.out / "grades.csv").read_bytes() == before


def test_a_damaged_record_is_refused_and_left_as_it_is(them):
    (them.out / "marks.json").write_text('[{"student": 1')
    with pytest.raises(marks.BadMarks, match=r"marks\.json is damaged"):
        them.grade()
    assert (them.out / "marks.json").read_text() == '[{"student": 1'
