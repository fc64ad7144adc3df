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
from pathlib import Path
from typing import Any

from pgtlab.cli.oops import log_text
from pgtlab.linux import oops

FIELD = Path(__file__).resolve().parents[1] / "tests/data/oops/field"
VERDICTS = ("right", "partly", "silent", "wrong")
PLACES = ("lines", "evidence")  # keys with line numbers


def answer(path: Path) -> dict[str, Any] | str:
    """What the command prints as JSON, or the sentence with which it declines."""
    try:
        return json.loads(json.dumps(oops.read(log_text(str(path))).as_dict()))
    except oops.OopsError as reason:
        return str(reason)


def verdicts(path: Path, truth: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The verdict on each truth about a log, with what it is about."""
    told = answer(path)
    if word := truth.get("declined"):
        said = told if isinstance(told, str) else " ".join(told["declined"])
        if isinstance(told, str) or not told["reports"]:
            yield "right" if word in said else "silent", f"declined: {said}"
        else:
            yield "wrong", f"read as a report of arm64: {told['reports'][0]['message']}"
        return
    if isinstance(told, str):
        yield ("wrong" if "no BUG, Oops, WARNING or panic" in told else "silent"), told
        return
    if other := truth.get("like"):
        for where, value in differences(told, answer(path.with_name(other))):
            yield "wrong" if value else "silent", where
        if same(told) == same(answer(path.with_name(other))):
            yield "right", f"as {other}"
    causes = truth.get("causes", [])
    for n, cause in enumerate(causes):
        diagnosis = told["reports"][n]["diagnosis"] if n < len(told["reports"]) else {"name": "no such report"}
        yield judged(cause or "not-enough-evidence", diagnosis["name"], "not-enough-evidence"), f"cause {n + 1}"
    inferences = [inference for report in told["reports"] for inference in report["inferences"]]
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
        found = value_at(told, where)
        yield judged(value or None, found, None), f"{where}: {found!r}"


def judged(true: object, told: object, nothing: object) -> str:
    """The verdict on one value: `nothing` is the answer that claims nothing."""
    return "right" if told == true else "silent" if told == nothing else "wrong"


def value_at(told: Any, where: str) -> Any:
    """A value of the answer by its path; None where there is nothing."""
    for name in where.split("."):
        if isinstance(told, list):
            told = told[int(name)] if int(name) < len(told) else None
        else:
            told = told.get(name) if isinstance(told, dict) else None
    return told if told not in ([], "") else None


def same(told: Any) -> Any:
    """An answer without the numbers of lines."""
    if isinstance(told, dict):
        return {name: same(value) for name, value in told.items() if name not in PLACES}
    return [same(value) for value in told] if isinstance(told, list) else told


def differences(told: Any, other: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Where two answers differ, with what the first has there."""
    if isinstance(told, dict) and isinstance(other, dict):
        for name in [name for name in told if name not in PLACES]:
            yield from differences(told[name], other.get(name), f"{where}.{name}")
    elif isinstance(told, list) and isinstance(other, list) and len(told) == len(other):
        for n, (one, two) in enumerate(zip(told, other, strict=True)):
            yield from differences(one, two, f"{where}.{n}")
    elif told != other:
        yield f"{where}: {told!r} instead of {other!r}", told


def score(folder: Path = FIELD) -> dict[str, tuple[str, list[tuple[str, str]]]]:
    """Each log with its verdict, and the verdicts on its truths."""
    truths = tomllib.loads((folder / "truths.toml").read_text())
    result = {}
    for name, truth in truths.items():
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
    truths = Counter(kind for _, single in scored.values() for kind, _ in single)
    for what, count in (("logs", logs), ("truths", truths)):
        print(f"{count.total()} {what}: " + ", ".join(f"{count[verdict]} {verdict}" for verdict in VERDICTS))
    return 1 if logs["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
