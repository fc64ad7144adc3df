"""The kernel log: printk, WARN, BUG, call traces and panic.

Only printing takes time: as on a serial console with ten bits a character and 115,200 bits a second.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pgtlab.arch.registers import ESR_EL1
from pgtlab.arch.word import MASK64
from pgtlab.linux.headers.brk_imm import BUG_BRK_IMM
from pgtlab.linux.kernel import symbols
from pgtlab.linux.kernel.stack import numbered
from pgtlab.linux.kernel.symbols import static_inline
from pgtlab.linux.placement import RAM_BASE

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.page import Page

BAUD = 115_200
BITS_PER_CHARACTER = 10
LONGEST = 1024  # characters of a message, as in a record of the kernel's own buffer (PRINTKRB_RECORD_MAX)

EC_BRK = 0x3C
_ROOT = Path(__file__).parents[3]

TAINT_LETTERS = "PFSRMBUDAWCIOELKXTN"
TAINT_BAD_PAGE, TAINT_DIE, TAINT_WARN = map(TAINT_LETTERS.index, "BDW")

VERSION = "#1"  # the number of the build


class Panic(Exception):
    """The simulated kernel stopped. Only the entry points of the kernel catch this."""


@dataclass
class Log:
    """The lines printed so far, and the time since boot."""

    lines: list[str] = field(default_factory=list)
    microseconds: float = 0.0

    def printk(self, message: str) -> None:
        """Print a line with its timestamp, and let the time pass that printing takes."""
        seconds = self.microseconds / 1e6
        text = f"[{seconds:12.6f}] {message[:LONGEST]}"
        self.lines.append(text)
        self.microseconds += (len(text) + 2) * BITS_PER_CHARACTER / BAUD * 1e6

    def __str__(self) -> str:
        return "\n".join(self.lines)


def printk(k: Kernel, message: str) -> None:
    """Print a line to the kernel log, with the time since boot."""
    k.log.printk(message)


def show_trace(k: Kernel, *below: str) -> None:
    """Print the call trace; `below` are the innermost frames, those of the functions that print it."""
    printk(k, "Call trace:")
    for name in (*below, *k.trace()):
        printk(k, f" {name}")


@static_inline
def dump_stack(k: Kernel) -> None:
    """Print which task runs on which kernel, and its call trace (`lib/dump_stack.c`)."""
    k.print_header()
    show_trace(k, "dump_backtrace", "show_stack", "dump_stack_lvl", "dump_stack")


def print_header(k: Kernel) -> None:
    """Print the lines before a report's call trace: CPU, task, taint, kernel release and machine."""
    task = k.current
    printk(k, f"CPU: 0 PID: {task.pid} Comm: {task.comm} {print_tainted(k)} {k.release} {VERSION}")
    printk(k, "Hardware name: linux,dummy-virt (DT)")


def print_tainted(k: Kernel) -> str:
    """The taints of the kernel as one letter each, every letter in its own column (`kernel/panic.c`)."""
    if not k.tainted:
        return "Not tainted"
    unset = "G" + " " * (len(TAINT_LETTERS) - 1)  # G: no proprietary module
    return "Tainted: " + "".join(
        letter if flag in k.tainted else unset[flag] for flag, letter in enumerate(TAINT_LETTERS)
    )


def add_taint(k: Kernel, flag: int, *, lockdep_ok: bool = False) -> None:
    """Taint the kernel; unless `lockdep_ok`, lock debugging is switched off, because its state may be wrong now."""
    if k.debug_locks and not lockdep_ok:
        k.debug_locks = False
        printk(k, "Disabling lock debugging due to kernel taint")
    k.tainted.add(flag)


@static_inline
def WARN_ON(k: Kernel, condition: object) -> bool:
    """Report a warning with a call trace if `condition` holds, and go on; return it as a bool (`asm-generic/bug.h`)."""
    return WARN(k, condition, "")


