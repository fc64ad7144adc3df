"""`check(kernel)` judges a fix by what the kernel does with it in every configuration, not by its text."""

import functools
import inspect

import pytest

from pgtlab import CPU, Config, boot
from pgtlab.lab import attempt, check, kernel_checks
from pgtlab.lab.bugs import BUGS
from pgtlab.lab.bugs.bug import FIXED
from pgtlab.lab.exercise import ExerciseError
from pgtlab.lab.trees import CALL_THE_DESTRUCTOR, USE_THE_REAL_PFN, Tree
from pgtlab.lab.variants import distinct_boots
from pgtlab.linux.kernel.report import Report
from pgtlab.linux.kernel.symbols import is_of_folded_level

pytestmark = pytest.mark.slow  # each check tries several kernels

ANY = boot(Config("4k", 48), CPU.named("max"))
SOME = [ANY, boot(Config("16k", 52), CPU.named("max,lpa2=off")), boot(Config("64k", 52), CPU.named("max"))]


def wrong(result) -> dict[str, str]:
    """The checks that failed, with their hints."""
    return {finding.check: finding.hint for finding in result.findings if finding.state == "wrong"}


def patched(tree, booted=ANY, **functions):
    kernel = Tree.named(tree).start_kernel(booted)
    kernel.livepatch(**functions)
    return kernel


@pytest.mark.parametrize(
    ("tree", "failed"),
    [
        ("next-20240229", {"survives", "no_report", "nothing_lost", "counters"}),
        ("arm64-for-next", {"no_report", "nothing_lost", "counters"}),
        ("next+fix-dump-page", {"no_report", "nothing_lost", "counters"}),
        ("mm-unstable", set()),
        ("next+fix-pud-free", set()),
        ("fixed", set()),
    ],
)
def test_trees_of_the_story(tree, failed):
    assert wrong(check(patched(tree))).keys() == failed


@pytest.mark.slow
@pytest.mark.parametrize("tree", ["next-20240229", "arm64-for-next"])
@pytest.mark.parametrize("kind", [("4k", 39, "max"), ("16k", 52, "neoverse-n1"), ("16k", 52, "max")])
def test_fix_of_the_thread_passes_in_any_configuration(tree, kind):
    """A kernel without PUDs is clean before and after; the other configurations are judged all the same."""
    page_size, va_bits, cpu = kind
    booted = boot(Config(page_size, va_bits), CPU.named(cpu))
    assert check(patched(tree, booted, **CALL_THE_DESTRUCTOR.functions)).passed
    assert not check(patched(tree, booted)).passed


def test_other_fix_alone_leaves_the_report():
    failed = wrong(check(patched("next-20240229", **USE_THE_REAL_PFN.functions)))
    assert "survives" not in failed
    assert "still says page table" in failed["no_report"]


def without_asking(k, mm, pud):
    k.__pud_free(mm, pud)


def twice(k, mm, pud):
    if k.pgtable_l4_enabled():
        k.__pud_free(mm, pud)
        k.free_page(pud)


def not_at_all(k, mm, pud):
    pass


def destructor_alone(k, mm, pud):
    if k.pgtable_l4_enabled():
        k.pagetable_pud_dtor(k.virt_to_page(pud))


def destructor_twice(k, mm, pud):
    if k.pgtable_l4_enabled():
        k.pagetable_pud_dtor(k.virt_to_page(pud))
        k.vmstat["nr_page_table_pages"] -= 1
        k.free_page(pud)


@pytest.mark.parametrize(
    ("pud_free", "failed", "check_name", "hint"),
    [
        (
            without_asking,
            {"survives", "no_report", "folded", "nothing_lost", "counters"},
            "folded",
            "the level exists?",
        ),
        (
            twice,
            {"freed_once", "survives", "no_report", "nothing_lost", "counters"},
            "freed_once",
            "What freed it before",
        ),
        (not_at_all, {"nothing_lost", "counters", "beyond"}, "nothing_lost", "allocated by alloc_pages <- __pud_alloc"),
        (destructor_alone, {"nothing_lost", "beyond"}, "nothing_lost", "which function should free it"),
        (
            destructor_twice,
            {"counters", "beyond"},
            "counters",
            "ends at -1. A destructor ran for a table without its constructor",
        ),
    ],
)
def test_each_mistake_fails_its_checks(pud_free, failed, check_name, hint):
    found = wrong(check(patched("arm64-for-next", pud_free=pud_free)))
    assert found.keys() == failed
    assert hint in found[check_name]


def test_any_function_may_be_patched():
    found = wrong(check(patched("fixed", pte_mkold=lambda k, pte: pte)))
    assert found.keys() == {"no_report"}
    assert "debug_vm_pgtable.py:" in found["no_report"]


TOO_LATE = {"shared-is-address", "tg0-from-tg1"}  # functions that ran at boot, before any patch
PATCHES = {
    name: functions
    for name, bug in BUGS.items()
    if name not in TOO_LATE
    and (functions := {name: f for name, f in bug.commit.functions.items() if not is_of_folded_level(f)})
}


