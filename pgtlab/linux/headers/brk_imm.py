"""The immediates of BRK instructions in Linux (`arch/arm64/include/asm/brk-imm.h`, v6.12)."""

from __future__ import annotations

BUG_BRK_IMM = 0x800
_ONE = {
    0x001: "a trap of clang's, __builtin_trap()",
    0x004: "KPROBES_BRK_IMM: a kprobe",
    0x005: "UPROBES_BRK_IMM: a uprobe",
    0x006: "KPROBES_BRK_SS_IMM: a kprobe that steps",
    0x007: "KRETPROBES_BRK_IMM: a kretprobe",
    0x100: "FAULT_BRK_IMM: an instruction that was patched in wrong",
    0x3E8: "a trap of gcc's, __builtin_trap()",
    0x400: "KGDB_DYN_DBG_BRK_IMM: kgdb",
    0x401: "KGDB_COMPILED_DBG_BRK_IMM: a breakpoint of kgdb's, compiled in",
    BUG_BRK_IMM: "BUG_BRK_IMM: BUG() or WARN()",
}
#: The checks of UBSAN in the order of clang's handlers (`enum ubsan_checks`, `lib/ubsan.h`).
UBSAN_CHECKS = (
    "integer addition overflow",
    "unreachable code reached",
    "CFI check failed",
    "integer division or remainder overflow",
    "dynamic type cache miss",
    "float cast overflow",
    "function type mismatch",
    "implicit conversion",
    "invalid argument of a builtin",
    "invalid cast of an object",
    "load of an invalid value",
    "missing return",
    "integer multiplication overflow",
    "integer negation overflow",
    "nullability of an argument",
    "nullability of a return value",
    "null as a nonnull argument",
    "null as a nonnull return value",
    "array index out of bounds",
    "pointer overflow",
    "shift out of bounds",
    "integer subtraction overflow",
    "type mismatch, alignment or null",
    "alignment assumption",
    "variable-length array bound not positive",
)
_KASAN, _KASAN_MASK = 0x900, 0xFF
_UBSAN, _UBSAN_MASK = 0x5500, 0xFF
_CFI, _CFI_MASK = 0x8000, 0x3FF


def brk_name(imm: int) -> str | None:
    """The kernel's name for a BRK immediate; None if it has none.

    >>> brk_name(0x800), brk_name(0x5512)
    ('BUG_BRK_IMM: BUG() or WARN()', 'UBSAN_BRK_IMM: UBSAN, check 0x12: array index out of bounds')
    """
    if imm & ~_KASAN_MASK == _KASAN:
        access = "store" if imm & 0x10 else "load"
        return f"KASAN_BRK_IMM: KASAN, a {access} of {1 << (imm & 0xF)} bytes"
    if imm & ~_UBSAN_MASK == _UBSAN:
        check = imm & _UBSAN_MASK
        name = f": {UBSAN_CHECKS[check]}" if check < len(UBSAN_CHECKS) else ""
        return f"UBSAN_BRK_IMM: UBSAN, check {check:#x}{name}"
    if imm & ~_CFI_MASK == _CFI:
        return f"CFI_BRK_IMM_BASE: CFI, target in x{imm & 0x1F}, type in w{imm >> 5 & 0x1F}"
    return _ONE.get(imm)
