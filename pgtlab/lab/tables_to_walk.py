"""Tables to walk, of a kernel or from an image, and translations through them that are worth a look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from pgtlab.arch.changed_memory import ChangedMemory
from pgtlab.arch.descriptor import PageDescriptor
from pgtlab.arch.fault import Access, Cause, Fault, FaultKind
from pgtlab.arch.granule import LAST_LEVEL
from pgtlab.arch.mmu import MMU
from pgtlab.arch.walk import Translation, Walk
from pgtlab.lab.bugs.address_space import map_page, new_mm, new_page, some_address, switch_mm
from pgtlab.lab.trees import Tree
from pgtlab.lab.variants import addresses
from pgtlab.linux.boot import Boot
from pgtlab.linux.headers.poison import LIST_POISON1
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.mm import MmStruct
from pgtlab.linux.kernel.mmu import in_user_space
from pgtlab.linux.software_walk import Lookup, kernel_over, software_walk, user_mm

if TYPE_CHECKING:
    from pgtlab.linux.image import Image


@dataclass(frozen=True)
class Trial:
    """A translation with a name; `rule` says why it is not possible, and is empty if it is."""

    name: str
    va: int
    access: Access = Access.READ
    el: int = 0
    rule: str = ""


@dataclass(frozen=True, eq=False)
class AddressSpace:
    """Tables, the registers that lead to them, and the kernel that reads them, if it is known.

    `trials` has at least one.

    >>> from pgtlab import CPU, Config, boot
    >>> space = AddressSpace.process(Kernel(boot(Config("4k", 48), CPU.named("max"))))
    >>> [trial.name for trial in space.trials[:3]]
    ['mapped', 'nothing at level 0', 'nothing at level 1']
    >>> print(space.translate(space.trials[2].va, el=0).outcome)
    level 1 translation fault: the descriptor is invalid
    """

    mmu: MMU
    translate: Callable[..., Walk]
    trials: tuple[Trial, ...]
    kernel: Kernel | None = None
    mm: MmStruct | None = None
    in_user_space: MMU | None = None  # the MMU at EL0, where TTBR1_EL1 points to other tables then

    @classmethod
    def process(cls, k: Kernel, first: int | None = None) -> AddressSpace:
        """A process with four pages in a row: read-write, read-only, not yet accessed, and outside memory.

        The kernel's own functions map them, from the address `first` on if it is given.
        """
        mm, page = new_mm(k), k.PAGE_SIZE
        first = some_address(k) if first is None else first
        vas = mapped, read_only, old, beyond = tuple(first + i * page for i in range(4))
        ptes = [map_page(k, mm, va, new_page(k).pfn) for va in vas]
        k.ptep_set_wrprotect(mm, read_only, ptes[1])
        k.ptep_test_and_clear_young(None, old, ptes[2])
        mmu = switch_mm(k, mm)
        bits = mmu.lower.output_bits
        pte = k.pfn_pte(1 << bits - k.PAGE_SHIFT, k.vm_get_page_prot(k.VM_READ | k.VM_WRITE | k.VM_SHARED))
        leaf = mmu.lower.format.decode(pte, LAST_LEVEL)
        fits = isinstance(leaf, PageDescriptor) and leaf.oa == 1 << bits
        if fits:
            k.set_pte_at(mm, beyond, ptes[3], pte)
        rule = "" if fits else f"TCR_EL1.IPS allows {bits} bits, and the entries of this kernel cannot hold more"
        start, shift = mmu.lower.start_level or 0, mmu.lower.granule.level_shift
        trials = (
            Trial("mapped", mapped),
            *(Trial(f"nothing at level {level}", mapped ^ 1 << shift(level)) for level in range(start, LAST_LEVEL)),
            Trial(f"nothing at level {LAST_LEVEL}", mapped + 4 * page),
            Trial("write to a read-only page", read_only, Access.WRITE),
            Trial("access flag clear", old),
            Trial("address too large", beyond, rule=rule),
            Trial("NULL", 0),
            *_of_the_kernel(_ram(k), "linear map"),
        )
        return cls._of_running(k, mmu, trials, mm)

    @classmethod
    def of_kernel(cls, k: Kernel, mm: MmStruct | None = None) -> AddressSpace:
        """An address space of a running kernel; without `mm`, only the kernel's own range."""
        mmu = k.mmu if mm is None else switch_mm(k, mm)
        trials = (*_of_the_kernel(_ram(k), "linear map"), Trial("NULL", 0))
        return cls._of_running(k, mmu, trials, mm)

    @classmethod
    def _of_running(cls, k: Kernel, mmu: MMU, trials: tuple[Trial, ...], mm: MmStruct | None) -> AddressSpace:
        """With kernel page-table isolation, EL0 has other tables than the kernel."""
        user = in_user_space(k, mmu)
        return cls(mmu, _by_level(mmu, user), trials, k, mm, user if k.boot.kpti else None)

    @classmethod
    def of_image(cls, image: Image) -> AddressSpace:
        """The memory of a real kernel. If the image says which kernel, one of the model reads it as Linux does.

        Raises
        ------
        ImageError
            If the kernel of the image does not boot on its CPU.
        """
        if image.config is None or image.cpu is None:
            return replace(cls.of_mmu(image.mmu), translate=image.translate)
        k = kernel_over(image.boot, image.mmu)
        text = image.symbols.get("_stext", k.KIMAGE_VADDR + image.numbers.get("KERNELOFFSET", 0))
        trials = _of_the_kernel(text, "kernel image")
        if "TTBR0_EL1" not in image.registers:
            return cls(image.mmu, image.translate, trials, k)
        return cls(image.mmu, image.translate, (*trials, Trial("NULL", 0, el=1)), k, user_mm(k))

    @classmethod
    def of_mmu(cls, mmu: MMU) -> AddressSpace:
        """Tables that an MMU of your own walks."""
        return cls(mmu, mmu.translate, (Trial("0", 0, el=1),))

    @classmethod
    def of(cls, source: MMU | Image | Kernel, mm: MmStruct | None = None) -> AddressSpace:
        """The tables of any of these; `mm` is an address space of a kernel.

        Raises
        ------
        ValueError
            If it is none of them.
        """
        from pgtlab.linux.image import Image

        match source:
            case MMU():
                return cls.of_mmu(source)
            case Kernel():
                return cls.of_kernel(source, mm)
            case Image():
                return cls.of_image(source)
        raise ValueError(f"{source!r} has no tables to walk; give an MMU, an Image or a Kernel")

    def with_words(self, words: Mapping[int, int]) -> AddressSpace:
        """The same tables with other words at some physical addresses; nothing is written.

        >>> from pgtlab import CPU, Config, boot
        >>> space = small_process(boot(Config("4k", 48), CPU.named("max")))
        >>> va = space.trials[0].va
        >>> entry = space.translate(va, el=0).steps[1].address
        >>> print(space.with_words({entry: 0}).translate(va, el=0).outcome)
        level 1 translation fault: the descriptor is invalid
        """
        if not words:
            return self
        memory = ChangedMemory(self.mmu.memory, words)
        mmu = replace(self.mmu, memory=memory)
        user = None if self.in_user_space is None else replace(self.in_user_space, memory=memory)
        changed = _by_level(mmu, user or mmu)

        def translate(va: int, access: Access = Access.READ, el: int | None = None) -> Walk:
            self.translate(va, access, el)  # raises where an image does not know the tables
            return changed(va, access, el)

        kernel = None if self.boot is None else kernel_over(self.boot, mmu)
        return replace(self, mmu=mmu, translate=translate, kernel=kernel, in_user_space=user)

    def group(self, trial: Trial) -> str:
        """What a trial shows, by its outcome, to sort a long list of them.

        >>> from pgtlab import CPU, Config, boot
        >>> space = small_process(boot(Config("4k", 48), CPU.named("max")))
        >>> [space.group(trial) for trial in space.trials[:2]]
        ['Maps', 'Faults at a level']
        """
        outcome = None if trial.rule else self.translate(trial.va, trial.access, None if trial.el else 0).outcome
        match outcome:
            case Fault(cause=Cause.INPUT_ADDRESS):
                return "Not canonical"
            case Fault(kind=FaultKind.PERMISSION | FaultKind.ACCESS_FLAG):
                return "Permission"
            case Translation():
                return "Maps"
        return "Faults at a level"

    @property
    def boot(self) -> Boot | None:
        """The kernel and its CPU, if they are known."""
        return None if self.kernel is None else self.kernel.boot

    def lookups(self, walk: Walk) -> tuple[Lookup, ...]:
        """Linux's walk of the same address; None if it is in no range, or no kernel is known."""
        k, mm = self.kernel, self.mm
        outside = isinstance(walk.outcome, Fault) and walk.outcome.cause is Cause.INPUT_ADDRESS
        if k is None or outside:
            return ()
        if walk.va_range.upper:
            if walk.el == 0 and self.in_user_space is not None:
                k = kernel_over(k.boot, self.in_user_space)  # its init_mm has the tables of the trampoline
            mm = k.init_mm
        return () if mm is None else software_walk(k, mm, walk.va)


