"""The catalogue of bugs: each shows exactly where it says, and its commit is what does it."""

import inspect
import json
import re

import pytest
from kernels import EVERYWHERE, KINDS

from pgtlab.cli import main
from pgtlab.lab.bugs import BUGS, CONSTRUCTED, Bug, BugError
from pgtlab.lab.bugs.address_space import both_views
from pgtlab.lab.bugs.bug import FIXED
from pgtlab.linux.boot import Fold
from pgtlab.linux.kernel.symbols import is_of_folded_level

DISTINCT = list({(b.config, b.tcr_el1, b.cpu.mmfr0.PARANGE, b.cpu.mmfr1.PAN): b for b in EVERYWHERE}.values())
every_bug = pytest.mark.parametrize("bug", BUGS.values(), ids=list(BUGS))


@pytest.mark.slow
@every_bug
@pytest.mark.parametrize(
    "boots", [pytest.param(KINDS, id="kinds"), pytest.param(DISTINCT, id="distinct", marks=pytest.mark.sweep)]
)
def test_a_bug_shows_exactly_where_it_says(bug, boots):
    """On each kind of page table, and in `make sweep` on all CPUs that a kernel can tell apart."""
    seen = {b: bug.observe(bug.tree.start_kernel(bug.with_options(b))) for b in boots}
    assert [b for b in boots if (seen[b] is not None) != bug.shows(b)] == []
    assert any(seen.values())


@pytest.mark.slow
@every_bug
def test_the_fixed_tree_shows_nothing(bug):
    kernels = [FIXED.start_kernel(bug.with_options(b)) for b in KINDS]
    assert [found for kernel in kernels if (found := bug.observe(kernel))] == []


@every_bug
def test_equivalent_boots_agree(bug):
    assert {b.config for b in bug.boots()} == {bug.with_options(b).config for b in DISTINCT if bug.shows(b)}
    assert list(bug.boots()) == [bug.with_options(b) for b in EVERYWHERE if bug.shows(b)]


# What is observed, in numbers that can be counted by hand. (4K, 52 bits on a CPU with 48, and 16K on one with 47.)


def seen(name, kind, *, options=True):
    (booted,) = (b for b in KINDS if (b.config.page_size_name, b.config.va_bits, b.vabits_actual) == kind)
    bug = Bug.named(name)
    return bug.observe(bug.tree.start_kernel(bug.with_options(booted) if options else booted))


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("fold-puds", ("4k", 48, 48), "Bad page state: nonzero mapcount"),
        ("dump-folio", ("4k", 48, 48), "NULL pointer dereference at virtual address 0000000000000008"),
        ("fold-without-index", ("4k", 52, 48), "level 0 translation fault"),
        ("fold-without-index", ("16k", 52, 47), "level 1 translation fault"),
        ("folded-is-none", ("16k", 52, 47), "allocated by alloc_pages <- __pud_alloc"),
        ("folded-is-bad", ("16k", 52, 47), "Linux's own walk ends with p4d=0000000000000000"),
        ("folded-is-accounted", ("16k", 52, 47), "non-zero pgtables_bytes on freeing mm: -16384"),
        ("pud-without-constructor", ("4k", 48, 48), "VM_BUG_ON_PAGE(!PageTable(page))"),
        ("pte-destructor-twice", ("4k", 39, 39), "VM_BUG_ON_PAGE(!PageTable(page))"),
        ("pmd-without-destructor", ("4k", 39, 39), "Bad page state: nonzero mapcount"),
        ("huge-stubs", ("4k", 39, 39), "pud_set_huge() maps nothing: the entry for 1 GiB at 0x40000000 is 0000000000"),
        ("gathered-flags", ("4k", 48, 48), "after each page fault the write faults again: level 3 permission fault"),
        ("copied-guard", ("4k", 39, 39), "non-zero pgtables_bytes on freeing mm: 4096"),
        ("copied-guard", ("16k", 52, 47), "non-zero pgtables_bytes on freeing mm: 16384"),
        ("shared-is-address", ("4k", 52, 52), "the MMU goes to 0xc0000"),  # 3 << 50
        ("shift-of-64k", ("4k", 52, 52), "to 0x8000000000000; the MMU goes to 0x8000"),  # bit 51 is in bit 15
        ("tg0-from-tg1", ("4k", 39, 39), "translation fault"),
    ],
)
def test_what_is_seen(name, kind, says):
    assert says in seen(name, kind)


def test_tg0_from_tg1():
    bug = Bug.named("tg0-from-tg1")
    assert all("fault" in bug.observe(bug.tree.start_kernel(booted)) for booted in KINDS)


def test_lockless_walk_reads_the_stack():
    """Nothing is there, so the walk finds nothing; another's entry there would be followed."""
    assert seen("pgd-on-the-stack", ("16k", 52, 47)).endswith("reads 0000000000000000")


def test_freed_table_is_reused_while_linked():
    assert "the MMU reads 0000000000000000" in seen("freed-but-linked", ("4k", 39, 39), options=False)


