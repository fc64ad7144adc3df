"""Page poisoning: free pages are filled with a pattern, which is checked at the next allocation (`mm/page_poison.c`).

A read of a freed page returns 0xaa in every byte; a write to it is found when the page is allocated again.
CONFIG_PAGE_POISONING stands for a kernel that was built with it and booted with `page_poison=on` and
`no_hash_pointers`. (v6.9. The kernel prints at most ten of these reports in five seconds; the model prints all.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pgtlab.linux.headers.poison import PAGE_POISON, word_of
from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel
    from pgtlab.linux.kernel.page import Page

POISON_WORD = word_of(PAGE_POISON)


@static_inline
def page_poisoning_enabled(k: Kernel) -> bool:
    """Whether free pages are filled with poison."""
    return bool(k.CONFIG_PAGE_POISONING)


@static_inline
def kernel_poison_pages(k: Kernel, page: Page, n: int) -> None:
    """Fill `n` pages, which have just been freed, with poison."""
    words = np.full(k.PAGE_SIZE // 8, POISON_WORD, np.uint64)
    for pfn in range(page.pfn, page.pfn + n):
        k.memory.write(pfn << k.PAGE_SHIFT, words)
        k.poisoned.add(pfn)


def __kernel_unpoison_pages(k: Kernel, page: Page, n: int) -> None:
    """Check that `n` pages, which are about to be used, still hold their poison."""
    for pfn in range(page.pfn, page.pfn + n):
        k.unpoison_page(k.pfn_to_page(pfn))


@static_inline
def unpoison_page(k: Kernel, page: Page) -> None:
    """Check that a page still holds its poison.

    At boot the kernel poisons all free RAM; the model does not, and takes a word of zeroes in a page that was never
    freed for poison.
    """
    words = k.memory.read(page.pfn << k.PAGE_SHIFT, k.PAGE_SIZE // 8)
    if page.pfn not in k.poisoned:
        words[words == 0] = POISON_WORD
    k.poisoned.discard(page.pfn)
    k.check_poison_mem(page, words.tobytes())


@static_inline
def check_poison_mem(k: Kernel, page: Page, mem: bytes) -> None:
    """Report the bytes that are not poison, from the first one to the last."""
    end = len(mem.rstrip(bytes([PAGE_POISON])))
    if not end:
        return
    start = end - len(mem[:end].lstrip(bytes([PAGE_POISON])))
    flipped = mem[start] ^ PAGE_POISON
    what = "single bit error" if end == start + 1 and flipped.bit_count() == 1 else "memory corruption"
    k.report("Page poison", page=page, text=f"pagealloc: {what}")
    k.printk(f"pagealloc: {what}")
    for line in hex_dump(k.page_address(page) + start, mem[start:end]):
        k.printk(line)
    k.dump_stack()
    k.dump_page(page, "pagealloc: corrupted page details")


def hex_dump(address: int, data: bytes) -> list[str]:
    """Hex dump as `print_hex_dump()` makes it: address, sixteen bytes and their printable characters (`lib/hexdump.c`).

    >>> hex_dump(0xffff000000000008, b"page")
    ['ffff000000000008: 70 61 67 65                                      page']
    """
    lines = []
    for offset in range(0, len(data), 16):
        row = data[offset : offset + 16]
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        lines.append(f"{address + offset:016x}: {row.hex(' '):<49}{text}")
    return lines
