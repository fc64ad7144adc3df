"""A learner's code runs in a process of its own: limited, its end is told, and it cannot reach the judge."""

import builtins
import os
import subprocess
import sys
import threading
import time

import pytest

from pgtlab import CPU, Config, boot
from pgtlab.lab import attempt, check, worker
from pgtlab.lab.attempt import AnswerError
from pgtlab.lab.exercise import find, read
from pgtlab.lab.trees import Tree
from pgtlab.lab.worker import wire
from pgtlab.lab.worker.answers import Answers, Text
from pgtlab.lab.worker.contained import contained
from pgtlab.lab.worker.exposed import touched
from pgtlab.lab.worker.process import Limits
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.printk import Panic
from pgtlab.linux.kernel.report import Run

pytestmark = pytest.mark.long  # it starts a process for many tests

SHORT = Limits(seconds=0.3, waiting=0.6, memory=300 << 20)
PATIENT = Limits(seconds=0.3, waiting=60, memory=300 << 20)


def function(body: str, name: str = "answer", parameters: str = "*args"):
    return attempt.define(f"def {name}({parameters}):\n  {body}", f"<{name}>")[name]


def calling(body: str, limits: Limits = Limits(), *args):  # noqa: B008
    with contained({"answer": function(body)}, limits) as functions:
        return functions["answer"](*args)


def sentence(body: str, limits: Limits = Limits(), args: tuple = ()) -> str:  # noqa: B008
    with pytest.raises(AnswerError) as error:
        calling(body, limits, *args)
    return str(error.value)


@pytest.fixture(scope="module")
def booted():
    return boot(Config("4k", 48), CPU.named("max"))


@pytest.mark.parametrize(
    "value",
    [None, True, -3, 2**70, 1.5, float("inf"), "ü", b"\0", (1, [2, {3}]), {1: {"a": ()}}, frozenset({4})],
)
def test_plain_data_comes_back_as_it_went(value):
    returned = calling("return args[0]", Limits(), value)
    assert returned == value
    assert type(returned) is type(value)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("while True: pass", "`answer()` was still busy in line 2, `while True: pass` after 0.3 seconds of computing"),
        ("sum(range(10**13))", "`answer()` was still busy after 0.3 seconds of computing: does it ever end?"),
        (
            "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n  while True:\n"
            "    try: 1 / 0\n    except BaseException: pass",
            "`answer()` was still busy",
        ),
        ("import os; os._exit(3)", "`answer()` ended the process that it ran in, with exit status 3."),
        ("raise BaseException('x')", "`answer()` stopped in line 2, `raise BaseException('x')`: BaseException: x"),
        ("raise GeneratorExit", "in line 2, `raise GeneratorExit`: GeneratorExit"),
        ("raise SystemExit", "in line 2, `raise SystemExit`: SystemExit"),
        ("return answer()", "RecursionError: maximum recursion depth exceeded"),
        ("raise type('Bad', (Exception,), {'__str__': lambda self: 1 / 0})", "`answer()` stopped: Bad"),
        ("raise NotImplementedError", "`answer()` is not written yet."),
    ],
)
def test_what_an_answer_does_to_itself_is_told_in_a_sentence(body, told):
    said = sentence(body, PATIENT if "busy" in told else Limits())
    assert told in said
    assert "\n" not in said


GREEDY = "kept = []\n  while True: kept.append(bytearray(b'x' * (1 << 20)))"
LITTLE = Limits(seconds=10, waiting=60, memory=150 << 20)


def test_memory_is_limited():
    assert "150 MiB" in sentence(GREEDY, LITTLE)
    assert "it ran out of memory" in sentence("bytearray(10**11)", LITTLE)


def test_sleep_is_ended():
    told = sentence("import time; time.sleep(1000)", SHORT)
    assert told.startswith("`answer()` did not return within 0.6 seconds in line 2, `import time; time.sleep(1000)`")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="without fork")
def test_what_an_answer_started_ends_with_it(tmp_path):
    mark = tmp_path / "still alive"
    body = f"import os, time\n  if os.fork() == 0:\n    time.sleep(0.5)\n    open({str(mark)!r}, 'w')\n  return 1"
    assert calling(body) == 1
    time.sleep(0.8)
    assert not mark.exists()


