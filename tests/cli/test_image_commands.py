"""`pgtlab translate` and `pgtlab tables`: what they print of an image, as text and as JSON, and how they exit."""

import json
import subprocess
import sys

import pytest
from image_files import CAPTURES, PTDUMP, capture, kdump, lookups, raw

from pgtlab.cli import main

FOLDER = str(PTDUMP / "4k-va48-max")


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


def test_translate_prints_every_entry_that_was_read(run):
    assert run("translate", FOLDER, "0xffff800080000000") == (
        0,
        "0xffff800080000000 read at EL1: upper range, 48 bits, 4K granule, TTBR1_EL1\n"
        "  level 0  0x40518000[0x100] = 0x1000000040641003  Table 0x40641000\n"
        "  level 1  0x40641000[0x002] = 0x1000000040642003  Table 0x40642000\n"
        "  level 2  0x40642000[0x000] = 0x1000000040643003  Table 0x40643000\n"
        "  level 3  0x40643000[0x000] = 0x00e0000040200783  Page 0x40200000\n"
        "PA 0x40200000, Normal WB RWA, Inner Shareable\n",
        "",
    )


@pytest.mark.parametrize("name", CAPTURES)
def test_translate_json_has_what_qemu_said(run, name):
    for who in "user", "kernel":
        vas, expected = lookups(name, who)
        status, out, _ = run("translate", str(PTDUMP / name), *map(hex, vas), f"--{who}", "--json")
        walks = json.loads(out)["walks"]
        assert [walk["pa"] and int(walk["pa"], 16) for walk in walks] == expected
        assert all((walk["fault"] is None) == (walk["pa"] is not None) for walk in walks)
        assert status == (1 if None in expected else 0)


def test_translate_takes_names_of_the_kernel_and_symbols_of_the_image(run):
    assert run("translate", FOLDER, "PAGE_OFFSET + 0x1000")[1].endswith(
        "PA 0x40001000, Normal WB RWA, Inner Shareable\n"
    )
    assert run("translate", FOLDER, "_text")[1] == run("translate", FOLDER, "0xffff800080000000")[1]
    status, _, err = run("translate", FOLDER, "PAGE_OFSET")
    assert (status, "did you mean PAGE_OFFSET?" in err) == (2, True)


def test_translate_of_a_range_chooses_the_exception_level(run):
    assert " read at EL0: lower range" in run("translate", FOLDER, "0x400898")[1]
    assert " read at EL1: lower range" in run("translate", FOLDER, "0x400898", "--kernel")[1]
    status, out, _ = run("translate", FOLDER, "0x400898", "--access", "write", "--json")
    assert (status, json.loads(out)["walks"][0]["fault"]["kind"]) == (1, "permission")


def test_registers_are_given_as_options(run, tmp_path):
    regs, pages = capture("4k-va48-max")
    base, content = raw(pages)
    (tmp_path / "ram").write_bytes(content)
    options = ["--base", hex(base), "--tcr", regs["el1_stop"]["TCR_EL1"], "--ttbr1", regs["el1_stop"]["TTBR1_EL1"]]
    given = run("translate", str(tmp_path / "ram"), "0xffff800080000000", *options, "--mair", "0x40044ffff")
    assert given == run("translate", FOLDER, "0xffff800080000000")
    status, _, err = run("translate", str(tmp_path / "ram"), "0x400898", *options)
    assert (status, "give TTBR0_EL1 (--ttbr0)" in err) == (2, True)


def test_notes_go_to_standard_error(run, tmp_path):
    (tmp_path / "vmcore").write_bytes(kdump("4k-va48-max")[:-100])
    status, out, err = run("translate", str(tmp_path / "vmcore"), "0xffff800080000000")
    assert (status, out) == run("translate", FOLDER, "0xffff800080000000")[:2]
    assert err == f"pgtlab: {tmp_path / 'vmcore'}: cut off: 100 bytes of its memory are not in the file\n"


def test_tables_shows_the_tree(run):
    status, out, _ = run("tables", FOLDER, "--user")
    assert status == 0
    assert out.startswith("level 0 table at 0x4099a000\n  [0x000] 0x0000000000000000 Table 0x40a10000 PXNTable\n")
    assert run("tables", FOLDER)[1].startswith("level 0 table at 0x40518000\n")
    tree = json.loads(run("tables", FOLDER, "--json")[1])["tree"]
    assert (tree["level"], tree["pa"], tree["entries"][0]["table"]["level"]) == (0, "0x40518000", 1)


@pytest.mark.parametrize("command", [["translate", "0"], ["tables"]])
def test_misuse_is_one_sentence_and_status_2(run, tmp_path, command):
    (tmp_path / "log").write_text("Linux version 6.9\n")
    for path, reason in (
        (tmp_path / "log", "is not an image that pgtlab knows"),
        (tmp_path / "none", "there is no file or folder"),
    ):
        status, out, err = run(command[0], str(path), *command[1:])
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert reason in err


def test_a_reader_that_has_enough_is_not_an_error():
    shell = f"{sys.executable} -m pgtlab.cli tables {FOLDER} | head -1"
    done = subprocess.run(shell, shell=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("level 0 table at 0x40518000\n", "")
