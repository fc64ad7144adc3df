"""What a sandbox keeps an answer from, in each kind that works on this machine."""

from functools import partial
from pathlib import Path

import pytest

from pgtlab.lab.attempt import AnswerError
from pgtlab.lab.grading import sandbox
from pgtlab.lab.grading.sandbox import SCRATCH, Sandbox, paths, works
from pgtlab.lab.worker.answers import Answers, Text

ROOT = Path(__file__).resolve().parents[2]
each = pytest.mark.parametrize("kind", ["bwrap", "user", "limits"])
apart = pytest.mark.parametrize("kind", ["bwrap", "user"])
CODE = """
import os, socket

def listed(folder):
    return sorted(os.listdir(folder))

def connect(port):
    socket.create_connection(("127.0.0.1", port), 5).close()

def write(path):
    with open(path, "w") as file:
        file.write("x" * 100)
    return os.path.getsize(path)

def room(folder):
    about = os.statvfs(folder)
    return about.f_blocks * about.f_frsize

def processes():
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]

def imported():
    import numpy, pgtlab
    return pgtlab.__file__

def imported_all_the_same():
    import sys
    sys.meta_path[:] = [each for each in sys.meta_path if type(each).__name__ != "_Refuse"]
    import numpy
    import pgtlab.arch
"""


@pytest.fixture
def inside(kind, tmp_path):
    """The functions of an answer in a sandbox of this kind."""
    if not works(kind):
        pytest.skip(f"no sandbox of the kind {kind} here")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "solution.py").write_text("x")
    box = Sandbox.best(kind, (tmp_path / "secret",))
    names = ("listed", "connect", "write", "processes", "imported", "room")
    with (
        box.folder() as folder,
        Answers(
            Text((("<code>", CODE, 0),), names), box.limits, start=box.start, folder=folder, path=paths()[1]
        ) as answers,
    ):
        yield answers.load()


@each
def test_pgtlab_is_there_and_the_folder_is_empty_and_can_be_written(inside):
    assert inside["imported"]() == str(ROOT / "pgtlab" / "__init__.py")
    assert inside["listed"](".") == []
    assert inside["write"]("mine") == 100


@apart
def test_solutions_and_submissions_are_not_there(inside, tmp_path, kind):
    if kind == "user":
        assert inside["listed"](str(tmp_path / "secret")) == []
    else:
        with pytest.raises(AnswerError, match="FileNotFoundError"):
            inside["listed"](str(tmp_path / "secret"))
        with pytest.raises(AnswerError, match="FileNotFoundError"):
            inside["listed"](str(ROOT / "exercises"))


@apart
def test_no_network(inside):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(AnswerError, match=r"OSError|refused|unreach"):
        inside["connect"](server.getsockname()[1])


@apart
def test_no_other_processes(inside):
    assert max(inside["processes"]()) < 10


@pytest.mark.parametrize("kind", ["bwrap"])
def test_the_machines_settings_and_memory_cannot_be_written(inside, kind):
    """Also where root grades: the core pattern is a command that the kernel runs."""
    for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/dev/file"):
        with pytest.raises(AnswerError, match=r"OSError|PermissionError"):
            inside["write"](path)
    assert inside["write"]("/dev/null") == 0
    assert inside["write"]("/dev/shm/x") == 100
    assert inside["room"]("/dev/shm") <= 16 << 20


@pytest.mark.skipif(not works("bwrap"), reason="without bubblewrap")
def test_an_answer_without_the_package_cannot_get_it_back():
    box = Sandbox.best("bwrap")
    text = Text((("<code>", CODE, 0),), ("imported_all_the_same",))
    start = partial(box.start, True)
    how = {"forbidden": ("pgtlab",), "start": start, "folder": SCRATCH, "path": paths()[1]}
    with Answers(text, box.limits, **how) as answers, pytest.raises(AnswerError, match=r"pgtlab\.arch"):
        answers.load()["imported_all_the_same"]()


@apart
def test_no_file_of_pgtlab_can_be_written(inside):
    with pytest.raises(AnswerError, match=r"OSError|PermissionError"):
        inside["write"](str(ROOT / "pgtlab" / "written-by-an-answer"))


def test_the_best_that_works_is_taken_and_says_what_it_is(monkeypatch):
    monkeypatch.setattr(sandbox, "works", lambda kind: kind == "limits")
    assert "has the rights of the user who grades" in Sandbox.best().says
    with pytest.raises(ValueError, match="a sandbox of the kind bwrap does not work here"):
        Sandbox.best("bwrap")


def test_the_folder_that_python_is_in_is_not_hidden():
    assert Sandbox.best("limits", (ROOT, ROOT / "exercises")).hidden == (str(ROOT / "exercises"),)
