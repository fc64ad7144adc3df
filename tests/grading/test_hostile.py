"""Hostile submissions beside others: each gets the mark that its answer deserves, and changes no other's."""

import csv
import json
import os
from pathlib import Path

import pytest
from grading.a_class import HALF, RIGHT, STUB, WRONG, exercises, notebook, submit

from pgtlab.cli import main
from pgtlab.lab.grading.sandbox import works

pytestmark = pytest.mark.long  # it grades hostile answers, each in a process of its own
KIND = "bwrap" if works("bwrap") else "limits"


def hostile(body: str) -> str:
    return "def pud_free(k, mm, pud):\n" + "\n".join(f"    {line}" for line in body.splitlines())


def top(text: str, answer: str = WRONG) -> str:
    return f"{text}\n\n{answer}"


PATCHES = """\
import pgtlab.lab.result, pgtlab.lab.attempt, pgtlab.linux.kernel.running as running
pgtlab.lab.result.Result.points = 5
pgtlab.lab.attempt.trouble_with = lambda *a: pgtlab.lab.attempt.Trouble()
running.Kernel.run = lambda self: None
"""
SPEAKS_FOR_THE_JUDGE = """\
import gc, sys
for each in gc.get_objects():
    if type(each).__name__ == "Judge":
        for _ in range(3):
            each.send("result", {"points": 5})
k.free_page(pud)"""
READS = """\
import os
for folder, _, files in os.walk("/"):
    for name in files:
        if name == "01_free.py":
            exec(open(os.path.join(folder, name)).read().split('tags=["solution"]')[1].split("# %%")[0], globals())
            return globals()["pud_free"](k, mm, pud)
k.free_page(pud)"""
#: What is submitted, and the points and the state that it must get.
SUBMISSIONS = {
    "right": (RIGHT, 5, "solved"),
    "half": (HALF, 2, "partly"),
    "stub": (STUB, 0, "not written"),
    "wrong": (WRONG, 0, "wrong"),
    "replaces check": (top("check = lambda *a, **k: 5"), 0, "wrong"),
    "patches the model": (top(PATCHES), 0, "wrong"),
    "replaces builtins": (top("import builtins\nbuiltins.any = builtins.all = lambda *a: True"), 0, "wrong"),
    "prints a result": (top('print(\'{"points": 5, "state": "solved"}\')'), 0, "wrong"),
    "right, and prints": (top("print('5 of 5')", RIGHT), 5, "solved"),
    "writes to every file": (hostile("import os\n[os.write(n, b'x' * 99) for n in range(9)]"), 0, "stopped"),
    "speaks for the judge": (hostile(SPEAKS_FOR_THE_JUDGE), 0, "stopped"),
    "reads the solution": (hostile(READS), 0, "wrong"),
    "changes the reports": (hostile("k.free_page(pud)\nk._kernel.reports.clear()"), 0, "stopped"),
    "takes the kernel": (hostile("k.__class__.__init__.__globals__['sys']._getframe(9)"), 0, "stopped"),
    "leaves the process": (hostile("import os\nos._exit(0)"), 0, "stopped"),
    "leaves at the top": (top("import os\nos._exit(0)", RIGHT), 0, "stopped"),
    "raises SystemExit": (top("raise SystemExit", RIGHT), 0, "stopped"),
    "raises BaseException": (hostile("raise BaseException('x')"), 0, "stopped"),
    "raises itself": (hostile("class E(Exception):\n    def __str__(self): raise self\nraise E"), 0, "stopped"),
    "returns a liar": (
        hostile("class L:\n    __eq__ = lambda *a: True\n    __bool__ = __eq__\nk.free_page(pud)\nreturn L()"),
        0,
        "stopped",
    ),
    "recurses": (hostile("return pud_free(k, mm, pud)"), 0, "stopped"),
    "recurses by way of the kernel": (hostile("return [pud_free(k, mm, p) for p in [pud]]"), 0, "stopped"),
    "exhausts memory": (hostile("kept = []\nwhile True: kept.append(bytearray(b'x' * (1 << 26)))"), 0, "stopped"),
    "asks for memory": (hostile("bytearray(1 << 45)"), 0, "stopped"),
    "forks": (hostile("import os\nos.fork()\nk.free_page(pud)"), 0, "wrong"),
    "is a fork bomb": (hostile("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"), 0, "stopped"),
    "leaves a thread": (
        hostile(
            "import threading\nthreading.Thread(target=lambda: [0 for _ in iter(int, 1)]).start()\nk.free_page(pud)"
        ),
        0,
        "wrong",
    ),
    "kills its family": (
        hostile("import os, signal\nos.kill(os.getppid(), 9)\nos.kill(0, 9)"),
        0,
        "stopped" if KIND == "bwrap" else "not graded",  # elsewhere it can kill the process that judges it
    ),
    "crashes": (hostile("import ctypes\nctypes.string_at(0)"), 0, "stopped"),
    "ignores signals": (
        hostile("import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True:\n    pass"),
        0,
        "stopped",
    ),
    "deletes everything": (top("import shutil\nshutil.rmtree('/tmp', True)" if KIND == "bwrap" else ""), 0, "wrong"),
    "asks the network": (
        hostile("import socket\nsocket.create_connection(('127.0.0.1', 9), 1)"),
        0,
        "stopped",
    ),
    "is HTML": (hostile("raise ValueError('<script>alert(1)</script>=1+1')"), 0, "stopped"),
}
FILES = {
    "empty": (b"", "unreadable"),
    "truncated": (notebook(RIGHT)[:300], "unreadable"),
    "not json": (b"\xff\xfeanswer", "unreadable"),
    "not a notebook": (b"[1, 2]", "unreadable"),
    "deeply nested": (b"[" * 200_000, "unreadable"),
    "without cells": (b'{"cells": {}}', "unreadable"),
    "odd cells": (b'{"cells": [1, {"cell_type": "code"}, {"cell_type": "code", "source": [1, null]}]}', "no answer"),
    "syntax": (notebook("def pud_free(k, mm, pud)\n    pass"), "stopped"),
    "null byte": (notebook("def pud_free(k, mm, pud):\n    '\0'"), "stopped"),
    "other name": (notebook("def pud_fre(k, mm, pud): pass"), "no answer"),
    "a number": (notebook("pud_free = 5"), "stopped"),
    "wrong parameters": (notebook("def pud_free(pud): pass"), "stopped"),
    "renamed cell": (notebook("import math", RIGHT, tag="mine"), "solved"),
    "answer twice": (notebook(WRONG, RIGHT), "solved"),
    "stub after it": (notebook(RIGHT, "# my notes"), "solved"),
    "magic": (notebook("%load_ext autoreload\n!ls\n" + RIGHT), "solved"),
    "<img src=x onerror=alert(1)>": (b"", "unreadable"),
    "copied": (notebook(RIGHT), "solved"),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The marks of all of them, by student."""
    folder = tmp_path_factory.mktemp("class")
    for student, (answer, _, _) in SUBMISSIONS.items():
        submit(folder / "in", student, notebook(answer, seed=student))
    for student, (data, _) in FILES.items():
        submit(folder / "in", student, data)
    submit(folder / "in", "copy", notebook(RIGHT))
    out = folder / "marks" / "marks.csv"
    texts = exercises(folder / "texts")
    words = ["grade", str(folder / "in"), "--out", str(out), "--exercises", str(texts), "--sandbox", KIND]
    assert main([*words, "--seconds", "2"]) == 0
    return out


def rows(out: Path) -> dict[str, dict[str, str]]:
    return {row["student"]: row for row in csv.DictReader(out.open())}


def test_at_least_twenty_hostile_ones_are_tried():
    assert len(SUBMISSIONS) - 4 >= 20


@pytest.mark.parametrize("student", SUBMISSIONS)
def test_an_answer_gets_what_it_deserves(graded, student):
    if student == "reads the solution" and KIND != "bwrap":
        pytest.skip("only a sandbox hides files")
    _, points, state = SUBMISSIONS[student]
    row = rows(graded)[student]
    assert (int(row["points"]), row["state"]) == (points, state), row["feedback"] or row["note"]
    assert row["feedback"] or state == "solved"
    assert "\n" not in row["feedback"]


@pytest.mark.parametrize("student", FILES)
def test_a_file_gets_a_state_and_a_sentence(graded, student):
    row = rows(graded)[student]
    assert row["state"] == FILES[student][1], row["feedback"]
    assert row["feedback"] or row["state"] == "solved"


def test_files_that_are_the_same_are_reported(graded):
    assert rows(graded)["copied"]["note"] == "The file is the same as that of copy."
    assert rows(graded)["renamed cell"]["note"] == "The answer is not in the cell that was made for it."
    assert rows(graded)["answer twice"]["note"].startswith("The answer's cell is there more than once")


def test_nothing_on_the_page_is_markup_of_a_student(graded):
    page = graded.with_suffix(".html").read_text()
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;img src=x" in page


def test_the_json_has_the_same_marks(graded):
    data = json.loads(graded.with_suffix(".json").read_text())
    assert {mark["student"]: mark["points"] for mark in data["marks"]} == {
        student: int(row["points"]) for student, row in rows(graded).items()
    }
    assert any("Sandbox: " in fact for fact in data["facts"])


def test_grading_again_gives_the_same_and_judges_nothing(graded, monkeypatch):
    before = graded.read_bytes(), graded.with_suffix(".html").read_bytes()
    monkeypatch.setattr("pgtlab.lab.grading.classes._executor", None)
    folder = graded.parents[1]
    words = ["grade", str(folder / "in"), "--out", str(graded), "--exercises", str(folder / "texts"), "--sandbox", KIND]
    assert main(words) == 0
    assert (graded.read_bytes(), graded.with_suffix(".html").read_bytes()) == before


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="without /proc")
def test_nothing_is_left_running(graded):
    left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if b"worker/child.py" in _read(path)]
    mine = [
        path for path in left if str(Path(__file__).parents[2]).encode() in _read(path) and KIND.encode() in _read(path)
    ]
    assert mine == []


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