@pytest.mark.parametrize(
    "body",
    [
        "return type('Odd', (), {'__repr__': lambda self: 1 / 0, '__hash__': None, '__eq__': lambda *a: True})()",
        "return (n for n in range(3))",
        "return type('Int', (int,), {'__eq__': lambda *a: True})(3)",
        "return lambda: 3",
    ],
)
def test_what_is_not_plain_data_has_no_methods_left(body):
    returned = calling(body)
    assert returned != 3
    assert repr(returned).startswith("<an object of the type ")


def test_what_an_answer_replaces_stays_in_its_process():
    before = (builtins.any, Kernel.run, Run.__init__, check, attempt.AnswerError)
    assert calling(
        "from pgtlab.linux.kernel import Kernel; Kernel.run = None\n"
        "  import pgtlab.lab.judge as judge; judge.check = judge.judge = None\n"
        "  import builtins, sys; builtins.any = builtins.all = builtins.len = lambda *a: True\n"
        "  sys.modules.clear(); return 1",
        Limits(),
    )
    assert (builtins.any, Kernel.run, Run.__init__, check, attempt.AnswerError) == before


def test_each_answer_finds_a_fresh_process():
    assert calling("import builtins; builtins.left = 1") is None
    assert calling("import builtins; return hasattr(builtins, 'left')") is False


@pytest.mark.parametrize(
    "attack",
    [
        "os.write(n, b'\\0\\0\\0\\4junk')",
        "os.write(n, b'\\xff' * 100)",
        "os.close(n)",
    ],
)
def test_an_answer_that_writes_into_the_pipe_gets_a_sentence(attack):
    each = f"import os\n  for n in range(3, 20):\n    try: {attack}\n    except OSError: pass\n  return 1"
    assert sentence(each).startswith("`answer()` ")


def test_messages_from_an_answer_are_never_pickles():
    with pytest.raises(wire.WireError):
        wire.from_json(b"\x80\x04.")
    assert isinstance(wire.decode({"reduce": "os.system"}, lambda kind, _: wire.unusable(kind)), wire.Unusable)


def test_what_is_printed_is_printed_here(capsys):
    calling("print('seen'); import sys; print('too', file=sys.stderr)")
    assert capsys.readouterr().out == "seen\ntoo\n"


def test_a_flood_of_printing_is_cut_off(capsys):
    calling("[print('x' * 1000) for _ in range(1000)]")
    assert len(capsys.readouterr().out) == 100_000


def test_another_thread_can_stop_an_answer():
    with Answers({"answer": function("while True: pass")}) as answers:
        run = answers.load()["answer"]
        threading.Timer(0.2, answers.stop).start()
        with pytest.raises(AnswerError, match=r"^`answer\(\)` was stopped"):
            run()
        threading.Timer(0.2, answers.stop).start()
        with pytest.raises(AnswerError, match="was stopped"):  # in a new process
            run()


def test_text_is_run_outside_too():
    text = Text((("<patch>", "@(lambda f: [0 for _ in iter(int, 1)])\ndef answer(): pass", 0),), ("answer",))
    with Answers(text, PATIENT) as answers, pytest.raises(AnswerError, match=r"was still busy in line 1, `@\(lambda"):
        answers.load()
    text = Text(
        (("<cell 1>", "1 / 0", 0), ("<cell 2>", "value = (1, 2)\ndef answer(x, y=3): return x", 0)), ("answer", "value")
    )
    with Answers(text, SHORT) as answers:
        loaded = answers.load()
        assert (loaded["answer"](7), loaded["value"]) == (7, (1, 2))


def test_a_package_can_be_forbidden():
    decompose = function("import pgtlab; return 1")
    with (
        contained({"answer": decompose}, alone=True) as functions,
        pytest.raises(AnswerError, match="compute it yourself"),
    ):
        functions["answer"]()


# The model, from outside.


def patched(body: str, booted, tree: str = "fixed", name: str = "pud_free", parameters: str = "k, mm, pud"):
    kernel = Tree.named(tree).start_kernel(booted)
    used = touched(kernel, {name})
    with contained({name: function(body, name, parameters)}, Limits(), used) as functions:
        kernel.livepatch(**functions)
        return kernel, kernel.run()


