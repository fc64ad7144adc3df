"""Whatever an answer does, judging it ends with a sentence that a learner can use."""

import _thread
import signal
import threading
from functools import partial
from xml.etree import ElementTree

import pytest

from pgtlab import Config, boot, decompose
from pgtlab.lab import attempt, check
from pgtlab.lab.exercise import ExerciseError
from pgtlab.lab.result import Finding, Result


def first_hint(answer) -> str:
    return check("03_pud_free", answer).findings[0].hint


def answer(body: str):
    """The answer to exercise 3 with this body, which starts in line 2."""
    return attempt.define(f"def pud_free(k, mm, pud):\n{body}", "<answer>")["pud_free"]


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ("  1 / 0", "`pud_free()` stopped in line 2, `1 / 0`: ZeroDivisionError: division by zero"),
        (
            "  k.pud_fre(pud)",
            "in line 2, `k.pud_fre(pud)`: `k.pud_fre` is not given here: `k` has pgtable_l4_enabled,",
        ),
        ("  k.free_page(page)", "in line 2, `k.free_page(page)`: NameError: name 'page' is not defined"),
        ("  assert pud\n  assert not pud", "in line 3, `assert not pud`: AssertionError"),
        ("  raise SystemExit", "in line 2, `raise SystemExit`: SystemExit"),
        (
            "  pud_free(k, mm, pud)",
            "in line 2, `pud_free(k, mm, pud)`: RecursionError: maximum recursion depth exceeded",
        ),
        ("  if k.pgtable_l4_enabled: return", "`k.pgtable_l4_enabled` is a function: without the parentheses"),
        ("  k.pagetable_dtor(pud)", "`k.pagetable_dtor()` got a number, an address, where a `struct page` is wanted."),
        ("  return print", "What `pud_free()` returned could not be used: a value of type builtin_function_or_method"),
        ("  raise ValueError('one\\ntwo')", "ValueError: one"),
        ("  raise NotImplementedError", "`pud_free()` is not written yet."),
    ],
)
def test_an_exception_is_one_sentence_with_its_line(body, hint):
    hint_given = first_hint(answer(body))
    assert hint in hint_given
    assert "\n" not in hint_given


def test_exception_in_a_helper_function():
    helper = attempt.define("def helper():\n  pass\n  1 / 0", "<another cell>")["helper"]
    caller = answer("  helper()")
    caller.__globals__["helper"] = helper
    assert "in line 2, `helper()`: ZeroDivisionError" in first_hint(caller)


def test_no_more_checks_after_an_exception():
    findings = check("03_pud_free", answer("  1 / 0")).findings
    assert [finding.state for finding in findings] == ["wrong", *["not judged"] * (len(findings) - 1)]


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        (None, "`check()` needs your function itself, `pud_free`, and got `None`."),
        (lambda k, pud: None, "`pud_free` takes `(k, pud)`, and is called with `(k, mm, pud)`."),
        (lambda k, mm, pud, *, really: None, "`pud_free` takes `(k, mm, pud, *, really)`, and is called with"),
    ],
)
def test_wrong_parameters(given, hint):
    assert hint in first_hint(given)


@pytest.mark.parametrize(
    "given", [print, partial(lambda do, k, mm, pud: do, True), type("Callable", (), {"__call__": max})]
)
def test_any_callable_is_judged(given):
    assert not check("03_pud_free", given).passed


def odd(name, **more):
    def fails(*args):
        raise RuntimeError("no")

    return type("Odd", (), {name: fails, **more})()


def with_signature(*args):
    return 1


with_signature.__signature__ = "x"


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: with_signature, "`page_to_pfn` does not say what parameters it takes: TypeError: "),
        (lambda: odd("__getattr__", __call__=lambda *args: 1), "takes: RuntimeError: no."),
        (lambda: odd("__getattribute__", __call__=lambda *args: 1), "`page_to_pfn"),
        (lambda: odd("__repr__"), "needs your function itself, `page_to_pfn`, and got `<an object of the type Odd>`."),
        (lambda: lambda pointer, vmemmap, size, frames: 1 << 999, "`0x8000"),
        (lambda: lambda pointer, vmemmap, size, frames: 1 << 4_000_000, "a number of 4000001 bits is larger than any"),
    ],
)
def test_whatever_is_given_the_hint_is_a_short_sentence(make, told):
    hint = check("18_page_to_pfn", make()).findings[0].hint
    assert told in hint
    assert len(hint) < 500


