"""The ideas of the course as claims about the log of a crash: each family draws true and false ones that look alike."""

from __future__ import annotations

from typing import Final

from pgtlab.lab.exam_claims import Family
from pgtlab.lab.exam_families import fault, memory, page, registers

FAMILIES: Final[tuple[Family, ...]] = (
    *page.FAMILIES,
    *fault.FAMILIES,
    *registers.FAMILIES,
    *memory.FAMILIES,
)
