"""Damaged logs: `read` gives reports or `OopsError`, and its time goes with the length of the text."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgtlab.linux import oops

DATA = Path(__file__).parents[1] / "data"
SEED = (DATA / "seed/next-20240229.log").read_text()
NAMES = ("report-655", "report-45", "report-734", "report-727", "report-725", "report-604", "report-659")
LOGS = [SEED, *((DATA / f"oops/syzkaller/{name}.log").read_text() for name in NAMES)]
LOGS += [(DATA / "kernel/bad-page-4k-va48.log").read_text()]
logs = st.sampled_from(LOGS)
some = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read(text: str) -> oops.OopsLog | None:
    """What a text says; None if it says nothing that can be read."""
    try:
        return oops.read(text)
    except oops.OopsError:
        return None


def lines_outside(text: str, log: oops.OopsLog | None = None) -> set[int]:
    """The lines that the reports of a text point to and that it does not have."""
    log = log or read(text)
    lines = {line for report in log.reports for line in (*report.lines, *report.where.values())} if log else set()
    return lines - {*range(1, text.count("\n") + 2)}


@given(logs, st.data())
@some
def test_cut_off_anywhere(text, data):
    start = data.draw(st.integers(0, len(text)))
    assert lines_outside(text[start : data.draw(st.integers(start, len(text)))]) == set()


@given(logs, st.data())
@settings(max_examples=25, deadline=None)
def test_damaged_log_is_printed(text, data):
    lines = data.draw(st.permutations(text.splitlines()))
    damaged = "\n".join(lines[: data.draw(st.integers(0, len(lines)))])
    log = read(damaged)
    if log is not None:
        assert lines_outside(damaged, log) == set()
        assert str(log)
        assert len(json.loads(json.dumps(log.as_dict()))["reports"]) == len(log.reports)


def test_cut_off_log_keeps_what_was_read():
    """What a cut log says, the whole one says too: no number is read in half."""
    whole = oops.read(SEED).reports
    for end in range(0, len(SEED), 7):
        log = read(SEED[:end])
        assert log is None or lines_outside(SEED[:end], log) == set()
        for report, complete in zip(log.reports if log else (), whole, strict=False):
            assert report.kind == complete.kind
            assert report.esr in (None, complete.esr)
            assert report.registers.values.items() <= complete.registers.values.items()
            assert [one.word for one in report.code] == [one.word for one in complete.code[: len(report.code)]]
            assert len(report.trace) <= len(complete.trace)


@given(logs, st.data())
@some
def test_lines_out_of_order(text, data):
    assert lines_outside("\n".join(data.draw(st.permutations(text.splitlines())))) == set()


@given(logs, st.data())
@some
def test_characters_changed(text, data):
    changed = list(text)
    for at in data.draw(st.lists(st.integers(0, len(text) - 1), max_size=200)):
        changed[at] = data.draw(st.characters())
    assert lines_outside("".join(changed)) == set()


@given(logs, logs, st.randoms(use_true_random=False))
@some
def test_interleaved_logs(one, other, random):
    first, second = one.splitlines(), other.splitlines()
    mixed = []
    while first or second:
        source = random.choice([lines for lines in (first, second) if lines])
        mixed.append(source.pop(0))
    assert lines_outside("\n".join(mixed)) == set()


@given(st.text(max_size=300))
@some
def test_any_text(text):
    assert lines_outside(text) == set()


@given(st.lists(st.sampled_from(sorted({line for text in LOGS for line in text.splitlines()})), max_size=60))
@some
def test_any_lines_of_any_logs(lines):
    assert lines_outside("\n".join(lines)) == set()


def test_bytes_that_are_not_text():
    assert lines_outside(SEED.encode().decode("utf-16", errors="replace")) == set()
    assert lines_outside("".join(map(chr, range(0x300))) + SEED) == set()


# Time.

SHAPES = {
    "boot messages": "[    0.000000] usb 1-1: new high-speed USB device number 4 using xhci_hcd\n",
    "reports": SEED,
    "one long line": "Call trace: pgd=0123456789abcdef : x1 ",
    "frames": " f+0x1/0x2\n",
    "walks": "[0000000000000008] pgd=0000000000000000\n",
    "headlines": "Unable to handle kernel paging request at virtual address 0000000000000008\n",
    "owners": "page last allocated via order 0\n",
    "cuts": "------------[ cut here ]------------\n",
    "quotes": "> > > ",
    "code": "Code: d37b1884 f100007f 8b040064 9a831083 (f9400460)\n",
    "heads of two CPUs": "Unable to handle kernel paging request at virtual address 0000000000000008\nMem abort info:\n"
    "Mem abort info:\n  ESR = 0x96000006\n",
    "broken lines": "x29: ffff8000145cfc30 x28: ffff000095221c80 x27:\n0000\n",
    "many prefixes": "a1 b2 [c3] Mem abort info:\nA-1 [2] (3): Call trace:\nq.9; Hardware name: x\n",
    "quoted-printable": "pgdp=3D0000=\n=\nx =3D=\n",
    "one line of quoted-printable": "=3D ",
    "HTML": "<b class=x>Mem abort info:</b>&nbsp;<br>",
    "colours": "\x1b[32m[0m\x1b[1;31mMem abort info:\x1b[0m",
    "blanks": "Mem abort info:" + " " * 200,
    "stacks": "b7b0: ffffffc000000000 0000000000000000 ffffff8008000000 0000000000000000\n",
}


@pytest.mark.long
@pytest.mark.parametrize("unit", SHAPES.values(), ids=SHAPES)
def test_time_is_linear_in_the_length(unit):
    """Eight times the text takes well under sixty-four times the computing, however it is made."""
    beginning = "Internal error: Oops: 96000004 [#1]\nCall trace:\n"

    def seconds(size: int) -> float:
        text = beginning + unit * (size // len(unit))
        best = float("inf")
        for _ in range(2):
            start = time.thread_time()
            oops.read(text)
            best = min(best, time.thread_time() - start)
        return best

    small, large = seconds(20_000), seconds(160_000)
    assert large < 30 * small + 0.1
