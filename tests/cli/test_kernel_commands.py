"""`pgtlab config`, `decompose` and `debug-vm-pgtable`: what they print, as text and as JSON, and how they exit."""

import json
import re
from pathlib import Path

import pytest

from pgtlab.cli import main

DATA = Path(__file__).parents[1] / "data"
LPA2_16K = ["--page-size", "16k", "--va-bits", "52"]


@pytest.fixture
def run(capsys):
    """Run the command in this process: status, standard output, standard error."""

    def run(*args):
        try:
            status = main(list(args))
        except SystemExit as exit:
            status = exit.code
        out, err = capsys.readouterr()
        return status, out, err

    return run


def test_config_json(run):
    status, out, _ = run("config", *LPA2_16K, "--cpu", "max,lpa2=off", "--json")
    answer = json.loads(out)
    assert status == 0
    assert answer["constants"]["PTRS_PER_PGD"] == 32
    assert answer["constants"]["VMEMMAP_START"] == "0xfffff03fc0000000"  # beyond 2^53: exact as a string
    runtime = answer["runtime"]
    assert (runtime["vabits_actual"], runtime["start_level"]) == (47, 1)
    assert runtime["tcr_el1"] == "0x10001b57551b511"  # of the recorded boot
    assert runtime["folded"] == {"p4d": "folded at compile time", "pud": "folded at run time", "pmd": "real"}


def test_pa_bits_follow_va_bits_unless_they_are_given(run):
    assert json.loads(run("config", *LPA2_16K, "--json")[1])["pa_bits"] == 52
    assert json.loads(run("config", "--page-size", "64k", "--va-bits", "48", "--json")[1])["pa_bits"] == 48
    given = run("config", "--page-size", "64k", "--va-bits", "48", "--pa-bits", "52", "--json")
    assert json.loads(given[1])["pa_bits"] == 52


def test_config_says_so_where_the_kernel_does_not_boot(run):
    status, out, _ = run("config", *LPA2_16K, "--cpu", "cortex-a72", "--json")
    answer = json.loads(out)
    assert status == 0
    assert answer["runtime"] is None
    assert "no 16K granule" in answer["reason"]


def test_decompose_reads_names_and_prints_both_views(run):
    status, out, _ = run("decompose", "PAGE_OFFSET", *LPA2_16K, "--cpu", "neoverse-n1")
    assert status == 0
    assert out.startswith("0xfff0000000000000  neither TTBR")  # a 52-bit address on 47 bits is in neither half
    answer = json.loads(run("decompose", "0xffff_8000_8000_1234", "--json")[1])
    assert [level["index"] for level in answer["hardware"]] == [256, 2, 0, 1]
    assert [level["name"] for level in answer["linux"]] == ["pgd", "p4d", "pud", "pmd", "pte"]


def test_debug_vm_pgtable_exits_1_when_the_kernel_reports_and_0_when_clean(run):
    status, out, _ = run("debug-vm-pgtable", "--tree", "arm64-for-next", *LPA2_16K, "--cpu", "max")
    assert status == 1
    assert "BUG: Bad page state in process swapper/0" in out
    assert "mapcount:-512" in out
    assert run("debug-vm-pgtable", "--tree", "fixed", *LPA2_16K, "--cpu", "max")[0] == 0
    assert run("debug-vm-pgtable", "--tree", "arm64-for-next", *LPA2_16K, "--cpu", "neoverse-n1")[0] == 0


def test_debug_vm_pgtable_json(run):
    status, out, _ = run("debug-vm-pgtable", "--tree", "arm64-for-next", "--json")
    answer = json.loads(out)
    assert (status, answer["outcome"]) == (1, "report")
    (report,) = answer["reports"]
    assert (report["kind"], report["mapcount"]) == ("Bad page state", -512)
    assert any(f"pfn:{report['pfn']:05x}" in line for line in answer["dmesg"])


PLACES = ["--phys-offset", "0xfffff76180000000", "--page-copy", "0xffff80008007b950", "--pfn", "0x18a65d"]


def test_crash_of_the_story(run):
    status, out, _ = run("debug-vm-pgtable", "--tree", "next-20240229", *PLACES)
    assert status == 1
    log = (DATA / "seed/next-20240229.log").read_text()
    for line in out.splitlines():
        if line[15:18] in ("x5 ", "x2 ", "  E", "  F", "  I"):
            assert line[15:] in log
    answer = json.loads(run("debug-vm-pgtable", "--tree", "next-20240229", *PLACES, "--json")[1])
    assert answer["outcome"] == "panic"
    page, oops = answer["reports"]
    assert (page["kind"], page["pfn"]) == ("Bad page state", 0x18A65D)
    assert (oops["kind"], oops["address"], oops["esr"]) == ("Oops", "0000000000000008", "0000000096000004")
    assert oops["registers"]["x1"] == "fffffe0779181ee5"
    assert oops["trace"][:2] == ["get_pfnblock_flags_mask", "dump_page"]


def test_other_placement(run):
    one, other = (
        json.loads(run("debug-vm-pgtable", "--tree", "next-20240229", *places, "--json")[1])["reports"][1]["registers"]
        for places in (PLACES, ["--page-copy", "0xffff80008017b950"])
    )
    assert (one["x20"], other["x20"]) == ("ffff80008007b950", "ffff80008017b950")
    assert one["x1"] != other["x1"]
    assert int(other["x1"], 16) == (0xFFFF_8000_8017_B950 - 0xFFFF_FDFF_BF00_0000 >> 6) % (1 << 64)  # RAM at 1 GiB