def _by_level(kernel: MMU, user: MMU) -> Callable[..., Walk]:
    """Translate with the tables that an exception level has."""
    if user is kernel:
        return kernel.translate

    def translate(va: int, access: Access = Access.READ, el: int | None = None) -> Walk:
        return (user if el == 0 else kernel).translate(va, access, el)

    return translate


def _ram(k: Kernel) -> int:
    return k.__va(k.memory.base)  # not in the class, where Python would mangle such names


def _of_the_kernel(va: int, name: str) -> tuple[Trial, ...]:
    return (
        Trial(name, va, el=1),
        Trial(f"{name}, from EL0", va, el=0),
        Trial("LIST_POISON1, not canonical", LIST_POISON1, el=1),
    )


@lru_cache(maxsize=4)  # with 64K pages each takes two MiB
def small_process(boot: Boot) -> AddressSpace:
    """`AddressSpace.process` of a kernel on its CPU; read only, so that each is booted once."""
    return AddressSpace.process(Tree.named("fixed").start_kernel(boot))


def drawn_process(boot: Boot, number: int) -> tuple[AddressSpace, Trial]:
    """A process at an address that is drawn, and a translation in it: mapped or not, at an offset in its page.

    The same number gives the same.

    >>> from pgtlab import CPU, Config, boot
    >>> space, trial = drawn_process(boot(Config("4k", 48), CPU.named("max")), 1)
    >>> hex(trial.va), str(space.translate(trial.va, trial.access, trial.el).outcome)[:2]
    ('0x235cec68490', 'PA')
    """
    va, _ = addresses(boot, f"process {number}")
    page = boot.config.page_size
    space = AddressSpace.process(Tree.named("fixed").start_kernel(boot), va % (1 << boot.vabits_actual - 1) & -8 * page)
    mapped, *others = (trial for trial in space.trials if trial.el == 0 and trial.va >> 63 == 0 and not trial.rule)
    holes = [trial for trial in others if trial.name.startswith("nothing at")]
    trial = holes[number // 2 % len(holes)] if number % 2 == 0 else mapped
    return space, replace(trial, va=trial.va | va % page & -8)
