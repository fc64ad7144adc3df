"""Whose report is it? Each architecture prints its registers under names of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable

ARM64 = "arm64"

# What no other architecture prints. The first that fits decides.
_SIGNS = (
    (
        ARM64,
        r"\bpstate: ?[0-9a-f]{8}|\bx29: ?[0-9a-f]{16}|ESR = 0x|Mem abort info:|-bit VAs, pgdp?|"
        r"(?:do_)?el[01]h?t?_(?:64_)?(?:sync|svc|irq|ia|da|inv|abort|dbg|interrupt)\b|ret_to_kernel\+0x|"
        r"Internal error: [^:]{1,60}(?::[^:]{1,60})?: (?:00000000)?[0-9a-f]{8} \[#",
    ),
    (
        "x86",
        r"\bRIP: (?:[0-9a-f]{4}:|\[)|\bEIP: |\bR?EFLAGS: |\bRAX: |\bEAX: |\bCR2: |asm_exc_|#PF: |_64_after_hwframe",
    ),
    ("riscv", r"\bepc : ?[0-9a-f]{8,16} ra : ?|\bbadaddr: [0-9a-f]{8,16} cause: |\bgp : ?[0-9a-f]{8,16} tp : "),
    ("powerpc", r"\bNIP: {1,2}[0-9a-f]{8,16}|\bGPR00: |\bNIP \[[0-9a-f]{8,16}\]|Faulting instruction address: 0x"),
    ("arm (32 bits)", r"\[#\d{1,4}\].{0,30} ARM$|\bpsr: ?[0-9a-f]{8}|\br10: ?[0-9a-f]{8} {1,2}r9 : ?|8<--- cut here"),
    ("s390", r"\bKrnl (?:PSW|GPRS|Code)|\bUser PSW : |\bilc:\d "),
    ("mips", r"\bepc   : ?[0-9a-f]{8,16}|\bBadVA : |, epc == [0-9a-f]{8,16}|^\$ 0   : "),
    ("loongarch", r", era == [0-9a-f]{8,16}|\bERA: [0-9a-f]{16}|\bCRMD: |\bESTAT: "),
    ("sparc", r"\bTSTATE: |\bTPC: ?<|\bPSR: [0-9a-f]{8} PC: "),
    ("parisc", r"\bIAOQ: |\bIASQ: |\bYZrvWESTHLNXBCVMcbcbcbcbOGFRQPDI"),
    ("alpha", r"\bps = [0-9a-f]{4}  ?(?:\S+ )?ra = |^v0 = [0-9a-f]{16} "),
    ("m68k", r"\bPC: \[<[0-9a-f]{8}>\].{0,60} SR: [0-9a-f]{4} "),
    ("sh", r"^PR  : [0-9a-f]{8}|^PC  : [0-9a-f]{8} SP  : "),
    ("arc", r"\[ECR   \]: |\bBLINK: 0x"),
    ("xtensa", r"^a00: [0-9a-f]{8} |\bsar: [0-9a-f]{8}"),
    ("another architecture", r"^Call Trace:|^Backtrace:"),
)
_COMPILED = tuple((name, re.compile(pattern)) for name, pattern in _SIGNS)
_ANY = re.compile("|".join(f"(?:{pattern})" for _, pattern in _SIGNS), re.MULTILINE)
_MEANING_NONE = "another architecture"


def architecture_of(texts: Iterable[str]) -> str | None:
    """The architecture that lines of one report are from; `None` where they have no sign of any.

    >>> architecture_of(["RIP: 0010:dump_page+0x1/0x2"]), architecture_of(["Modules linked in:"])
    ('x86', None)
    """
    found: set[str] = set()
    for text in texts:
        if _ANY.search(text[:400]):
            found |= {name for name, pattern in _COMPILED if pattern.search(text[:400])}
    return next((name for name, _ in _COMPILED if name in found), None)


def is_sign(text: str) -> bool:
    """Whether a line is of some architecture's report."""
    return _ANY.search(text[:400]) is not None


def sign_in_text(text: str) -> str | None:
    """The architecture whose signs come first in a whole text."""
    found = _ANY.search(text)
    if found is None:
        return None
    at = text.rfind("\n", 0, found.start()) + 1
    end = text.find("\n", found.end())
    return architecture_of([text[at : end if end >= 0 else None]])


def declined(architecture: str) -> str:
    """The sentence that says so.

    >>> declined("x86")
    'this is a report of x86: pgtlab reads those of arm64'
    """
    if architecture == _MEANING_NONE:
        return "this is a report of another architecture (its traces begin with `Call Trace:`): pgtlab reads arm64's"
    return f"this is a report of {architecture}: pgtlab reads those of arm64"
