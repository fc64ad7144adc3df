"""The log of the story, from nothing but where things were in that boot."""

import re
from pathlib import Path

import pytest

from pgtlab.arch.fault import status_code_name
from pgtlab.arch.registers import ESR_EL1, ISSDataAbort
from pgtlab.lab.matrix import boots
from pgtlab.lab.trees import Tree
from pgtlab.linux.boot import Boot, Fold, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.kernel.report import Run
from pgtlab.linux.kernel.stack import SAVED
from pgtlab.linux.placement import ANYWHERE, Placement

LOG = Path(__file__).parents[1] / "data/seed/next-20240229.log"
REAL = [line.split("] ", 1)[1] for line in LOG.read_text().splitlines()]
PUD_REAL = [b for b in boots() if isinstance(b, Boot) and b.folded["pud"] is Fold.REAL]
BOOT_4K = boot(Config("4k", 48), CPU.named("max"))
U64 = 1 << 64


def crash(booted: Boot = BOOT_4K, placement: Placement = ANYWHERE) -> Run:
    return Tree.named("next-20240229").start_kernel(booted, placement=placement).run()


def messages(run: Run) -> list[str]:
    return [line.split("] ", 1)[1] for line in run.dmesg]


def registers(lines: list[str]) -> dict[str, int]:
    return {
        name: int(value, 16) for line in lines for name, value in re.findall(r"\b(x\d+|sp) ?: ([0-9a-f]{16})", line)
    }


def functions(lines: list[str]) -> list[str]:
    trace = lines[lines.index("Call trace:") + 1 :]
    names = [re.match(r" ([\w.]+)", line) for line in trace]
    names = [name[1] for name in names[: names.index(None)]]
    return [name for name in names if not name.endswith(".part.0")]  # a function that the compiler cut in two


# What was given by chance in that boot; all else is the kernel's.
PLACES = Placement(
    phys_offset=int(next(line for line in REAL if line.startswith("PHYS_OFFSET")).split()[1], 16),
    page_copy=registers(REAL)["x20"],
    pud_pfn=registers(REAL)["x22"],
)


@pytest.fixture(scope="module")
def run() -> Run:
    return crash(placement=PLACES)


def test_every_line_up_to_the_modules_is_that_of_the_log(run):
    ours = messages(run)
    end = ours.index("Modules linked in:")
    assert ours[:end] == REAL[:end]
    assert end == 17


def test_every_register_that_the_model_knows_has_the_value_of_the_log(run):
    ours, real = registers(messages(run)), registers(REAL)
    assert ours == {name: real[name] for name in ours}
    assert ours.keys() >= {"x0", "x1", "x2", "x3", "x4", "x5", "x20", "x22", "x24", "x29", "sp"}
    oops = run.reports[-1]
    assert oops.registers == {name: value for name, value in ours.items() if name != "sp"}
    assert (oops.address, oops.esr) == (0x8, 0x9600_0004)


def test_the_call_trace_is_that_of_the_log_and_lacks_the_leafs_caller(run):
    ours = messages(run)
    assert functions(ours) == functions(REAL)
    assert functions(ours)[:2] == ["get_pfnblock_flags_mask", "dump_page"]
    for name in ("pc", "lr"):
        (mine,) = (line for line in ours if line.startswith(name))
        (theirs,) = (line for line in REAL if line.startswith(name))
        assert mine == theirs.partition("+")[0]
    assert "lr : __dump_page" in ours


def test_what_comes_after_the_trace_is_in_the_log_too(run):
    ours = messages(run)
    after = ours[ours.index("---[ end trace 0000000000000000 ]---") :]
    assert [line for line in REAL if line in after] == after


def test_the_only_lines_not_in_the_log_are_those_that_name_this_kernel_and_this_compiler(run):
    known = {re.sub(r"\+0x\w+/0x\w+", "", line) for line in REAL}
    odd = [line for line in messages(run) if line not in known]
    assert [line.split(":")[0] for line in odd if not line.startswith("x")] == ["CPU"]


@pytest.mark.parametrize("booted", PUD_REAL, ids=repr)
def test_elsewhere_the_same_arithmetic_gives_other_values(booted):
    k = Tree.named("next-20240229").start_kernel(booted)
    result = k.run()
    oops, found = result.reports[-1], registers(messages(result))
    assert (result.outcome, oops.kind, oops.address) == ("panic", "Oops", 8)
    copy = found["x20"]
    assert k.task_stack < copy < k.task_stack + k.THREAD_SIZE
    assert found["x1"] == ((copy - k.vmemmap) // 64) % U64
    assert found["x4"] == found["x1"] >> k.SECTION_SIZE_BITS - k.PAGE_SHIFT
    assert found["x5"] == found["x4"] // (k.PAGE_SIZE // 32)
    assert (found["x0"], found["x3"]) == ((1 << k.MAX_PHYSMEM_BITS - k.SECTION_SIZE_BITS) - 1, 0)
    assert (found["x22"], found["x24"]) == (result.reports[0].pfn, 0xFFFF_FDFF)
    code = ISSDataAbort(ESR_EL1(oops.esr).ISS).DFSC
    assert status_code_name(code) == f"translation fault, level {booted.start_level}"


@pytest.mark.parametrize(
    ("booted", "pfn"),
    [
        (BOOT_4K, 0x40001),  # the second of RAM: the kernel's image is elsewhere then
        (BOOT_4K, 0x48FFF),
        (BOOT_4K, 0x41000),  # the first of a largest block: the pgd's page is in another one
        (BOOT_4K, 0x18A65D),
        (boot(Config("4k", 52), CPU.named("max")), 0x45555),
        (boot(Config("4k", 52), CPU.named("max,lpa2=off")), 0x45555),
        (boot(Config("16k", 48), CPU.named("max")), 0x11234),
        (boot(Config("16k", 52), CPU.named("max")), 0x1007C),
        (boot(Config("16k", 52), CPU.named("max")), 0x11234),
    ],
)
def test_the_pud_table_gets_the_frame_that_was_asked_for(booted, pfn):
    assert [r.pfn for r in crash(booted, Placement(pud_pfn=pfn)).reports] == [pfn, None]
    assert Tree.named("fixed").start_kernel(booted, placement=Placement(pud_pfn=pfn)).run().outcome == "clean"


def test_the_copy_is_where_it_was_asked_to_be_and_is_a_copy():
    k = Tree.named("next-20240229").start_kernel(BOOT_4K, placement=Placement(page_copy=0xFFFF_8000_8123_4560))
    report, oops = k.run().reports
    assert oops.registers["x20"] == 0xFFFF_8000_8123_4560
    assert k.page_at(oops.registers["x20"]).words() == report.raw


def test_without_a_place_given_the_copy_is_below_the_frames_of_those_that_called():
    def copy(**livepatch):
        k = Tree.named("next-20240229").start_kernel(BOOT_4K)
        k.livepatch(**livepatch)
        return k.run().reports[-1].registers["x20"]

    def one_call_fewer(k, args):
        k.__free_pages(k.virt_to_page(args.start_pudp), 0)

    assert copy(destroy_args=one_call_fewer) - copy() == SAVED
