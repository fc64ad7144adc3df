"""Caches of small objects: the part of SLUB that a pgd smaller than a page needs (`mm/slub.c`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pgtlab.linux.kernel.page_flags import PG_slab

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel


@dataclass
class KmemCache:
    """A cache of objects of `size` bytes: the pages (slabs) in use by address, each with its free objects."""

    size: int
    slabs: dict[int, list[int]] = field(default_factory=dict)


def kmem_cache_zalloc(k: Kernel, cache: KmemCache) -> int:
    """Allocate an object of zeroes from a cache; return its address in the linear map, or 0 without memory."""
    if not any(cache.slabs.values()):
        start = k.get_zeroed_page()
        if not start:
            return 0
        k.virt_to_page(start).flags |= PG_slab
        cache.slabs[start] = list(range(start + k.PAGE_SIZE - cache.size, start - 1, -cache.size))
    slab = next(free for free in cache.slabs.values() if free)
    obj = slab.pop()
    for word in range(obj, obj + cache.size, 8):
        k.write64(word, 0)
    return obj


def kmem_cache_free(k: Kernel, cache: KmemCache, obj: int) -> None:
    """Return an object to its cache; a slab whose last object is freed goes back to the page allocator."""
    start = obj & ~(k.PAGE_SIZE - 1)
    k.BUG_ON(start not in cache.slabs or obj in cache.slabs[start], "!PageSlab(page) || object is free")
    cache.slabs[start].append(obj)
    if len(cache.slabs[start]) == k.PAGE_SIZE // cache.size:
        del cache.slabs[start]
        k.virt_to_page(start).flags &= ~PG_slab
        k.free_pages(start, 0)
