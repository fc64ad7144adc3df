"""`pgtlab ptdump`: the lines of the kernel's own dump at the shell, as text and as JSON."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from image_files import CAPTURES, PTDUMP

from pgtlab.cli import main

FOLDER = str(PTDUMP / "4k-va48-max")


@pytest.fixture
def run(capsys):
    """Run the command in this process: status, standard output, standard error."""

    def run(*args):
        try:
            status = main(["ptdump", *args])
        except SystemExit as exit:
            status = exit.code
        return status, *capsys.readouterr()

    return run


@pytest.mark.parametrize("name", CAPTURES)
def test_it_prints_what_the_kernel_printed(run, name):
    expected = (PTDUMP / name / "ptdump.txt").read_text()
    assert run(str(PTDUMP / name)) == (0, expected, "")
    assert run(str(PTDUMP / name), "--kernel") == (0, expected, "")


def test_json_has_the_same_lines_as_values(run):
    answer = json.loads(run(FOLDER, "--json")[1])
    assert answer["image"] == FOLDER
    assert answer["lines"][0] == {"marker": "Linear Mapping start", "start": "0xffff000000000000"}
    assert answer["lines"][2] == {  # 0xffff000000200000-0xffff000000400000 2M PMD ro NX SHD AF BLK UXN MEM/NORMAL
        "start": "0xffff000000200000",
        "end": "0xffff000000400000",
        "size": 2 << 20,
        "level": "PMD",
        "prot": "0x0060000000000781",
        "attributes": ["ro", "NX", "SHD", "AF", "BLK", "UXN", "MEM/NORMAL"],
    }
    assert answer["lines"][-1]["end"] == "0x0000000000000000"
    assert len(answer["lines"]) == len((PTDUMP / "4k-va48-max/ptdump.txt").read_text().splitlines())


def test_a_process_is_dumped_from_0_to_the_end_of_user_space(run):
    lines = run(FOLDER, "--user")[1].splitlines()
    assert (lines[0], lines[-1]) == ("---[ User space start ]---", "---[ User space end ]---")
    assert (
        lines[2]
        == "0x0000000000400000-0x0000000000403000          12K PTE   USR ro NX SHD AF NG                MEM/NORMAL"
    )
    assert lines[-2].endswith("-0x0001000000000000         796M PMD")


def test_another_ttbr_may_be_given_for_the_process(run):
    reserved = "0x40517000"  # reserved_pg_dir, which is empty
    expected = "0x0000000000000000-0x0001000000000000         256T PGD"
    assert run(FOLDER, "--user", reserved)[1].splitlines()[1:-1] == [expected]
    assert run(FOLDER, "--user", "--ttbr0", reserved)[1].splitlines()[1:-1] == [expected]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--user", "0x40517000", "--ttbr0", "0x40518000"], "a process has one TTBR0_EL1"),
        (["--user", "swapper"], "'swapper' is not a number"),
        (["--user", "--kernel"], "not allowed with"),
        (["--va-bits", "39"], "TCR_EL1.T1SZ says 48 bits with the 4K granule, where Config('4k', va_bits=39"),
        (["--tcr", "0"], "a dump needs the registers of its kernel"),
    ],
)
def test_misuse_is_one_sentence_and_status_2(run, args, words):
    status, out, err = run(FOLDER, *args)
    assert (status, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


def test_the_dump_may_be_cut_off_by_its_reader():
    command = f"'{sys.executable}' -m pgtlab.cli ptdump '{FOLDER}' | head -1"
    ended = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert (ended.stdout, ended.stderr) == ("---[ Linear Mapping start ]---\n", "")


def test_on_a_terminal_the_lines_are_the_same():
    master, slave = pty.openpty()
    process = subprocess.Popen([sys.executable, "-m", "pgtlab.cli", "ptdump", FOLDER], stdout=slave, stderr=slave)
    os.close(slave)
    shown = b""
    while True:
        try:
            part = os.read(master, 1 << 16)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(master)
    assert process.wait() == 0
    assert shown.decode().replace("\r\n", "\n") == Path(PTDUMP / "4k-va48-max/ptdump.txt").read_text()
