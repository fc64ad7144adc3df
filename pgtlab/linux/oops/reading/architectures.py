"""Which architecture a report is from: each prints its registers under its own names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pgtlab.linux.oops.reading.prefixes import known_prefixes

ARM64 = "arm64"
SOME_OTHER = "another architecture"

# What only this architecture prints: words that are found fast (between bars), and a pattern for the line with one.
_SIGNS = {
    ARM64: (
        "pstate|x29|x2 : |x0 : |ESR = 0x|Mem abort info:|-bit VAs|el0|el1|arm64|Internal error: |"
        "aarch64|CPU 0x0000|CPU features: det",
        r"\bpstate: ?[0-9a-f]{8}|\bx(?:29|2 |0 ): ?[0-9a-f]{16}|ESR = 0x|Mem abort info:|-bit VAs, pgdp?|"
        r"\b(?:do_)?el[01]h?t?_(?:64_)?(?:sync|svc|irq|ia|da|inv|abort|dbg|interrupt)\b|__arm64_sys_|arch/arm64/|"
        r"Internal error: [^:]{1,60}(?::[^:]{1,60})?: (?:00000000)?[0-9a-f]{8} \[#(?!.* ARM$)|"
        r"Booting Linux on physical CPU 0x[0-9a-f]{10} \[|\baarch64-|\baarch64\b|CPU features: detected: ",
    ),
    "x86": (
        "RIP: |RIP  [|EIP: |EFLAGS: |RFLAGS: |RAX: |EAX: |CR2: |R10: |RSP: |asm_exc_|#PF: |arch/x86/|do_syscall_64|"
        "_64_after_hwframe|system_call_fastpath|entry_SYSCALL|RSP <|apic_timer_interrupt|page_fault+|bad pmd |bad pud |"
        "bad pgd |bad p4d |<IRQ>|</IRQ>|<NMI>|<EOI>|<TASK>|</TASK>|Standard PC (|SeaBIOS|Bochs|general protection|"
        "invalid opcode: |double fault: |x86_64|i686|ia32_sys|Code: Bad RIP",
        r"\bRIP: \S|\bRIP  \[|\bEIP: |\b[ER]FLAGS: |\bRAX: |\bEAX: |\bCR2: |\bR10: [0-9a-f]{16}|\bRSP: [0-9a-f]{4}|"
        r"asm_exc_|#PF: |arch/x86/|\bdo_syscall_64\b|_64_after_hwframe|system_call_fastpath|entry_SYSCALL|"
        r"RSP <[0-9a-f]|</?(?:IRQ|NMI|EOI|TASK|#DF|#DB)>|"
        r"\bapic_timer_interrupt\+|\bpage_fault\+|: bad p[gum4]d [0-9a-f]{8,16}\(|"
        r"general protection fault|invalid opcode: 0000|double fault: 0000|"
        r"Hardware name: .*(?:Standard PC \(|SeaBIOS|Bochs)|"
        r"Linux version .*(?:x86_64|i686)-linux|\bia32_sys|Code: Bad RIP",
    ),
    "riscv": (
        "epc : |badaddr: |gp : ",
        r"\bepc : ?[0-9a-f]{8,16} ra : ?|\bbadaddr: [0-9a-f]{8,16} cause: |\bgp : ?[0-9a-f]{8,16} tp : ",
    ),
    "powerpc": (
        "NIP|GPR00: |Faulting instruction address: 0x",
        r"\bNIP: {1,2}[0-9a-f]{8,16}|\bGPR00: |\bNIP \[[0-9a-f]{8,16}\]|Faulting instruction address: 0x",
    ),
    "arm (32 bits)": (
        " ARM|psr: |r10: |<--- cut here|ARMv|-gnueabi|arm-linux-|unwind_backtrace|show_stack) from|CPU 0xf00|__irq_svc|"
        "__dabt_svc|ret_fast_syscall|vector_swi| from [<",
        r"\[#\d{1,4}\].{0,30} ARM$|\bpsr: ?[0-9a-f]{8}|\br10: ?[0-9a-f]{8} {1,2}r9 : ?|8<--- cut here|\bARMv\d|"
        r"-gnueabi(?:hf)?-|\barm-linux-|unwind_backtrace\b.* from |Booting Linux on physical CPU (?:0x)?[0-9a-f]{1,3}$|"
        r"\(?__irq_svc|\(?__dabt_svc|ret_fast_syscall|\(vector_swi|\(\S{1,100}\) from \[<[0-9a-f]{8}>\]|"
        r"^[\w.]{1,100} from \w[\w.]{0,100}\+0x",
    ),
    "s390": ("Krnl |User PSW|ilc:", r"\bKrnl (?:PSW|GPRS|Code)|\bUser PSW : |\bilc:\d "),
    "mips": (
        "epc   : |BadVA : |, epc == |$ 0   : ",
        r"\bepc   : ?[0-9a-f]{8,16}|\bBadVA : |, epc == [0-9a-f]{8,16}|^\$ 0   : ",
    ),
    "loongarch": (", era == |ERA: |CRMD: |ESTAT: ", r", era == [0-9a-f]{8,16}|\bERA: [0-9a-f]{16}|\bCRMD: |\bESTAT: "),
    "sparc": ("TSTATE: |TPC: |PSR: ", r"\bTSTATE: |\bTPC: ?<|\bPSR: [0-9a-f]{8} PC: "),
    "parisc": ("IAOQ: |IASQ: |YZrvWESTHLNXBCVM", r"\bIAOQ: |\bIASQ: |\bYZrvWESTHLNXBCVM"),
    "alpha": ("ps = |v0 = ", r"\bps = [0-9a-f]{4}  ?(?:\S{1,20} )?ra = |^v0 = [0-9a-f]{16} "),
    "m68k": ("SR: ", r"\bPC: \[<[0-9a-f]{8}>\].{0,60} SR: [0-9a-f]{4} "),
    "sh": ("PR  : |PC  : ", r"^PR  : [0-9a-f]{8}|^PC  : [0-9a-f]{8} SP  : "),
    "arc": ("[ECR   ]: |BLINK: 0x", r"\[ECR   \]: |\bBLINK: 0x"),
    "xtensa": ("a00: |sar: ", r"^a00: [0-9a-f]{8} |\bsar: [0-9a-f]{8}"),
    SOME_OTHER: (
        "Call Trace:|Backtrace:|KMSAN|[<ffffffff8|ffff88|+0x",
        r"^Call Trace:|^Backtrace:|^BUG: KMSAN: |\[<ffffffff8[0-9a-f]{7}>\]|\bffff88[0-9a-f]{10}\b|"
        r"\+0x[0-9a-f]{0,7}[1235679abdef]/0x[0-9a-f]",  # an instruction of arm64 is at a multiple of 4
    ),
}
_PATTERNS = {name: (words.split("|"), re.compile(pattern)) for name, (words, pattern) in _SIGNS.items()}
LONGEST = 400  # characters of a line that are looked at
_HITS = 20  # occurrences of a word that are looked at in a whole text


def signs(text: str) -> Iterator[str]:
    """The architectures whose signs are in a line.

    >>> list(signs("RIP: 0010:dump_page+0x4/0x8"))
    ['x86']
    """
    text = text[:LONGEST]
    for name, (words, pattern) in _PATTERNS.items():
        if any(word in text for word in words) and pattern.search(text):
            yield name


def architecture_of(texts: Iterable[str]) -> str | None:
    """The architecture that the lines of one report are from; `None` if they have no sign of any.

    >>> architecture_of(["Call Trace:", "NIP:  c000000000a1b2c3"]), architecture_of(["Modules linked in:"])
    ('powerpc', None)
    """
    unnamed = None
    for text in texts:
        for name in signs(text):
            if name != SOME_OTHER:
                return name
            unnamed = name
    return unnamed


def is_sign(text: str) -> bool:
    """Whether a line belongs to a report of some architecture."""
    return next(signs(text), None) is not None


def foreign_sign(text: str) -> str | None:
    """The other architecture whose signs are in a whole text; `None` if there are none, or signs of arm64 too."""
    foreign = None
    for name, (words, _) in _PATTERNS.items():
        architecture = architecture_of(
            line for word in words for line in _lines_with(word, text) if name in signs(line)
        )
        if architecture == ARM64:
            return None
        foreign = foreign or architecture
    return foreign


def _lines_with(word: str, text: str) -> Iterator[str]:
    at = -1
    for _ in range(_HITS):
        at = text.find(word, at + 1)
        if at < 0:
            return
        start = text.rfind("\n", max(at - LONGEST, 0), at) + 1
        line = text[start or max(at - LONGEST, 0) : at + LONGEST].partition("\n")[0]
        yield known_prefixes(line)[0].strip()


def declined(architecture: str) -> str:
    """The sentence that says why a report is left out.

    >>> declined("x86")
    'this report is from x86: pgtlab reads only those from arm64'
    """
    return f"this report is from {architecture}: pgtlab reads only those from arm64"
