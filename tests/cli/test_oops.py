"""`pgtlab oops`: text for a reader, JSON for a program, one sentence where there is nothing to read."""

import io
import json
import sys
from pathlib import Path

import pytest

from pgtlab.cli import main

DATA = Path(__file__).parents[1] / "data"
SEED = DATA / "seed/next-20240229.log"


def test_the_text_has_each_value_beside_its_line(capsys):
    assert main(["oops", str(SEED)]) == 0
    out = capsys.readouterr().out
    assert "    7  ESR_EL1   0x96000004: Data Abort taken without a change in Exception level" in out
    assert "ldr x0, [x3, #8]   <- here: x3 + 0x8 = 0x8, the faulting address" in out
    assert "type: table: 0xfffffdff has its bit cleared (before v6.12); as a map count it is -513" in out
    assert "report 1: a page-table page, frame 0x18a65d, was freed in destroy_args() without its destructor" in out
    assert out.count("vmemmap, where the struct page of pfn 0 would be, is 0xfffffe223a000000 (derived: ") == 1
    assert "   55  image     moved by 0x3a89bf800000 from 0xffff800080000000" in out


def test_json_has_the_documented_keys(capsys):
    assert main(["oops", str(SEED), "--json"]) == 0
    reports = json.loads(capsys.readouterr().out)["reports"]
    assert [report["kind"] for report in reports] == ["bad page", "oops", "panic"]
    for report in reports:
        assert {"kind", "esr", "registers", "trace", "walk", "page", "inferences", "diagnosis"} <= set(report)
        assert all({"claim", "evidence", "confidence"} <= set(inference) for inference in report["inferences"])
    assert reports[0]["diagnosis"]["name"] == "page-table-freed-without-destructor"
    page = reports[0]["page"]
    assert (page["mapcount"], page["page_type"]["value"]) == (-512, "0xfffffdff")
    report = reports[1]
    assert report["esr"] == "0x96000004"
    assert report["registers"]["x1"] == "fffffe0779181ee5"
    assert report["trace"][0] == "get_pfnblock_flags_mask+0x3c/0x68"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_log_that_windows_wrote(encoding, tmp_path, capsys):
    assert main(["oops", str(SEED)]) == 0
    expected = capsys.readouterr().out
    (tmp_path / "putty.log").write_text(SEED.read_text(), encoding, newline="\r\n")
    assert main(["oops", str(tmp_path / "putty.log")]) == 0
    assert capsys.readouterr().out == expected


def test_json_of_a_walk(capsys):
    assert main(["oops", str(DATA / "oops/syzkaller/report-655.log"), "--json"]) == 0
    walk = json.loads(capsys.readouterr().out)["reports"][1]["walk"]
    assert (walk["page_size"], walk["va_bits"], walk["first_invalid_level"]) == (4096, 48, 1)
    assert walk["consistent"] is True
    assert walk["entries"] == {
        "pgd": "0800000107ed2003",
        "p4d": "0800000107ed2003",
        "pud": "0000000000000000",
    }


@pytest.mark.parametrize("argument", [["-"], []], ids=["a dash", "nothing"])
def test_standard_input(argument, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(SEED.read_bytes() + b"\xff\xfe\x00")))
    assert main(["oops", *argument]) == 0
    assert "3. Panic" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (DATA / "oops/syzkaller/report-725.log", "this report is from x86: pgtlab reads only those from arm64"),
        (DATA / "README.md", "there is no kernel report in this text"),
        (DATA / "nowhere.log", "No such file or directory"),
    ],
    ids=["x86", "no report", "no file"],
)
def test_unreadable_input_is_reported_in_one_line(file, sentence, capsys):
    assert main(["oops", str(file)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert sentence in err
    assert err.count("\n") == 1
