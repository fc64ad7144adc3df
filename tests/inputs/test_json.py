"""JSON of others that is damaged or made to do harm: one sentence, in words of pgtlab's own."""

import json
import re

import numpy as np
import pytest
from image_files import PTDUMP

from pgtlab.cli import main
from pgtlab.lab.grading.notebook import Notebook, UnreadableError
from pgtlab.lab.progress import Progress
from pgtlab.lab.trees import Tree
from pgtlab.limits import NotJSONError, json_value
from pgtlab.linux import oops
from pgtlab.linux.image import Image, ImageError
from pgtlab.linux.kconfig import Config

CAPTURE = PTDUMP / "4k-va48-max"
DEEP = '{"a":' * 100_000
MANY_DIGITS = "9" * 5000
#: What Python, its modules and numpy say in their own words.
PYTHONS = re.compile(
    r"Expecting|Extra data|object has no attribute|invalid literal|set_int_max_str_digits|recursion depth|codec|"
    r"cannot convert|not subscriptable|unhashable|Unterminated"
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it is not JSON at line 1, column 1"),
        ('{"a": 1,\n "b" 2}', "it is not JSON at line 2, column 6"),
        ("{} {}", "it is not JSON at line 1, column 4"),
        (b"\x80abc", "it is not JSON, which is text in UTF-8"),
        (DEEP, "its lists and objects are nested more deeply than pgtlab reads"),
        ("[" * 100_000, "its lists and objects are nested more deeply than pgtlab reads"),
        (MANY_DIGITS, "it has a number of more digits than pgtlab reads"),
        (f'{{"a": [-{MANY_DIGITS}]}}', "it has a number of more digits than pgtlab reads"),
    ],
    ids=["empty", "damaged", "two", "no text", "objects in objects", "lists in lists", "digits", "negative digits"],
)
def test_each_kind_has_its_sentence(text, told):
    with pytest.raises(NotJSONError, match=f"^{told}$"):
        json_value(text)


#: A value of JSON in place of another.
VALUES = ["null", "true", "0", "-1", "1e999", "NaN", MANY_DIGITS, '""', '"zz"', '"-0x1"', '"0x1ffffffffffffffff"', "[]"]
VALUES += ["{}", '"\\u0000"', '"\\ud800"', f'"{MANY_DIGITS}"', "[[[]]]"]
IDS = [value[:12] for value in VALUES]


def of_a_capture(folder, regs: str):
    (folder / "tables.npz").write_bytes((CAPTURE / "tables.npz").read_bytes())
    (folder / "regs.json").write_text(regs)
    return folder


def refusal(folder) -> str:
    """What is said of an image; nothing if it opens."""
    try:
        Image.open(folder)
    except ImageError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("value", VALUES, ids=IDS)
def test_registers_of_every_type(value, tmp_path):
    """In the place of the whole file, of each part, and of single values."""
    good = json.loads((CAPTURE / "regs.json").read_text())
    assert refusal(of_a_capture(tmp_path, json.dumps(good))) == ""
    said = {"whole": refusal(of_a_capture(tmp_path, value))}
    for name in ("variant", "cpu", "el0_stop", "el1_stop", "symbols_phys"):
        said[name] = refusal(of_a_capture(tmp_path, json.dumps(good | {name: "HERE"}).replace('"HERE"', value)))
    for name in ("TCR_EL1", "TTBR1_EL1", "ID_AA64MMFR0_EL1"):
        part = {"el1_stop": good["el1_stop"] | {name: "HERE"}}
        said[name] = refusal(of_a_capture(tmp_path, json.dumps(good | part).replace('"HERE"', value)))
        assert said[name], name
    for name, sentence in said.items():
        assert not PYTHONS.search(sentence), (name, sentence)
        assert "\n" not in sentence
        assert len(sentence) < 400 + len(str(tmp_path))
    assert said["whole"]
    assert said["variant"]


def test_what_is_wrong_is_named(tmp_path):
    good = json.loads((CAPTURE / "regs.json").read_text())
    for wrong, sentence in (
        ({"el1_stop": []}, "el1_stop is a list, and should be an object of names and values"),
        ({"el1_stop": {"TCR_EL1": 18}}, "TCR_EL1 is 18, and should be a text of up to 16 hexadecimal digits"),
        ({"el1_stop": {"TCR_EL1": "0x" + "1" * 17}}, "and should be a text of up to 16 hexadecimal digits"),
        ({"symbols_phys": {"swapper_pg_dir": None}}, "swapper_pg_dir is null, and should be a text of up to 16"),
    ):
        assert sentence in refusal(of_a_capture(tmp_path, json.dumps(good | wrong)))


@pytest.mark.parametrize("value", VALUES, ids=IDS)
def test_a_kernel_of_every_type(value, tmp_path):
    """In an image that pgtlab saved."""
    Image.open(CAPTURE).save(tmp_path / "good.npz")
    arrays = dict(np.load(tmp_path / "good.npz"))
    kernel = json.loads(str(arrays["kernel"]))
    texts = [value]
    texts += [json.dumps(kernel | {name: "HERE"}).replace('"HERE"', value) for name in kernel]
    texts += [json.dumps(kernel | {name: {"x": "HERE"}}).replace('"HERE"', value) for name in ("options", "places")]
    for text in texts:
        np.savez(tmp_path / "bad.npz", **arrays | {"kernel": np.array(text)})
        said = refusal(tmp_path / "bad.npz")
        assert not PYTHONS.search(said), (text[:200], said)
        if not said:
            [*Image.open(tmp_path / "bad.npz").ptdump()]


@pytest.mark.parametrize("line", [f'{{"message": {MANY_DIGITS}}}', f'{{"n": {MANY_DIGITS}, "message": "x"}}', DEEP])
def test_a_line_of_a_log_that_is_nearly_json(line):
    """The report around it is read as it is without it."""
    log = (PTDUMP.parents[1] / "seed/next-20240229.log").read_text()
    assert [report.kind for report in oops.read(f"{line}\n{log}").reports] == [r.kind for r in oops.read(log).reports]


@pytest.mark.parametrize("text", [MANY_DIGITS, DEEP, f'{{"cells": {MANY_DIGITS}}}', f'{{"cells": [{MANY_DIGITS}]}}'])
def test_notebooks_and_progress(text, tmp_path):
    with pytest.raises(UnreadableError):
        Notebook.read(text.encode())
    (tmp_path / "progress.json").write_text(text)
    progress = Progress(tmp_path / "progress.json")
    progress.read()
    assert "is damaged" in progress.note


def test_at_the_shell(tmp_path, capsys):
    assert main(["ptdump", str(of_a_capture(tmp_path, DEEP))]) == 2
    err = capsys.readouterr().err
    assert err.endswith("regs.json: its lists and objects are nested more deeply than pgtlab reads\n")
    assert err.count("\n") == 1


HUGE = 10**5000  # which Python does not write as decimal


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: Config(HUGE), "page size 0x31e20801036510f3c591fde5361dc61998...0000000000000000: arm64 has 4k"),
        (lambda: Config("4k", HUGE), "VA_BITS=0x31e2"),
        (lambda: Config("4k", 48, -HUGE), "PA_BITS=-0x31e2"),
        (lambda: Tree.named(HUGE), "unknown tree 0x31e2"),
        (
            lambda: Tree.named("x" * 9999),
            "unknown tree 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...xxxxxxxxxxxxxxxx': choose",
        ),
    ],
)
def test_a_number_of_thousands_of_digits_in_python(call, told):
    with pytest.raises(ValueError, match=f"^{re.escape(told)}"):
        call()
