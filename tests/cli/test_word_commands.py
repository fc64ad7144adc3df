"""`pgtlab esr`, `pte` and `va`: one word, as text, JSON and SVG, and how they exit."""

import json
from xml.etree import ElementTree

import pytest

from pgtlab.cli import main

SVG = "{http://www.w3.org/2000/svg}svg"
LPA2_16K = ["--page-size", "16k", "--va-bits", "52"]
EACH = [
    ["esr", "0x96000004"],
    ["esr", "f2000800"],
    ["pte", "68000040000f07"],
    ["pte", "0x1234001700", "--level", "pmd", *LPA2_16K],
    ["pte", "0", "--level", "-1", "--va-bits", "52"],
    ["va", "VMEMMAP_START", *LPA2_16K],
    ["va", "0xdeadbeef"],
]


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


@pytest.mark.parametrize("args", EACH, ids=" ".join)
def test_each_prints_text_json_and_a_picture(run, args):
    status, text, _ = run(*args)
    assert (status, text.count("\n") > 3) == (0, True)
    status, out, _ = run(*args, "--json")
    assert status == 0
    assert isinstance(json.loads(out), dict)
    status, out, _ = run(*args, "--svg")
    assert status == 0
    picture = ElementTree.fromstring(out)
    assert picture.tag == SVG
    assert picture.find("{http://www.w3.org/2000/svg}desc").text


def test_esr_fields(run):
    answer = json.loads(run("esr", "0x96000045", "--json")[1])
    fields = {field["name"]: field for field in answer["fields"]}
    assert answer["summary"].endswith("Translation fault, level 1, writing")
    assert fields["EC"] == {
        "name": "EC",
        "start": 26,
        "width": 6,
        "value": 0x25,
        "description": "Data Abort taken without a change in Exception level",
    }
    assert answer["linux"] is None
    assert fields["WnR"]["description"] == "Abort caused by writing to memory"


@pytest.mark.parametrize("written", ["96000004", "0000000096000004", "0x96000004", "0x0000_0000_9600_0004"])
def test_words_as_in_the_log(run, written):
    assert run("esr", written)[1].splitlines()[0] == "ESR_EL1 0x0000000096000004"


@pytest.mark.parametrize(
    ("comment", "says"),
    [
        (0x800, "BUG_BRK_IMM: BUG() or WARN()"),
        (0x912, "KASAN, a store of 4 bytes"),
        (0x5512, "UBSAN, check 0x12: array index out of bounds"),
        (0x8229, "CFI, target in x9, type in w17"),
        (0x1, "a trap of clang's, __builtin_trap()"),
        (0x7777, "not a kernel BRK immediate"),
    ],
)
def test_brk_immediates(run, comment, says):
    """arch/arm64/include/asm/brk-imm.h and the handlers in kernel/traps.c, v6.12."""
    value = f"{0xF2000000 | comment:x}"
    assert run("esr", value)[1].splitlines()[-1].endswith(says)
    assert json.loads(run("esr", value, "--json")[1])["linux"].endswith(says)


def test_pte_takes_levels_by_both_names(run):
    by_name = run("pte", "68000040000705", "--level", "pmd", *LPA2_16K)
    assert by_name[0] == 0
    assert by_name == run("pte", "68000040000705", "--level", "2", *LPA2_16K)
    assert "block, 32M" in by_name[1]


def test_va_says_which_part_of_the_map_and_decomposes(run):
    answer = json.loads(run("va", "0xfffffdffc0001040", "--json")[1])
    assert (answer["region"]["name"], answer["region"]["offset"]) == ("vmemmap", "0x1040")
    assert [level["level"] for level in answer["hardware"]] == [0, 1, 2, 3]
    assert json.loads(run("va", "0x0001000000000000", "--json")[1])["region"] is None


def test_decompose_is_its_older_name(run):
    assert run("decompose", "PAGE_END") == run("va", "PAGE_END")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["esr", "ESR"], "'ESR' is not a hexadecimal number, such as 0x96000004"),
        (["esr", "-1"], "-1"),
        (["esr", "0x1_0000_0000_0000_0000"], "more than 64 bits"),
        (["esr", "0", "--json", "--svg"], "choose one of them"),
        (
            ["pte", "0", "--level", "p4d"],
            "this kernel has no p4d, which is folded at compile time: a log prints the entry of the pgd for it",
        ),
        (["pte", "0", "--level", "-1"], "this kernel has no level -1"),
        (["pte", "0", "--level", "7"], "levels run from -1 to 3"),
        (["pte", "0", *LPA2_16K, "--cpu", "cortex-a72"], "no 16K granule"),
        (["pte"], "VALUE"),
        (["va", "nowhere"], "nowhere"),
    ],
)
def test_misuse_is_one_sentence_and_status_2(run, args, says):
    status, out, err = run(*args)
    assert (status, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1
    assert "Traceback" not in err
