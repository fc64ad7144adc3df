"""The constants of run time: macros that read `vabits_actual`, TCR_EL1.DS or `arm64_use_ng_mappings`."""

from __future__ import annotations

from functools import partial

from pgtlab.linux.constants import Constants, Header, include
from pgtlab.linux.headers.compile_time import SZ_8M, SZ_256M, bit, div_round_up, ul
from pgtlab.linux.headers.mm import swapops_h
from pgtlab.linux.version import since


def runtime(k: Constants, *, vabits_actual: int, lpa2: bool, ng: bool) -> Constants:
    """Constants of a running kernel.

    Parameters
    ----------
    k : Constants
        Those of its configuration.
    vabits_actual : int
        Bits of virtual address in use.
    lpa2 : bool
        TCR_EL1.DS is set.
    ng : bool
        `arm64_use_ng_mappings`: kernel mappings are not global, because KPTI unmaps them in user space.
    """

    def pgtable_h(r: Header) -> None:
        r.vabits_actual = vabits_actual
        r.lpa2_is_enabled = int(lpa2)
        if "KASAN_SHADOW_END" in k:
            r.KASAN_SHADOW_START = k.KASAN_SHADOW_END - bit(vabits_actual - k.KASAN_SHADOW_SCALE_SHIFT)
            r.PAGE_END = r.KASAN_SHADOW_START
        if not since(k, "6.9"):
            r.VMALLOC_END = k.VMEMMAP_START - SZ_256M
        elif k.VA_BITS == k.VA_BITS_MIN:
            r.VMALLOC_END = k.VMEMMAP_START - SZ_8M
        else:
            # A 52-bit memmap with fewer bits in use: vmalloc takes the pages that describe no linear map.
            r.VMEMMAP_UNUSED_NPAGES = (ul(-bit(vabits_actual)) - k.PAGE_OFFSET) >> k.PAGE_SHIFT
            unused = r.VMEMMAP_UNUSED_NPAGES * k["sizeof(struct page)"]
            r.VMALLOC_END = k.VMEMMAP_START + unused - SZ_8M

    def sparsemem_h(r: Header) -> None:
        r.PHYS_MASK_SHIFT = 48 if k.CONFIG_ARM64_LPA2 and not lpa2 else k.CONFIG_ARM64_PA_BITS
        r.PHYS_MASK = bit(r.PHYS_MASK_SHIFT) - 1
        r.MAX_PHYSMEM_BITS = r.PHYS_MASK_SHIFT
        r.NR_MEM_SECTIONS = bit(r.MAX_PHYSMEM_BITS - k.SECTION_SIZE_BITS)
        r.NR_SECTION_ROOTS = div_round_up(r.NR_MEM_SECTIONS, k.SECTIONS_PER_ROOT)

    def processor_h(r: Header) -> None:
        r.TASK_SIZE_64 = bit(vabits_actual)

    def pgtable_prot_h(r: Header) -> None:
        # With DS = 1 the bits of SH hold output-address bits instead; TCR_EL1.SH0 and SH1 apply to all.
        r.PTE_MAYBE_SHARED = 0 if lpa2 else k.PTE_SHARED
        r.PMD_MAYBE_SHARED = 0 if lpa2 else k.PMD_SECT_S
        r.PTE_MAYBE_NG = k.PTE_NG if ng else 0
        r.PROT_DEFAULT = k.PTE_TYPE_PAGE | r.PTE_MAYBE_NG | r.PTE_MAYBE_SHARED | k.PTE_AF
        r.PROT_SECT_DEFAULT = k.PMD_TYPE_SECT | r.PTE_MAYBE_NG | r.PMD_MAYBE_SHARED | k.PMD_SECT_AF
        for kind in ("NORMAL", "NORMAL_TAGGED", "NORMAL_NC", "DEVICE_nGnRnE", "DEVICE_nGnRE"):
            attrindx = getattr(k, f"MT_{kind}") << 2
            r[f"PROT_{kind}"] = r.PROT_DEFAULT | k.PTE_PXN | k.PTE_UXN | k.PTE_WRITE | attrindx
        r.PROT_SECT_NORMAL = r.PROT_SECT_DEFAULT | k.PMD_SECT_PXN | k.PMD_SECT_UXN | k.PTE_WRITE
        r.PROT_SECT_NORMAL_EXEC = r.PROT_SECT_DEFAULT | k.PMD_SECT_UXN
        r.PROT_SECT_DEVICE_nGnRE = r.PROT_SECT_DEFAULT | k.PMD_SECT_PXN | k.PMD_SECT_UXN | k.MT_DEVICE_nGnRE << 2
        r._PAGE_KERNEL = r.PROT_NORMAL | k.PTE_DIRTY
        r._PAGE_KERNEL_RO = (r._PAGE_KERNEL & ~k.PTE_WRITE) | k.PTE_RDONLY
        r._PAGE_KERNEL_ROX = r._PAGE_KERNEL_RO & ~k.PTE_PXN
        r._PAGE_KERNEL_EXEC = r._PAGE_KERNEL & ~k.PTE_PXN
        r._PAGE_KERNEL_EXEC_CONT = r._PAGE_KERNEL_EXEC | k.PTE_CONT

    return include({}, pgtable_h, sparsemem_h, partial(swapops_h, k), processor_h, pgtable_prot_h)