def test_a_function_of_the_kernel_works_from_outside(booted):
    body = "page = k.virt_to_page(pud); k.pagetable_pud_dtor(page); k.pagetable_free(page)"
    assert patched(body, booted)[1].outcome == "clean"
    assert patched("k.free_page(pud)", booted)[1].outcome == "report"


def test_pages_and_address_spaces_are_read_and_written_from_outside(booted):
    body = (
        "page = k.virt_to_page(pud)\n  assert page == k.virt_to_page(pud) and {page: 1}[k.virt_to_page(pud)]\n"
        "  assert page.page_type == page._mapcount & 0xffffffff and k.boot.vabits_actual == 48 and mm.pgd\n"
        "  page.page_type = 0xffffffff; k.free_page(pud)"
    )
    _, run = patched(body, booted)
    assert (run.outcome, run.nr_page_table_pages) == ("clean", 1)


def test_a_panic_passes_through_an_answer(booted):
    assert patched("k.BUG_ON(True, 'x')", booted)[1].outcome == "panic"
    with contained({"answer": function("args[0]()")}) as functions, pytest.raises(Panic):
        functions["answer"](lambda: (_ for _ in ()).throw(Panic("here")))


@pytest.mark.parametrize(
    "attack",
    [
        "k.run = 1",
        "k.livepatch(pud_free=lambda *a: None)",
        "k.symbols",
        "k.reports.clear()",
        "k._as_booted",
        "k.__init__(None)",
        "k.pud_free.__globals__",
        "k.virt_to_page.__func__",
        "k.init_mm.__class__.__init__.__globals__['sys'].modules",
        "k.memory.__class__.__init__.__globals__['np']; raise KeyError",
        "k.log.lines.clear()",
        "k.page_owner.owners().clear(); k.page_owner._owners",
        "k.virt_to_page(pud)._slot",
    ],
)
def test_what_judges_cannot_be_reached(booted, attack):
    lasting = (Kernel.run, Kernel.livepatch, dict(Tree.named("fixed").start_kernel(booted).symbols))
    with pytest.raises(AnswerError, match=r"^`pud_free\(\)` stopped in line 2"):
        patched(attack, booted)
    assert lasting == (Kernel.run, Kernel.livepatch, dict(Tree.named("fixed").start_kernel(booted).symbols))


def test_a_patch_may_change_what_the_function_that_it_replaces_changes(booted):
    kernel = Tree.named("fixed").start_kernel(booted)
    assert "log" in touched(kernel, set(kernel.symbols))
    assert "log" not in touched(kernel, {"pud_free"})
    assert not touched(kernel, set(kernel.symbols)) & {"reports", "livepatch", "symbols", "run"}


def test_a_solution_scores_the_same_outside():
    exercise = read(find("03_pud_free"))
    assert check("03_pud_free", attempt.define(exercise.code("solution"), "<solution>")["pud_free"]).passed


def test_nothing_is_left_running():
    before = {each.pid for each in _children()}
    calling("return 1")
    left = {each.pid for each in _children()} - before
    assert len(left) <= 1, "the process that is started in advance"


def _children():
    import psutil

    return psutil.Process().children(recursive=True)


def test_a_process_ends_with_the_one_that_started_it():
    code = "from pgtlab.lab.worker.process import prepare, _spare; prepare(); print(_spare[0]._popen.pid)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    import psutil

    assert not psutil.pid_exists(int(done.stdout))


def test_limits_without_posix_are_kept_from_outside(monkeypatch):
    """As on Windows: the process cannot limit itself, and is watched."""
    monkeypatch.setattr(Limits, "for_child", lambda self: {})
    assert "used more than 150 MiB of memory" in sentence(GREEDY, LITTLE)


def test_without_processes_as_in_a_browser_it_runs_here_and_a_sentence_says_so(monkeypatch, capsys):
    monkeypatch.setattr(worker.contained, "NO_PROCESSES", True)
    worker.contained._say_once.cache_clear()
    answer = function("return 3")
    with contained({"answer": answer}) as functions:
        assert functions["answer"] is answer
    with contained({"answer": answer}):
        pass
    assert capsys.readouterr().out == f"{worker.contained.IN_THIS_PROCESS}\n", "once"