@pytest.fixture(autouse=True)
def some_kernels(monkeypatch):
    """Let `check()` try few kernels: all 17 are tried by the exercises, by the bug lab, and by `make sweep`."""
    monkeypatch.setattr(kernel_checks, "distinct_boots", lambda: tuple(SOME))


@pytest.fixture(params=["some kernels", pytest.param("all kernels", marks=pytest.mark.sweep)])
def tried_on(request, monkeypatch):
    """Let `check()` try those of some kernels where a bug shows or a level folds in another way, or all 17."""

    def choose(bug):
        shows = next(booted for booted in distinct_boots() if bug.shows(booted))
        tried = tuple(dict.fromkeys([shows, *SOME])) if request.param == "some kernels" else distinct_boots()
        monkeypatch.setattr(kernel_checks, "distinct_boots", lambda: tried)

    return choose


@pytest.mark.long
@pytest.mark.parametrize("name", PATCHES)
def test_bug_of_the_catalogue_does_not_pass_as_a_fix(name, tried_on):
    """Many of them are not found by debug_vm_pgtable."""
    tried_on(BUGS[name])
    assert not check(patched("fixed", next(BUGS[name].boots()), **PATCHES[name])).passed


@pytest.fixture(params=BUGS)
def tree_with_a_bug(request):
    """A bug, its tree where it shows, and the functions of the bad commit as the fixed tree has them there."""
    bug = BUGS[request.param]
    booted = next(bug.boots())
    good = FIXED.start_kernel(booted).symbols
    return bug, bug.tree.start_kernel(booted), {name: good[name] for name in bug.commit.functions}


@pytest.mark.long
def test_bug_of_the_catalogue_passes_only_when_repaired(tree_with_a_bug, tried_on):
    bug, kernel, good = tree_with_a_bug
    tried_on(bug)
    as_booted = check(kernel)
    kernel.livepatch(**{name: wrapped(kernel.symbols[name]) for name in good})
    with_the_bug = check(kernel)
    kernel.livepatch(**good)
    repaired = check(kernel)
    assert (as_booted.passed, with_the_bug.passed) == (False, False)
    if bug.name in TOO_LATE:
        for result in (as_booted, with_the_bug, repaired):
            assert f"not judged: `{next(iter(good))}()` runs at boot, before any livepatch" in result.headline
            assert result.headline.endswith(f"can fix {bug.name}.")
            assert {finding.state for finding in result.findings} == {"not judged"}
    else:
        assert as_booted.reason == with_the_bug.reason == ""
        assert repaired.passed, repaired


def wrapped(function):
    """Another function that does the same."""

    @functools.wraps(function)
    def same(*args, **named):
        return function(*args, **named)

    return same


def test_same_functions_in_a_story_tree_and_a_bug_tree():
    """A story tree passes once its first report is gone; the tree of a bug, once that bug is gone."""
    bug = BUGS["dump-folio"]
    of_the_story, of_the_bug = patched("next+fix-pud-free"), bug.tree.start_kernel(ANY)
    assert of_the_story.replaced == of_the_bug.replaced
    assert check(of_the_story).passed
    assert (
        "Is everything that the bad commit, dump-folio, changed back as it was?" in wrong(check(of_the_bug))["beyond"]
    )


@pytest.mark.parametrize(
    ("name", "silenced", "failed", "hint"),
    [
        ("dump-folio", "bad_page", "beyond", "`BUG: Bad page state in process swapper/0  pfn:"),
        ("dump-folio", "dump_page", "beyond", "`page: refcount:0 mapcount:1 "),
        ("dump-folio", "__dump_page", "beyond", "`page: refcount:0 mapcount:1 "),
        ("folded-is-accounted", "check_mm", "tests", "it is the function that finds the bug"),
        ("copied-guard", "mm_pgtables_bytes", "tests", "it is the function that finds the bug"),
    ],
)
def test_removing_the_report_is_not_a_repair(name, silenced, failed, hint):
    kernel = BUGS[name].tree.start_kernel(next(BUGS[name].boots()))
    kernel.livepatch(**{silenced: lambda *args: 0})
    found = wrong(check(kernel))
    assert next(iter(found)) == failed
    assert hint in found[failed]


def test_removing_the_test_is_not_a_fix():
    found = wrong(check(patched("next-20240229", debug_vm_pgtable=lambda k: 0)))
    assert "it is the function that finds the bug" in found["tests"]
    assert wrong(check(patched("arm64-for-next", bad_page=lambda k, page, reason: None))).keys() == {
        "nothing_lost",
        "counters",
        "beyond",
    }


def test_a_fix_need_not_repair_other_bugs():
    """dump_page() of a copy on the stack is still in this tree; nothing calls it any more."""
    kernel = patched("next-20240229", **CALL_THE_DESTRUCTOR.functions)
    assert BUGS["dump-folio"].observe(kernel) is not None
    assert check(patched("next-20240229", **CALL_THE_DESTRUCTOR.functions)).passed