@pytest.mark.parametrize("booted", list(Bug.named("freed-but-linked").boots())[::5], ids=repr)
def test_freed_table_with_poison(booted):
    """The address of the fault is that of an entry in the table that poison, taken for a PMD entry, would name."""
    bug = Bug.named("freed-but-linked")
    k = bug.tree.start_kernel(booted)
    assert "the MMU reads aaaaaaaaaaaaaaaa at" in bug.observe(k)
    report = k.reports[-1]
    assert report.kind == "Oops"
    table = k.__va(k.pmd_pgtable(0xAAAA_AAAA_AAAA_AAAA).pfn << k.PAGE_SHIFT)
    assert 0 <= report.address - table < k.PAGE_SIZE


@pytest.mark.parametrize("name", ["wrprotect-cleans", "small-pgd", "pgd-on-the-stack", "copied-guard"])
def test_bugs_that_debug_vm_pgtable_misses(name):
    """Which is why these are taught."""
    bug = Bug.named(name)
    shown = {(b.config, b.vabits_actual): b for b in bug.boots()}.values()
    outcomes = {bug.tree.start_kernel(b).run().outcome for b in shown}
    assert outcomes == ({"report"} if name == "copied-guard" else {"clean"})


# The catalogue.


def test_catalogue():
    assert len(BUGS) >= 10
    for name, bug in BUGS.items():
        assert name == bug.name == bug.commit.name
        assert bug.tree.commits == (*FIXED.commits, bug.commit)
        assert bug.upstream == CONSTRUCTED or re.search(r"\b[0-9a-f]{12} ", bug.upstream)
    assert len({bug.symptom for bug in BUGS.values()}) == len(BUGS)


@every_bug
def test_texts_of_a_bug_are_sentences(bug):
    assert bug.symptom.endswith(".")
    assert bug.symptom.count(". ") == 0
    assert 2 <= bug.cause.count(". ") + 1 <= 4
    assert bug.where[-1] != "."


@pytest.mark.slow
@every_bug
def test_diff_of_a_bug(bug):
    lines = bug.diff().splitlines()
    changed = [line for line in lines if line.startswith("+++ ")]
    assert changed
    assert set(changed) <= {f"+++ {name}() of {bug.name}" for name in bug.commit.functions}
    kernel = FIXED.start_kernel(next(bug.boots()))
    for name, function in bug.commit.functions.items():
        assert list(inspect.signature(function).parameters) == list(inspect.signature(kernel.symbols[name]).parameters)
    assert all(line[0] in " +-@" for line in lines)
    assert not any(line.startswith(("+@", "-@")) for line in lines)


def test_function_of_a_folded_level():
    bug = Bug.named("pgd-on-the-stack")
    (function,) = bug.commit.functions.values()
    assert is_of_folded_level(function)
    for booted in KINDS:
        symbol = bug.tree.start_kernel(booted).symbols["p4d_offset_lockless"]
        assert (symbol is function) == (booted.folded["p4d"] is Fold.COMPILE_TIME)


def test_unknown_bug():
    with pytest.raises(BugError, match=r"unknown bug 'heisen': choose from fold-puds, .* and tg0-from-tg1"):
        Bug.named("heisen")


# The command.


def test_bugs_command_lists_all(capsys):
    assert main(["bugs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(BUGS)
    assert main(["bugs", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {bug["bug"]: bug["symptom"] for bug in listed} == {name: bug.symptom for name, bug in BUGS.items()}


@every_bug
def test_bugs_command_explains_one(bug, capsys):
    assert main(["bugs", bug.name]) == 0
    text = capsys.readouterr().out
    assert main(["bugs", bug.name, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    for part in (bug.symptom, bug.upstream, answer["seen"], answer["diff"], bug.where):
        assert part in text
    assert " ".join(bug.cause.split()) in " ".join(text.split())
    assert [(b["page_size"], b["va_bits"], b["pa_bits"], b["cpu"]) for b in answer["shows"]] == [
        (b.config.page_size, b.config.va_bits, b.config.pa_bits, b.cpu.name) for b in bug.boots()
    ]


def test_bugs_command_with_unknown_name(capsys):
    assert main(["bugs", "heisen"]) == 2
    assert "unknown bug 'heisen': choose from fold-puds" in capsys.readouterr().err


# What triggers bugs.


@pytest.mark.parametrize("booted", KINDS[:3])
def test_a_page_of_a_process_is_read_as_the_process_reads_it(booted):
    """Without PTE_USER, AP[1], the kernel could read the page, and EL0 may not."""
    k = FIXED.start_kernel(booted)
    assert both_views(k) is None
    k.livepatch(pfn_pte=lambda k, pfn, prot: pfn << k.PAGE_SHIFT | prot & ~(1 << 6))
    assert "the MMU has a level 3 permission fault" in str(both_views(k))


def test_another_frame_than_the_one_that_was_mapped():
    k = FIXED.start_kernel(KINDS[0])
    assert both_views(k, 0x4_1234) is None
    k.livepatch(pfn_pte=lambda k, pfn, prot: pfn + 1 << k.PAGE_SHIFT | prot)
    assert re.fullmatch(r"Linux mapped 0x\w+ to 0x41234000; the MMU goes to 0x41235000", str(both_views(k, 0x4_1234)))


def test_an_entry_of_which_linux_makes_another_frame():
    k = FIXED.start_kernel(KINDS[0])
    k.livepatch(pte_pfn=lambda k, pte: 0)
    assert re.search(r"and so does the MMU; Linux's own walk ends with pte=\w{16}$", str(both_views(k, 0x4_1234)))
