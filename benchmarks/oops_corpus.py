"""How much of a folder of logs `pgtlab oops` reads rightly, against a table of what is true of them.

    .venv/bin/python benchmarks/oops_corpus.py [FOLDER]

Without a folder it is `tests/data/oops/field`. The folder holds logs and `truths.toml`, with a table for each log:

    ["worker.log"]
    like = "other.log"                     # everything but line numbers is as in another log
    declined = "x86"                       # it is left out, with a sentence that has this word
    causes = ["poison", ""]                # the diagnosis of each report; "" for one without enough evidence
    configuration = {page_size = 4096}     # inferences by name; a list gives all that may be named
    values = {"reports.0.esr" = "0x96000004"}  # any other value of `pgtlab oops --json`; "" for none

Each truth is right, partly (one of several possible values), silent, or wrong: something else was claimed, or something
where nothing can be known. A log is what the worst of its truths is; `wrong` must be 0.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pgtlab.cli.oops import log_text
from pgtlab.linux import oops

FIELD = Path(__file__).resolve().parents[1] / "tests/data/oops/field"
VERDICTS = ("right", "partly", "silent", "wrong")
PLACES = ("lines", "evidence")  # keys with line numbers


@cache
def answer(path: Path) -> dict[str, Any] | str:
    """What the command prints as JSON, or the sentence with which it declines."""
    try:
        return json.loads(json.dumps(oops.read(log_text(str(path))).as_dict()))
    except oops.OopsError as reason:
        return str(reason)


def verdicts(path: Path, truth: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The verdict on each truth about a log, with what it is about."""
    said = answer(path)
    if word := truth.get("declined"):
        if isinstance(said, str) or not said["reports"]:
            yield "right" if word in str(said) else "silent", f"declined: {said}"
        else:
            yield "wrong", f"read as a report of arm64: {said['reports'][0]['message']}"
        return
    if isinstance(said, str):
        yield ("wrong" if "no BUG, Oops, WARNING or panic" in said else "silent"), said
        return
    if other := truth.get("like"):
        for where, value in differences(said, answer(path.with_name(other))):
            yield "wrong" if value else "silent", where
        if same(said) == same(answer(path.with_name(other))):
            yield "right", f"as {other}"
    causes = truth.get("causes", [])
    for n, cause in enumerate(causes):
        diagnosis = said["reports"][n]["diagnosis"] if n < len(said["reports"]) else {"name": "no such report"}
        yield judged(cause or "not-enough-evidence", diagnosis["name"], "not-enough-evidence"), f"cause {n + 1}"
    inferences = [inference for report in said["reports"] for inference in report["inferences"]]
    for name, value in truth.get("configuration", {}).items():
        allowed = value if isinstance(value, list) else [value]
        claims = [inference for inference in inferences if inference["name"] == name]
        if any(claim["value"] not in allowed and claim["confidence"] != "possible" for claim in claims):
            yield "wrong", f"{name}: {[claim['value'] for claim in claims]} instead of {value}"
        elif any(claim["value"] in allowed and claim["confidence"] != "possible" for claim in claims):
            yield "right", name
        else:
            yield ("partly" if any(claim["value"] in allowed for claim in claims) else "silent"), name
    for where, value in truth.get("values", {}).items():
        value_there = value_at(said, where)
        yield judged(value or None, value_there, None), f"{where}: {value_there!r}"


def judged(true: object, said: object, nothing: object) -> str:
    """The verdict on one value: `nothing` is the answer that claims nothing."""
    return "right" if said == true else "silent" if said == nothing else "wrong"


def value_at(said: Any, where: str) -> Any:
    """A value of the answer by its path; None where there is nothing."""
    for name in where.split("."):
        if isinstance(said, list):
            said = said[int(name)] if int(name) < len(said) else None
        else:
            said = said.get(name) if isinstance(said, dict) else None
    return said if said not in ([], "") else None


def same(said: Any) -> Any:
    """An answer without the numbers of lines."""
    if isinstance(said, dict):
        return {name: same(value) for name, value in said.items() if name not in PLACES}
    return [same(value) for value in said] if isinstance(said, list) else said


def differences(said: Any, other: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Where two answers differ, with what the first has there."""
    if isinstance(said, dict) and isinstance(other, dict):
        for name in [name for name in said if name not in PLACES]:
            yield from differences(said[name], other.get(name), f"{where}.{name}")
    elif isinstance(said, list) and isinstance(other, list) and len(said) == len(other):
        for n, (one, two) in enumerate(zip(said, other, strict=True)):
            yield from differences(one, two, f"{where}.{n}")
    elif said != other:
        yield f"{where}: {said!r} instead of {other!r}", said


def truths(folder: Path = FIELD) -> dict[str, dict[str, Any]]:
    """The table of truths of a folder."""
    return tomllib.loads((folder / "truths.toml").read_text())


def score(folder: Path = FIELD) -> dict[str, tuple[str, list[tuple[str, str]]]]:
    """Each log with its verdict, and the verdicts on its truths."""
    result = {}
    for name, truth in truths(folder).items():
        single = list(verdicts(folder / name, truth))
        kinds = {verdict for verdict, _ in single}
        whole = kinds.pop() if len(kinds) == 1 else "wrong" if "wrong" in kinds else "partly"
        result[name] = whole, single
    return result


def main() -> int:
    """Print the score; the exit status is 1 if anything is wrong."""
    scored = score(Path(sys.argv[1]) if len(sys.argv) > 1 else FIELD)
    for name, (verdict, single) in scored.items():
        if verdict != "right":
            print(f"{verdict:<8}{name}: " + "; ".join(f"{kind}: {about}" for kind, about in single if kind != "right"))
    logs = Counter(verdict for verdict, _ in scored.values())
    single_truths = Counter(kind for _, single in scored.values() for kind, _ in single)
    for what, count in (("logs", logs), ("truths", single_truths)):
        print(f"{count.total()} {what}: " + ", ".join(f"{count[verdict]} {verdict}" for verdict in VERDICTS))
    return 1 if logs["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
