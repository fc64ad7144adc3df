"""Memory types taken apart, and what stage 2 makes of those of stage 1 (Arm ARM D8.5.5, D8.6).

A byte of MAIR_EL1 has the policy of outer caches in bits 7:4 and that of inner ones in bits 3:0; with 0000 in bits 7:4
it is Device memory. Some bytes stand for more: 0xF0 is Tagged Normal memory, and 0x40 and 0xA0 have XS = 0.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from pgtlab.arch.registers import Shareability

NORMAL_NON_CACHEABLE: Final = 0x44
NORMAL_NON_CACHEABLE_XS_0: Final = 0x40
NORMAL_WT_XS_0: Final = 0xA0  # these two only with FEAT_XS
TAGGED_NORMAL: Final = 0xF0  # Write-Back memory with allocation tags: FEAT_MTE2

_NC, _WT, _WB = range(1, 4)  # as descriptors of stage 2 have them
_NON_CACHEABLE = 0b0100
_READ_ALLOCATE, _READ_WRITE_ALLOCATE = 0b10, 0b11


class MemoryType(NamedTuple):
    """A memory type: `device` is 0 to 3 for nGnRnE to GRE, and None for Normal memory.

    `outer` and `inner` are cache policies. `xs` is clear for memory for whose accesses a DSB with nXS does not wait.
    """

    device: int | None
    outer: int
    inner: int
    xs: bool
    tagged: bool = False

    @classmethod
    def of(cls, attr: int) -> MemoryType:
        """What a byte of MAIR_EL1 stands for.

        >>> MemoryType.of(0x04)
        MemoryType(device=1, outer=0, inner=0, xs=True, tagged=False)
        >>> MemoryType.of(0xF0).tagged
        True
        """
        if attr >> 4 == 0:
            return cls(attr >> 2 & 3, 0, 0, xs=not attr & 1)
        if attr == NORMAL_NON_CACHEABLE_XS_0:
            return cls(None, _NON_CACHEABLE, _NON_CACHEABLE, xs=False)
        if attr == NORMAL_WT_XS_0:
            return cls(None, 0xA, 0xA, xs=False)
        if attr == TAGGED_NORMAL:
            return cls(None, 0xF, 0xF, xs=False, tagged=True)
        outer, inner = attr >> 4, attr & 0xF
        return cls(None, outer, inner, xs=not _policy(outer) == _policy(inner) == _WB)

    @property
    def byte(self) -> int:
        """The type as PAR_EL1 has it.

        >>> hex(MemoryType.of(0x40).byte), hex(MemoryType.of(0xFF).byte), hex(MemoryType.of(0x05).byte)
        ('0x40', '0xff', '0x5')
        """
        if self.tagged:
            return TAGGED_NORMAL
        if self.device is not None:
            return self.device << 2 | (not self.xs)
        if not self.xs and self.non_cacheable:
            return NORMAL_NON_CACHEABLE_XS_0
        if not self.xs and _policy(self.inner) == _WT and self.outer == 0b1000 | _READ_ALLOCATE:
            return NORMAL_WT_XS_0
        return self.outer << 4 | self.inner

    @property
    def non_cacheable(self) -> bool:
        """Whether it is Normal memory that no cache holds."""
        return self.device is None and self.outer == self.inner == _NON_CACHEABLE

    def without_caches(self) -> MemoryType:
        """Normal Non-cacheable memory in its place."""
        return MemoryType(None, _NON_CACHEABLE, _NON_CACHEABLE, self.xs)

    def shareability(self, sh: int) -> int:
        """The shareability that takes effect: Device and Non-cacheable memory is Outer Shareable."""
        return Shareability.OUTER if self.device is not None or self.non_cacheable else sh


def accessed_type(attr: int, *, fetch: bool, cached: bool) -> MemoryType:
    """The type that an access gets from a byte of MAIR_EL1, before stage 2 has a say; see `effective_memory`."""
    memory = MemoryType.of(attr)
    return memory.without_caches() if (fetch if memory.device is not None else not cached) else memory


def stage_2_type(mem_attr: int, fnxs: bool) -> MemoryType:
    """The memory type of a leaf of stage 2, by its MemAttr and FnXS; Normal memory has no hints there.

    >>> stage_2_type(0b1111, False).byte == 0xCC
    True
    """
    if mem_attr >> 2 == 0:
        return MemoryType(mem_attr & 3, 0, 0, xs=not fnxs)
    # A reserved value of the inner policy is UNPREDICTABLE: here Non-cacheable.
    outer, inner = ({_WT: 0b1000, _WB: 0b1100}.get(bits, _NON_CACHEABLE) for bits in (mem_attr >> 2, mem_attr & 3))
    return MemoryType(None, outer, inner, xs=not fnxs)


def combined(one: MemoryType, two: MemoryType) -> MemoryType:
    """The type that memory has by `one` of stage 1 and `two` of stage 2: the stricter of both.

    >>> hex(combined(MemoryType.of(0xBB), stage_2_type(0b0101, False)).byte)
    '0x44'
    """
    xs = one.xs and two.xs
    if one.device is not None and two.device is not None:
        return MemoryType(min(one.device, two.device), 0, 0, xs)
    if one.device is not None or two.device is not None:
        device = one.device if two.device is None else two.device
        return MemoryType(device, 0, 0, xs)
    outer, inner = _stricter(one.outer, two.outer), _stricter(one.inner, two.inner)
    if _policy(outer) == _policy(inner) == _WB:
        xs = False
    tagged = one.tagged and outer == inner == 0b1100 | _READ_WRITE_ALLOCATE
    return MemoryType(None, outer, inner, xs, tagged)


def forced(one: MemoryType, mem_attr: int, fnxs: bool) -> MemoryType:
    """The type with HCR_EL2.FWB = 1, where a leaf of stage 2 can overrule stage 1 (FEAT_S2FWB)."""
    if not mem_attr & 0b100:
        device = mem_attr & 3
        result = MemoryType(device if one.device is None else min(one.device, device), 0, 0, one.xs)
    elif mem_attr & 3 == 0b11:
        result = one
    elif mem_attr & 3 == 0b10:
        outer, inner = (
            0b1100 | _READ_WRITE_ALLOCATE if one.device is not None or policy == _NON_CACHEABLE else _write_back(policy)
            for policy in (one.outer, one.inner)
        )
        tagged = one.tagged and outer == inner == 0b1100 | _READ_WRITE_ALLOCATE
        result = MemoryType(None, outer, inner, xs=False, tagged=tagged)
    elif one.device is not None:
        result = one
    else:
        result = one.without_caches()
    return result._replace(xs=result.xs and not fnxs)


def combined_shareability(one: int, two: int) -> int:
    """The shareability by both stages: the wider one; the reserved value counts as Outer Shareable.

    >>> combined_shareability(0b00, 0b11), int(combined_shareability(0b10, 0b11))
    (3, 2)
    """
    if {one, two} & {0b01, int(Shareability.OUTER)}:
        return Shareability.OUTER
    return max(one, two)


def _policy(bits: int) -> int:
    """Non-cacheable, Write-Through or Write-Back, of four bits of a byte of MAIR_EL1."""
    if bits == _NON_CACHEABLE:
        return _NC
    return _WB if bits & 0b0100 else _WT


def _stricter(one: int, two: int) -> int:
    """The stricter policy; the hints are those of stage 1."""
    policy = min(_policy(one), _policy(two))
    if policy == _NC:
        return _NON_CACHEABLE
    return _write_back(one) if policy == _WB else _write_through(one)


def _transient(bits: int) -> bool:
    return not bits & 0b1000


def _write_back(bits: int) -> int:
    return (0b0100 if _transient(bits) else 0b1100) | bits & 3


def _write_through(bits: int) -> int:
    return (0b0000 if _transient(bits) else 0b1000) | bits & 3