def test_trees_lists_each_with_its_commits(run):
    status, out, _ = run("trees")
    assert status == 0
    for text in ("next+fix-pud-free\n", "0dd4f60a2c76  fold-puds", "dump-folio: mm: add __dump_folio() (d67cd9f23139)"):
        assert text in out
    trees = {tree["tree"]: tree["commits"] for tree in json.loads(run("trees", "--json")[1])}
    assert [commit["id"] for commit in trees["next-20240229"]] == ["0dd4f60a2c76", "d67cd9f23139"]
    assert [commit["name"] for commit in trees["fixed"]][2:] == ["fix-dump-page", "fix-pud-free"]


def test_show_prints_the_diff_of_a_commit(run):
    status, out, _ = run("show", "fix-pud-free")
    assert status == 0
    assert out.startswith("commit fix-pud-free\n\n    the first fix of the thread")
    assert "\n-    k.free_page(pud)\n+    k.__pud_free(mm, pud)\n" in out


@pytest.mark.long
def test_matrix_prints_the_outcomes_of_each_tree(run):
    status, out, _ = run("matrix", "next-20240229", "fixed")
    assert status == 0
    first, second = out.split("\n\n")
    assert first.splitlines()[0] == "next-20240229"
    assert first.split().count("panic") == second.split().count("panic") + 21
    assert len({len(line) for line in first.splitlines()[1:]}) == 1  # columns
    answer = json.loads(run("matrix", "fixed", "--json")[1])
    assert list(answer) == ["fixed"]
    assert len(answer["fixed"]) == 13 * 8
    cell = {"page_size": 16384, "va_bits": 52, "pa_bits": 52, "cpu": "a64fx", "outcome": "no boot"}
    assert cell in answer["fixed"]


def test_run_and_skipped_tests(run):
    def answer(*options):
        return json.loads(run("debug-vm-pgtable", "--tree", "fixed", "--json", *options)[1])

    both, off = answer(), answer("--kconfig", "CONFIG_TRANSPARENT_HUGEPAGE=n", "--kconfig", "NUMA_BALANCING=n")
    gone = set(both["tests"]) - set(off["tests"])
    assert gone == set(off["skipped"]) - set(both["skipped"])
    assert gone >= {"pmd_thp_tests", "pmd_basic_tests", "pte_protnone_tests", "pmd_protnone_tests"}
    assert "hugetlb_basic_tests" in off["tests"]
    assert "pte_soft_dirty_tests" in both["skipped"]  # arm64 has none
    log = run("debug-vm-pgtable", "--tree", "fixed", "--kconfig", "DYNAMIC_DEBUG=y")[1]
    assert list(dict.fromkeys(re.findall(r"\[(\w+_tests) *\]", log))) == both["tests"]


def test_a_cpu_without_the_granule_does_not_boot(run):
    status, out, _ = run("debug-vm-pgtable", *LPA2_16K, "--cpu", "a64fx", "--json")
    answer = json.loads(out)
    assert status == 1
    assert (answer["outcome"], answer["reports"], answer["dmesg"]) == ("no boot", [], [])


@pytest.mark.parametrize(
    ("args", "value", "rule", "nearest"),
    [
        (["config", "--page-size", "16k", "--va-bits", "39"], "VA_BITS=39", "PAGE_SIZE_4KB", "VA_BITS=36"),
        (["config", "--page-size", "8k"], "8k", "4k, 16k and 64k", ""),
        (["config", "--va-bits", "52", "--pa-bits", "48"], "PA_BITS=48", "!ARM64_VA_BITS_52", "PA_BITS=52"),
        (["config", "--cpu", "cortex-m0"], "cortex-m0", "max", ""),
        (["config", "--kconfig", "SWAPP=y"], "SWAPP", "SWAP?", ""),
        (["config", "--kconfig", "SWAP"], "'SWAP'", "SWAP=n", ""),
        (["config", "--kconfig", "MIGRATION=n"], "MIGRATION=0", "selects", "TRANSPARENT_HUGEPAGE=0"),
        (["config", "--va-bits", "many"], "many", "int", ""),
        (["debug-vm-pgtable", "--tree", "next"], "next", "arm64-for-next", ""),
        (["debug-vm-pgtable", "--phys-offset", "0x1234"], "0x1234", "ARM64_MEMSTART_ALIGN", "0x0"),
        (["debug-vm-pgtable", "--page-copy", "stack"], "stack", "number", ""),
        (["debug-vm-pgtable", "--pfn", "0x1_0000_0000_0000_0000"], "0x1_", "64 bits", ""),
        (["debug-vm-pgtable", "--pfn", "0x48000", "--va-bits", "39"], "0x48000", "no PUD table", ""),
        (["show", "0dd4f60a2c77"], "0dd4f60a2c77", "", "0dd4f60a2c76"),
        (["matrix", "linus"], "linus", "", "next-20240229"),
        (["decompose", "nonsense"], "nonsense", "", ""),
        (["decompose", "0x1_0000_0000_0000_0000"], "0x1", "64", ""),
        (["decompose", "0", *LPA2_16K, "--cpu", "cortex-a72"], "cortex-a72", "16K granule", ""),
    ],
)
def test_misuse_is_one_sentence_and_status_2(run, args, value, rule, nearest):
    status, out, err = run(*args)
    assert status == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    for part in (value, rule, nearest):
        assert part in err