@static_inline
def WARN(k: Kernel, condition: object, message: str) -> bool:
    """Report a warning with a message and a call trace if `condition` holds, and go on; return it as a bool."""
    if condition:
        where = k.trace()[0]
        k.report("WARNING", where=where, text=message, location=_caller())
        printk(k, "------------[ cut here ]------------")
        if message:
            printk(k, message)
        printk(k, f"WARNING: CPU: 0 PID: {k.current.pid} at {_caller()} {where}")
        printk(k, "Modules linked in:")
        k.print_header()
        show_trace(k)
        printk(k, "---[ end trace 0000000000000000 ]---")
        add_taint(k, TAINT_WARN, lockdep_ok=True)
    return bool(condition)


@static_inline
def VM_BUG_ON_PAGE(k: Kernel, condition: object, page: Page, text: str) -> None:
    """With CONFIG_DEBUG_VM: dump `page` and stop if `condition` holds, whose source is `text` (`linux/mmdebug.h`)."""
    if condition and k.CONFIG_DEBUG_VM:
        k.dump_page(page, f"VM_BUG_ON_PAGE({text})")
        bug(k, _caller(), text=f"VM_BUG_ON_PAGE({text})", page=page)


@static_inline
def VM_BUG_ON(k: Kernel, condition: object, text: str) -> None:
    """With CONFIG_DEBUG_VM: stop the kernel if `condition` holds, whose source is `text` (`linux/mmdebug.h`)."""
    if condition and k.CONFIG_DEBUG_VM:
        bug(k, _caller(), text=f"VM_BUG_ON({text})")


@static_inline
def BUG_ON(k: Kernel, condition: object, text: str) -> None:
    """Stop the kernel if `condition` holds, whose source is `text` (`asm-generic/bug.h`)."""
    if condition:
        bug(k, _caller(), text=f"BUG_ON({text})")


def bug(k: Kernel, location: str, text: str, page: Page | None = None) -> NoReturn:
    """Stop the kernel at a bug, as `BUG()` does: a BRK instruction, whose exception is reported as an Oops."""
    k.report("BUG", text=text, location=location, page=page)
    printk(k, "------------[ cut here ]------------")
    printk(k, f"kernel BUG at {location}!")
    die(k, "Oops - BUG", ESR_EL1(EC=EC_BRK, IL=1, ISS=BUG_BRK_IMM))


def die(k: Kernel, message: str, esr: ESR_EL1 | None = None) -> NoReturn:
    """Report an Oops and panic: it kills the current task, which is init here (`arch/arm64/kernel/traps.c`)."""
    k.debug_locks = False
    if esr is not None:
        printk(k, f"Internal error: {message}: {esr.value:016x} [#1] PREEMPT SMP")
    printk(k, "Modules linked in:")
    k.print_header()
    show_regs(k)
    show_trace(k)
    add_taint(k, TAINT_DIE)
    printk(k, "---[ end trace 0000000000000000 ]---")
    panic(k, "Attempted to kill init! exitcode=0x0000000b")


def show_regs(k: Kernel) -> None:
    """Print pc, lr, sp and those registers whose values the model knows (`arch/arm64/kernel/process.c`)."""
    functions = k.stack.functions()
    printk(k, f"pc : {functions[0]}")
    printk(k, f"lr : {functions[1]}")
    printk(k, f"sp : {k.stack.sp:016x}")
    numbered(k.stack.registers(), partial(printk, k))


def panic(k: Kernel, message: str) -> NoReturn:
    """Print the panic message and stop the machine (`kernel/panic.c`)."""
    printk(k, f"Kernel panic - not syncing: {message}")
    if k.placement.memstart_addr == RAM_BASE:
        printk(k, "Kernel Offset: disabled")  # as setup.c prints without KASLR; here KASLR moves only the linear map
    else:
        printk(k, f"PHYS_OFFSET: {k.memstart_addr & MASK64:#x}")
    printk(k, f"---[ end Kernel panic - not syncing: {message} ]---")
    raise Panic(message)


def _caller() -> str:
    """File and line of the function that ran into a WARN or a BUG: the innermost frame outside this module."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename in (__file__, symbols.__file__):
        if frame.f_back is None:
            break
        frame = frame.f_back
    path = Path(frame.f_code.co_filename)
    return f"{path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else path.name}:{frame.f_lineno}"
