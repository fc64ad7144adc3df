"""What share strings can say of a log: the kernels that can have printed it, and the addresses in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

from pgtlab.linux.boot import Boot, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config, configurations
from pgtlab.linux.oops.inferring.inference import MOST_REPORTS
from pgtlab.linux.oops.inferring.layout import CPUS
from pgtlab.linux.oops.showing import OopsLog, OopsReport
from pgtlab.linux.share import Share

MOST_KERNELS: Final = 4  # if more of them fit, the log hardly says which it was
FAULTING: Final = "the faulting address"
_ERRORS: Final = -4096 & (1 << 64) - 1  # from here on, a value is an error code such as -ENOMEM
_INFERRED: Final = {
    "page_on_stack": "a struct page on the stack",
    "vmemmap": "vmemmap",
    "VMEMMAP_START": "VMEMMAP_START",
    "kernel_start": "the start of the kernel",
}
_NUMBERS: Final = ("bogus_pfn", "section_nr", "section_root")


@dataclass(frozen=True)
class LoggedAddress:
    """An address in a log.

    Attributes
    ----------
    va : int
        The address.
    name : str
        What it is, such as "the faulting address"; of a register, its name, such as "x3".
    report : int
        The number of the report, counted from 1.
    is_register : bool
        Whether a register held it.
    """

    va: int
    name: str
    report: int
    is_register: bool = False


def kernels(report: OopsReport) -> tuple[Share, ...]:
    """The kernels that can have printed a report, each on a CPU on which it behaves so; none if it hardly says which.

    >>> from pgtlab.linux import oops
    >>> log = oops.read("swapper pgtable: 4k pages, 48-bit VAs, pgdp=0000000041ef8000\\n"
    ...     "Internal error: Oops: 0000000096000005 [#1] PREEMPT SMP")
    >>> print(*kernels(log.reports[0]))
    pgtlab://4k/48/lpa2 pgtlab://4k/52/no-lpa2
    """
    remaining = {
        (layout.page_size, layout.va_bits, layout.vabits_actual, layout.pa_bits)
        for layout in report.clues.kernels(report.place)
    }
    fitting: dict[tuple[int, int, int], Share] = {}
    usual = [config for config in configurations() if config == Config(config.page_size, config.va_bits)]
    for config, cpu in product(dict.fromkeys((*usual, *configurations())), CPUS):
        booted = boot(config, CPU.named(cpu))
        if isinstance(booted, Boot):
            kernel = config.page_size, config.va_bits, booted.vabits_actual
            if any((*kernel, bits) in remaining for bits in (config.pa_bits, booted.constants.PHYS_MASK_SHIFT)):
                fitting.setdefault(kernel, Share(config, cpu, ""))
    return tuple(fitting.values()) if len(fitting) <= MOST_KERNELS else ()


def addresses(log: OopsLog) -> tuple[LoggedAddress, ...]:
    """The addresses in the first reports: those that faulted, those that follow, and the kernel's in registers.

    An address that is several of them is there once. The log's numbers of frames and sections are not addresses.

    >>> from pgtlab.linux import oops
    >>> log = oops.read("Unable to handle kernel paging request at virtual address dead000000000108\\n"
    ...     "Internal error: Oops: 0000000096000044 [#1] PREEMPT SMP\\n"
    ...     "x2 : ffff000004a1d000 x1 : dead000000000108 x0 : ffffffffffffffff")
    >>> [(address.name, hex(address.va)) for address in addresses(log)]
    [('the faulting address', '0xdead000000000108'), ('x2', '0xffff000004a1d000')]
    """
    every = [each for report in log.reports[:MOST_REPORTS] for each in _addresses_of(report)]
    kept: dict[int, LoggedAddress] = {}
    for address in sorted(every, key=lambda address: (address.name != FAULTING, address.is_register)):
        kept.setdefault(address.va, address)
    return tuple(kept.values())


def _addresses_of(report: OopsReport) -> Iterator[LoggedAddress]:
    if report.address is not None:
        yield LoggedAddress(report.address, FAULTING, report.number)
    for inference in report.inferences:
        if inference.name in _INFERRED and isinstance(inference.value, int):
            yield LoggedAddress(inference.value, _INFERRED[inference.name], report.number)
    numbers = {inference.value for inference in report.inferences if inference.name in _NUMBERS}
    for name, value in {**report.registers.numbered, **report.registers.values}.items():
        if value >> 52 == 0xFFF and value < _ERRORS and value not in numbers:
            yield LoggedAddress(value, name, report.number, is_register=True)
