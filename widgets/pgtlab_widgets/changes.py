"""What is different between two booted kernels, the most telling first."""

from __future__ import annotations

from dataclasses import dataclass

from pgtlab.linux.boot import Boot

SMALL = 1 << 16  # numbers below are counts, shifts and sizes; those above are addresses and masks


@dataclass(frozen=True)
class Change:
    """A name, and what it was and is; None where a kernel has no such constant."""

    name: str
    before: str | None
    after: str | None


def changes(before: Boot, after: Boot) -> tuple[Change, ...]:
    """List everything that differs: what the boot decided, TCR_EL1 field by field, then the constants.

    >>> from pgtlab import CPU, Config, boot
    >>> config = Config("16k", 52)
    >>> changes(boot(config, CPU.named("max")), boot(config, CPU.named("max,lpa2=off")))[:2]
    (Change(name='vabits_actual', before='52', after='47'), Change(name='start level', before='0', after='1'))
    """
    was, now = _facts(before), _facts(after)
    names = dict.fromkeys([*now, *was])
    return tuple(Change(name, was.get(name), now.get(name)) for name in names if was.get(name) != now.get(name))


def _facts(boot: Boot) -> dict[str, str]:
    facts = {"vabits_actual": str(boot.vabits_actual), "start level": str(boot.start_level)}
    facts |= {name: fold.value for name, fold in boot.folded.items()}
    facts |= {f"TCR_EL1.{name}": _number(value) for name, value in boot.tcr_el1.items()}
    for constants in (boot.constants, boot.config.constants):
        facts |= {name: _number(value) for name, value in constants.items() if name not in facts}
    return facts


def _number(value: int) -> str:
    return str(int(value)) if value < SMALL else f"{value:#x}"