def test_what_is_returned_must_be_usable():
    assert (
        "You returned `None`, which is not an address." in check("02_pud_offset", lambda k, p4dp, addr: None).feedback
    )
    assert "Return two values" in check("01_indices", lambda va, page_size, va_bits, vabits_actual: va).feedback


def test_a_number_that_lies_about_itself_is_read_as_it_is():
    class Any(int):
        def __eq__(self, other):
            return True

        __hash__ = int.__hash__

    assert check("02_pud_offset", lambda k, p4dp, addr: Any(7)).points == 0


def test_what_must_be_found_alone_cannot_call_the_package():
    def indices(va, page_size, va_bits, vabits_actual):
        try:
            return decompose(va, boot(Config("4k", 48)))
        except Exception:
            return {3: 0}, 0

    judged = check("01_indices", indices)
    assert (judged.state, judged.points) == ("stopped", 0)
    assert judged.feedback.endswith("a function of this package: compute it yourself.")


@pytest.mark.parametrize(
    "body",
    ["  while True: pass", "  while True:\n    try: pud / 0\n    except Exception: pass"],
    ids=["loop", "caught"],
)
# The alarm may ring within a callback of the garbage collector, as hypothesis has one, and be lost; it rings again.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_endless_loop_is_stopped(monkeypatch, body):
    monkeypatch.setattr(attempt, "SECONDS", 0.2)
    assert "`pud_free()` was still busy in line" in first_hint(answer(body))


def test_judging_outside_the_main_thread():
    found = []
    body = "  page = k.virt_to_page(pud)\n  k.pagetable_dtor(page)\n  k.pagetable_free(page)"
    thread = threading.Thread(target=lambda: found.append(check("03_pud_free", answer(body))))
    thread.start()
    thread.join()
    assert (found[0].points, found[0].state, found[0].misconception) == (3, "partly", "folded-is-freed")


def test_the_stop_button_still_works():
    """Jupyter's interrupt arrives in the process that judges."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the shell of the tests does
    threading.Timer(0.5, _thread.interrupt_main).start()
    with pytest.raises(KeyboardInterrupt):
        check("03_pud_free", answer("  while True: pass"))


def test_an_answer_cannot_pretend_that_the_learner_stopped_it():
    assert "in line 2, `raise KeyboardInterrupt`: KeyboardInterrupt" in first_hint(answer("  raise KeyboardInterrupt"))


def test_unknown_exercise():
    with pytest.raises(ExerciseError, match=r"exercise '03_pud_fre' does not exist: did you mean 03_pud_free\?"):
        check("03_pud_fre", print)


RESULT = Result(
    "03_pud_free",
    0,
    (
        Finding("one", "It is `so`.", "right"),
        Finding("two", "It is <so>.", "wrong", "Is `a < b` and `c`?"),
        Finding("three", "And so.", "not judged"),
    ),
)


def test_a_result_reads_well_as_text():
    assert str(RESULT) == ("03_pud_free: 1 of 3 checks\n✓ It is `so`.\n✗ It is <so>.\n  Is `a < b` and `c`?\n– And so.")


def test_a_result_in_a_notebook_is_well_formed_and_says_its_marks():
    shown = RESULT._repr_mimebundle_()
    assert shown["text/plain"] == str(RESULT)
    tree = ElementTree.fromstring(shown["text/html"])
    assert "".join(tree.itertext()) == ("03_pud_free: 1 of 3 checks✓ It is so.✗ It is <so>.Is a < b and c?– And so.")
    assert [code.text for code in tree.iter("code")] == ["so", "a < b", "c"]
    assert [span.get("aria-label") for span in tree.iter("span") if span.get("role")] == [
        "right",
        "wrong",
        "not judged",
    ]
