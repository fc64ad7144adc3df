"""What the other views can open of a log: a kernel that can have printed it, and an address in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pgtlab.linux.address import parse_address
from pgtlab.linux.cpu import CPU
from pgtlab.linux.log_share import LoggedAddress, addresses, kernels
from pgtlab.linux.oops import OopsLog
from pgtlab.linux.share import Share
from pgtlab_widgets.address_field import written


@dataclass(frozen=True)
class Openings:
    """What can be opened of a log, and what of it is chosen.

    Attributes
    ----------
    log : OopsLog
        The log.
    number : int
        Which of the addresses is chosen; the first faulted, if one did.
    kernel : int
        Which of the kernels that fit is chosen.

    Examples
    --------
    >>> from pgtlab.linux import oops
    >>> openings = Openings(oops.read(
    ...     "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000008\\n"
    ...     "user pgtable: 4k pages, 48-bit VAs, pgdp=0000000041ef8000\\n"
    ...     "Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP"))
    >>> openings.share, openings.of_kernel(1).share
    ('pgtlab://4k/48/lpa2/0x0000000000000008', 'pgtlab://4k/52/no-lpa2/0x0000000000000008')
    """

    log: OopsLog
    number: int = 0
    kernel: int = 0

    @cached_property
    def addresses(self) -> tuple[LoggedAddress, ...]:
        """The addresses in the log."""
        return addresses(self.log)

    @property
    def address(self) -> LoggedAddress | None:
        """The chosen address; None if there is none in the log."""
        return self.addresses[self.number] if self.addresses else None

    @cached_property
    def kernels(self) -> tuple[Share, ...]:
        """The kernels that can have printed the report of the address; none if the log hardly says which."""
        return kernels(self.log.reports[self.address.report - 1 if self.address else 0])

    @property
    def share(self) -> str:
        """The chosen kernel and the address as a string that the other views take; empty without a kernel."""
        if not self.kernels:
            return ""
        return str(replace(self.kernels[self.kernel], address=written(self.address.va) if self.address else ""))

    def at(self, number: int) -> Openings:
        """Another address; its report may be of another kernel."""
        other = replace(self, number=range(len(self.addresses))[number], kernel=0)
        return replace(other, kernel=self.kernel) if other.kernels == self.kernels else other

    def of_kernel(self, number: int) -> Openings:
        """Another of the kernels."""
        return replace(self, kernel=range(len(self.kernels))[number])

    def parsed(self, share: str) -> Openings:
        """The kernel and the address that a share string says.

        Raises
        ------
        ValueError
            If it is not one, or they are not those of this log.
        """
        shared = Share.parse(share)
        opened = self
        if shared.address:
            va = parse_address(shared.address, shared.boot)
            numbers = [number for number, address in enumerate(self.addresses) if address.va == va]
            if not numbers:
                raise ValueError(
                    f"{shared.address} is not an address in this log; a view of a kernel can open the string"
                )
            opened = self.at(numbers[0])
        kernel = replace(shared, address="")
        if kernel not in opened.kernels:
            raise ValueError(f"{kernel} cannot have printed this log; a view of a kernel can open the string")
        return opened.of_kernel(opened.kernels.index(kernel))

    def drawn(self) -> dict[str, Any] | None:
        """For `opened()` of `oops_reader.js`; None without a kernel."""
        if not self.kernels:
            return None
        at = self.address
        reports = {address.report for address in self.addresses}
        listed = [
            (number, address)
            for number, address in enumerate(self.addresses)
            if not address.is_register or (at and address.report == at.report)
        ]
        return {
            "chosen": " · ".join([_short(self.kernels[self.kernel]), *([f"{at.va:#x}, {at.name}"] if at else [])]),
            "kernels": [
                {"label": _name(kernel), "selected": number == self.kernel, "send": {"kernel": number}}
                for number, kernel in enumerate(self.kernels)
            ],
            "addresses": [
                {
                    "label": f"{address.name} {written(address.va)}",
                    "note": f"report {address.report}" if len(reports) > 1 else "",
                    "selected": number == self.number,
                    "register": address.is_register,
                    "send": {"address": number},
                }
                for number, address in listed
            ],
        }


def _short(kernel: Share) -> str:
    """A kernel and its CPU as the controls of the other views say it."""
    return f"{kernel.config.page_size_name} · VA {kernel.config.va_bits} · {kernel.cpu}"


def _name(kernel: Share) -> str:
    """A kernel and its CPU in a few words.

    >>> _name(Share.parse("pgtlab://4k/52/no-lpa2"))
    '4K pages, VA_BITS=52 on max without LPA2'
    """
    return f"{kernel.config.granule} pages, VA_BITS={kernel.config.va_bits} on {CPU.named(kernel.cpu).title}"
