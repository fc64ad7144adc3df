"""`--json`: every answer is what its schema in docs/schemas says, and every schema closes its objects."""

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from referencing import Registry, Resource

from pgtlab.cli import main, parser

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
SCHEMAS = {path.stem: json.loads(path.read_text()) for path in (ROOT / "docs" / "schemas").glob("*.json")}
REGISTRY = Registry().with_resources(
    (f"{name}.json", Resource.from_contents(schema)) for name, schema in SCHEMAS.items()
)
PRINTS_NO_DATA = {"completion", "instructor", "lab", "zoo"}
LPA2_16K = ["--page-size", "16k", "--va-bits", "52"]
REAL = str(DATA / "kernel" / "ptdump" / "4k-va48-max")
SYZKALLER = ["guilty-55", "report-45", "report-524", "report-542", "report-655", "report-663", "report-695"]

ANSWERS = [
    ["config"],
    ["config", *LPA2_16K, "--cpu", "max,lpa2=off"],
    ["config", *LPA2_16K, "--cpu", "a64fx"],  # which does not boot
    ["va", "VMEMMAP_START"],
    ["va", "0x1234"],
    ["va", "PAGE_OFFSET", *LPA2_16K, "--cpu", "max,lpa2=off"],  # which is in neither half
    ["decompose", "0"],
    ["pte", "0x68000040000f07"],
    ["pte", "0x800000040a10003", "--level", "pud"],
    ["pte", "0x10a04", *LPA2_16K],
    ["pte", "0"],
    ["esr", "0x96000004"],
    ["esr", "f2000800"],
    ["debug-vm-pgtable", "--tree", "fixed"],
    ["debug-vm-pgtable", "--tree", "next-20240229"],
    ["debug-vm-pgtable", *LPA2_16K, "--cpu", "a64fx"],
    ["oops", str(DATA / "seed" / "next-20240229.log")],
    *(["oops", str(DATA / "oops" / "syzkaller" / f"{name}.log")] for name in SYZKALLER),
    ["translate", REAL, "PAGE_OFFSET", "0x1000", "0x00f0000000000000"],
    ["ptdump", REAL],
    ["ptdump", REAL, "--user"],
    ["ptdump", REAL, "--pa"],
    ["tables", REAL],
    ["tables", REAL, "--user"],
    ["trees"],
    ["show", "fix-pud-free"],
    ["show", "0dd4f60a2c76"],
    ["exam", "--seed", "7"],
    ["exam", "--draft-test", "A"],
    ["grade", "CLASS", "--out", "MARKS", "--sandbox", "limits", "--jobs", "1"],
    ["bugs"],
    ["bugs", "small-pgd"],
    ["bisect-repo", "DIR"],
    ["matrix", "fixed"],
    ["verify-mmu", "DAMAGED", str(DATA / "mmu" / "exec_sample.npz")],
    ["walk-cost", "--trace", "uniform", "--accesses", "1000"],
]


def validator(schema):
    return jsonschema.Draft202012Validator(schema, registry=REGISTRY)


def errors(name, answer):
    """What an answer has that the schema of this name does not allow."""
    return [error.message for error in validator(SCHEMAS[name]).iter_errors(answer)]


def subcommands():
    """The parser of each, by the name of its schema."""
    [commands] = [action for action in parser()._actions if action.dest == "==SUPPRESS==" and action.choices]
    return {subparser.prog.split()[1]: subparser for subparser in commands.choices.values()}


def objects(schema):
    """Every schema of an object in a schema."""
    if isinstance(schema, dict):
        if "properties" in schema and "type" in schema:
            yield schema
        for part in schema.values():
            yield from objects(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from objects(part)


@pytest.mark.slow
@pytest.mark.parametrize("args", ANSWERS, ids=lambda args: " ".join(args).replace(str(DATA), ""))
def test_answers_match_their_schemas(args, tmp_path, capsys):
    (tmp_path / "damaged.npz").write_bytes(b"no archive")
    submission = tmp_path / "class" / "ada" / "03_pud_free.ipynb"
    submission.parent.mkdir(parents=True)
    submission.write_bytes(b"no notebook")
    stands_for = {"CLASS": str(tmp_path / "class"), "MARKS": str(tmp_path / "marks.csv")}
    stands_for |= {"DIR": str(tmp_path / "history"), "DAMAGED": str(tmp_path / "damaged.npz")}
    assert main([*(stands_for.get(arg, arg) for arg in args), "--json"]) in (0, 1)
    name = {"decompose": "va"}.get(args[0], args[0])
    assert errors(name, json.loads(capsys.readouterr().out)) == []


@given(st.integers(0, 2**64 - 1))
def test_any_syndrome_matches_its_schema(value):
    from pgtlab.arch import esr

    assert errors("esr", esr.decode(value).as_dict()) == []


@given(st.integers(0, 2**64 - 1), st.integers(0, 3), st.sampled_from([("4k", 48), ("16k", 52), ("64k", 52)]))
def test_any_entry_matches_its_schema(value, level, kernel):
    from pgtlab import CPU, Config, boot
    from pgtlab.linux.entry import decode_entry
    from pgtlab.linux.level import LevelError

    try:
        entry = decode_entry(value, str(level), boot(Config(*kernel), CPU.named("max")))
    except LevelError:
        return
    assert errors("pte", entry.as_dict()) == []


def test_every_command_has_a_schema():
    commands = subcommands()
    with_json = {name for name, command in commands.items() if "--json" in command._option_string_actions}
    assert with_json == commands.keys() - PRINTS_NO_DATA
    assert with_json == SCHEMAS.keys() - {"common", "progress"}
    assert with_json <= {args[0] for args in ANSWERS}


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_valid_and_closed(name):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])
    for schema in objects(SCHEMAS[name]):
        assert "additionalProperties" in schema
        assert set(schema["required"]) <= schema["properties"].keys()


def test_schemas_reject_wrong_keys():
    answer = {"id": "", "name": "x", "subject": "", "does": "", "functions": [], "diff": ""}
    show = validator(SCHEMAS["show"])
    assert show.is_valid(answer)
    assert not show.is_valid(answer | {"more": 1})
    assert not show.is_valid({key: value for key, value in answer.items() if key != "diff"})
