"""The chain of events of the real log, from the cause to the silence, and the lines that show each link."""

from typing import Final

from pgtlab.lab.chapters import log_lines

EVENTS: Final = (
    "pud_free frees a table without its destructor",
    "the allocator finds the type where it wants -1, and reports a bad page",
    "__dump_page copies the struct page to its stack",
    "page_to_pfn of the copy makes a number that no frame has",
    "no section has that number: the lookup answers NULL",
    "reading NULL + 8 faults at level 0: an Oops",
    "the Oops ends PID 1",
    "the kernel panics",
)


def lines_for(link: int) -> list[int]:
    """Return the numbers of the lines that show a link, counted from 1.

    >>> EVENTS[8 - 1], lines_for(8)
    ('the kernel panics', [53])
    """
    return [line.number for line in log_lines().values() if link in line.links]