def test_exception_in_a_patch_names_function_and_line():
    def pmd_free(k, mm, pmd):
        k.no_such_symbol()

    result = check(patched("fixed", pmd_free=pmd_free, pte_free=lambda k, mm, page: None))
    assert (result.passed, result.score) == (False, 0)
    assert {finding.state for finding in result.findings} == {"not judged"}
    assert result.reason.startswith("`pmd_free()` stopped in line ")
    assert "`k.no_such_symbol()`: AttributeError" in result.reason
    assert result.headline == f"pmd_free(), pte_free(): not judged: {result.reason}"
    assert "<code>pmd_free()</code> stopped" in result._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("body", ["while True: pass", "k.no_such_symbol()"])
# The alarm may go off within a callback of the garbage collector, where it is lost; it goes off again.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_patch_without_source_names_its_line_number(body, monkeypatch):
    monkeypatch.setattr(attempt, "SECONDS", 0.5)
    names = {}
    exec(compile(f"def pud_free(k, mm, pud):\n    {body}", "<stdin>", "exec"), names)
    reason = check(patched("fixed", pud_free=names["pud_free"])).reason
    assert reason.startswith("`pud_free()` ")
    assert " in line 2" in reason
    assert "``" not in reason


@pytest.mark.parametrize("what", [None, 3, Tree.named("fixed"), lambda k, mm, pud: None])
def test_neither_exercise_nor_kernel(what):
    with pytest.raises(ExerciseError, match=r"^`check\(\)` takes the name of an exercise, .* or a kernel, and got .+$"):
        check(what)


def test_a_patch_that_panics_before_the_kernel_reports_anything():
    kernel = Tree.named("arm64-for-next").start_kernel(boot(Config("4k", 48), CPU.named("max")))
    kernel.livepatch(pud_free=lambda k, mm, pud: k.panic("of the learner"))
    said = check(kernel).feedback
    assert "the kernel panics. `" in said
    assert "Kernel panic - not syncing: of the learner`: which function calls panic(), and why?" in said


def test_what_was_not_judged_says_why():
    kernel = Tree.named("arm64-for-next").start_kernel(boot(Config("4k", 48), CPU.named("max")))
    kernel.livepatch(pud_free=lambda k, mm, pud: k.no_such_function())
    result = check(kernel)
    assert result.score == 0
    assert result.feedback == result.reason != ""


def test_judged_kernel_is_unchanged():
    kernel = patched("next-20240229")
    before = list(kernel.log.lines)
    check(kernel)
    assert (list(kernel.log.lines), kernel.reports) == (before, [])


@pytest.mark.parametrize(
    ("report", "hint"),
    [
        (
            Report("BUG", "kernel BUG at mm/slub.c", ("f", "pud_free", "g")),
            "kernel BUG at mm/slub.c, in f() <- pud_free().",
        ),
        (
            Report("Page poison", "memory corruption", ("f", "g")),
            "memory corruption, in f() <- g().",
        ),
    ],
)
def test_reports_of_any_other_kind_have_a_hint_too(report, hint):
    assert kernel_checks._described(report) == f"{hint} What was done to its argument before?"


@pytest.mark.long
@pytest.mark.parametrize("answer", [False, True, 0, None], ids=repr)
@pytest.mark.parametrize("name", PATCHES)
def test_a_constant_is_not_a_fix(name, answer, tried_on):
    """What is right only where the bug shows, such as "never bad", is wrong somewhere."""
    tried_on(BUGS[name])
    kernel = BUGS[name].tree.start_kernel(next(BUGS[name].boots()))
    parameters = {name: ", ".join(inspect.signature(kernel.symbols[name]).parameters) for name in PATCHES[name]}
    kernel.livepatch(**{name: eval(f"lambda {those}: {answer}") for name, those in parameters.items()})
    assert not check(kernel).passed


def of_the_first(k, mm, pud):
    if k.pgtable_l4_enabled() and k.vmstat["nr_page_table_pages"] == 1:
        k.__pud_free(mm, pud)


def on_the_first_cpu(k, mm, pud):
    if k.pgtable_l4_enabled() and k.boot.cpu.name == "max":
        k.__pud_free(mm, pud)


def unless_it_is_the_pgd(k, mm, pud):
    if pud & -k.PAGE_SIZE != mm.pgd & -k.PAGE_SIZE:
        k.__pud_free(mm, pud)


@pytest.mark.parametrize(
    ("pud_free", "passed"), [(of_the_first, False), (on_the_first_cpu, False), (unless_it_is_the_pgd, True)]
)
def test_a_tree_of_the_story_is_judged_beyond_its_test(pud_free, passed):
    """`arm64-for-next` harms what the wrong fixes harm: that is no excuse, and another way to be right is right."""
    assert check(patched("arm64-for-next", pud_free=pud_free), seed="a student").passed is passed
