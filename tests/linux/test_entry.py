"""One entry decoded: those of a real process, those that are not present, and any word at any level."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtlab import CPU, Config, boot, configurations
from pgtlab.linux.boot import NoBoot
from pgtlab.linux.entry import EntryError, decode_entry
from pgtlab.linux.entry_bits import RegisterError, SoftwareBits, memory_name
from pgtlab.linux.kernel.pgtable import table_address
from pgtlab.linux.kernel.pte import pte_pfn
from pgtlab.linux.level import LevelError, levels, parse_level
from pgtlab.linux.swap_entry import SwapEntry

DATA = Path(__file__).parents[1] / "data"
USER_ENTRIES = {
    name: rows
    for name, rows in json.loads((DATA / "kernel" / "user-entries.json").read_text()).items()
    if name != "source"
}
ROWS = [(name, row) for name, rows in USER_ENTRIES.items() for row in rows]


@cache
def kernel(page="4k", va_bits=48, cpu="max"):
    return boot(Config(page, va_bits), CPU.named(cpu))


def recorded(name):
    page, va_bits = name.split("-va")
    return kernel(page, int(va_bits))


BOOTS = [
    it
    for config in configurations()
    for cpu in ("max", "neoverse-n1", "a64fx")
    if not isinstance(it := boot(config, CPU.named(cpu)), NoBoot)
]


class Constants:
    """A kernel's constants, and of its functions the one that `pte_pfn()` calls."""

    def __init__(self, boot):
        self.__dict__.update({**boot.config.constants, **boot.constants})

    def table_address(self, entry):
        return table_address(self, entry)


any_word = st.integers(0, (1 << 64) - 1)
small_word = st.integers(0, (1 << 14) - 1)
boots = st.sampled_from(BOOTS)


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_a_real_entry_says_what_the_process_was_allowed_and_had_done(name, row):
    """Frame by /proc/self/pagemap, protection by /proc/self/maps: tests/data/README.md."""
    entry = decode_entry(int(row["entry"], 0), str(row["level"]), recorded(name))
    assert not entry.notes
    if row["pfn"] is None:
        assert entry.kind == "none"
        return
    assert entry.pfn == int(row["pfn"], 0)
    if row["state"] == "protnone":
        assert (entry.kind, entry.permissions) == ("present but invalid", None)
        assert "protnone" in entry.linux
        return
    assert entry.kind == ("block" if row["level"] < 3 else "page")
    read, write, execute = (letter in row["vma"] for letter in "rwx")
    at_el0, at_el1 = entry.permissions
    assert at_el0 == "".join(
        letter if on else "-"
        for letter, on in zip(
            "rwx",
            (
                read or execute,
                write and row["state"] != "zeropage-read",
                execute,
            ),  # x alone: these kernels have no EPAN
            strict=True,
        )
    )
    assert at_el1[2] == "-"  # nothing of user space is executable at EL1
    assert ("special" in entry.linux) == (row["state"] == "zeropage-read")
    if row["state"] in ("dirty", "read"):
        assert ("dirty" in entry.linux) == (row["state"] == "dirty")


@given(boots, any_word | small_word, st.data())
def test_any_word_at_any_level_is_named_bit_by_bit(boot, word, data):
    name = data.draw(st.sampled_from(list(levels(boot))))
    entry = decode_entry(word, name, boot)
    leaves = [leaf for part in entry.fields for leaf in part.leaves()]
    assert [bit for leaf in leaves for bit in range(leaf.hi, leaf.lo - 1, -1)] == list(range(63, -1, -1))
    assert sum(leaf.value << leaf.lo for leaf in leaves) == word
    assert json.loads(json.dumps(entry.as_dict()))["kind"] == entry.kind
    assert str(entry).startswith(entry.summary)
    assert entry.picture.svg().startswith("<svg")


@given(boots, any_word, st.data())
def test_what_the_mmu_translates_is_valid_and_of_a_kind_that_the_level_has(boot, word, data):
    name, level = data.draw(st.sampled_from(list(levels(boot).items())))
    entry = decode_entry(word, name, boot)
    maps = entry.kind in ("table", "block", "page")
    assert maps == (word & 1 == 1 and entry.kind != "reserved")
    assert maps == (entry.kind in entry.kinds)
    assert (entry.format.decode(word, level).__class__.__name__ in ("Table", "Block", "Page")) == maps


@pytest.mark.parametrize("boot", BOOTS, ids=str)
def test_a_frame_and_a_protection_are_read_back(boot):
    """PROT_NORMAL and its kin, as the recorded kernels' headers have them, at the packing of each."""
    k, shift = {**boot.config.constants, **boot.constants}, boot.config.granule.shift
    for frame in (1, 0x40000, (1 << (boot.tcr_el1.IPS.bits - shift)) - 1):
        packing = decode_entry(0, "pte", boot).format.packing
        word = packing.pack(frame << shift) | k["PROT_NORMAL"]
        entry = decode_entry(word, "pte", boot)
        assert (entry.kind, entry.pfn, entry.permissions) == ("page", frame, ("---", "rw-"))
        assert entry.memory == "MT_NORMAL: Normal WB RWA"
        assert entry.linux == ("present", "young", "dirty", "write")
        assert not entry.notes


SWAP = [  # (type in bits 10:6, in words, of a frame): linux/swap.h and swapops.h of v6.12
    (0, "swap file 0", False),
    (26, "swap file 26", False),
    (27, "poisoned page", True),
    (28, "page under migration, read-only", True),
    (29, "page under migration, read-only and exclusive", True),
    (30, "page under migration, writable", True),
    (31, "marker", False),
]


@pytest.mark.parametrize(("type", "what", "of_frame"), SWAP)
@pytest.mark.parametrize("level", ["pte", "pmd"])
def test_swap_entries(type, what, of_frame, level):
    swap = decode_entry(0x1234 << 12 | type << 6, level, kernel()).swap
    assert (swap.type, swap.what, swap.offset, swap.flags) == (type, what, 0x1234, ())
    assert swap.pfn == (0x1234 if of_frame else None)


def test_flags_beside_a_swap_entry():
    k = kernel().constants
    frame = 0x1234
    assert decode_entry(frame << 12 | 1 << 2, "pte", kernel()).swap.flags == ("exclusive",)
    young = decode_entry((frame | k.SWP_MIG_YOUNG | k.SWP_MIG_DIRTY) << 12 | 30 << 6, "pte", kernel()).swap
    assert (young.pfn, young.flags) == (frame, ("young", "dirty"))


@pytest.mark.parametrize(("level", "word"), [("pte", 0x4000_0F82), ("pte", 0x4000_0F80), ("pmd", 0x4020_0F80)])
def test_present_invalid_keeps_its_bits(level, word):
    """`pte_mkinvalid()` and `pmd_mkinvalid()`: bit 0 goes, bit 11 comes; of what is left bit 1 is not asked."""
    entry = decode_entry(word, level, kernel())
    assert (entry.kind, entry.oa, entry.permissions) == ("present but invalid", word & ~0xFFF, None)
    assert {"AF", "AttrIndx"} <= {part.name for part in entry.fields}


def test_cleared_valid_bit():
    """Of a real log of a 64K kernel with debug_pagealloc (tests/data/oops/walks.jsonl)."""
    entry = decode_entry(0x0068_000F_6C8D_0712, "pte", kernel("64k", 48))
    assert (entry.kind, entry.swap, entry.permissions) == ("valid bit clear", None, None)
    assert entry.oa == 0xF_6C8D_0000
    assert "debug_pagealloc" in entry.notes[0]


def test_swap_entry_at_an_upper_level():
    assert "pud_bad()" in decode_entry(0x1000, "pud", kernel()).notes[0]


def test_declared_bits_are_those_of_the_headers():
    k = kernel().config.constants
    masks = {field.name: field.mask for field in (*SwapEntry.fields, *SoftwareBits.fields)}
    assert masks["exclusive"] == k.PTE_SWP_EXCLUSIVE
    assert masks["PRESENT_INVALID"] == k.PTE_PRESENT_INVALID
    assert masks["type"] == k["__SWP_TYPE_MASK"] << k["__SWP_TYPE_SHIFT"]
    assert masks["offset"] == k["__SWP_OFFSET_MASK"] << k["__SWP_OFFSET_SHIFT"]
    assert all(masks[name] == k[name] for name in ("PTE_DIRTY", "PTE_SPECIAL", "PTE_DEVMAP"))


def test_memory_types_are_those_that_linux_sets_up():
    assert memory_name(3, kernel()) == "MT_DEVICE_nGnRnE: Device-nGnRnE"
    assert memory_name(4, kernel()) == "MT_DEVICE_nGnRE: Device-nGnRE"
    assert memory_name(5, kernel()).startswith("no memory type")


def test_clean_page_is_writable_with_hardware_dirty_state():
    clean = 0x00E8_0000_4000_0FC3  # PTE_WRITE and PTE_RDONLY
    assert decode_entry(clean, "pte", kernel()).permissions[0] == "rw-"
    without = kernel(cpu="cortex-a57")  # no hardware update: the store faults, and Linux makes the page dirty
    assert decode_entry(clean, "pte", without).permissions[0] == "r--"


def test_the_accessed_flag_of_a_table_is_named_where_it_is_set():
    """`PMD_TABLE_AF` of Linux 6.13; the bit was ignored before."""
    table = 0x1800_0000_4400_0003
    names = {part.name: part for part in decode_entry(table | 1 << 10, "pmd", kernel()).fields}
    assert (names["AF"].bits, names["AF"].meaning) == ("10", "accessed, by FEAT_HAFT")
    assert "AF" not in {part.name for part in decode_entry(table, "pmd", kernel()).fields}


@given(boots, any_word)
def test_the_frame_is_what_the_kernels_own_arithmetic_gives(boot, word):
    """`pte_pfn()`, compiled for a configuration, and the packing that the registers choose."""
    entry = decode_entry(word | 0b11, "pte", boot)
    frame = pte_pfn(Constants(boot), word | 0b11)
    assert (entry.pfn == frame) != any(f"reads frame {frame:#x}" in note for note in entry.notes)
    assert entry.pfn == frame or len(entry.notes) > 1  # for bits are set that such an entry has not


def test_a_block_where_the_level_has_none_is_reserved():
    entry = decode_entry(0x4000_0000_0705, "pgd", kernel())
    assert (entry.kind, entry.kinds) == ("reserved", ("table",))
    assert "level 0 is a table" in entry.notes[0]


def test_note_for_address_beyond_physical_memory():
    entry = decode_entry(1 << 44 | 0x703, "pte", kernel(cpu="cortex-a57"))  # 44 bits
    assert any("44 bits" in note for note in entry.notes)


def test_note_for_block_larger_than_output_size():
    cpu = CPU.named("max")
    small = boot(Config("4k", 52), replace(cpu, mmfr0=cpu.mmfr0.replace(PARANGE=0)))
    assert "only the first 4G are within the 32 bits of TCR_EL1.IPS" in decode_entry(0x401, 0, small).notes
    assert not decode_entry(0x401, 1, small).notes
    assert not decode_entry(0x401, 0, kernel("4k", 52)).notes


def test_note_for_reserved_bits():
    assert any("49:48" in note for note in decode_entry(1 << 48 | 0x703, "pte", kernel()).notes)


def test_note_for_prot_none_of_an_older_kernel():
    older = 0x04E0_0000_4000_0F82  # PAGE_NONE of v6.9
    assert any("PTE_PROT_NONE" in note for note in decode_entry(older, "pte", kernel()).notes)


@pytest.mark.parametrize("boot", BOOTS, ids=str)
def test_every_level_has_both_names(boot):
    there = levels(boot)
    assert there["pgd"] == boot.start_level  # the first table is the pgd's page, whatever level Linux reads it as
    assert sorted(set(there.values())) == list(range(boot.start_level, 4))
    for name, level in there.items():
        assert parse_level(name.upper(), boot) == (name, level)
        assert parse_level(str(level), boot)[1] == level
    for level in set(range(-1, 4)) - set(there.values()):
        with pytest.raises(LevelError, match="this kernel has no level"):
            parse_level(str(level), boot)


@pytest.mark.parametrize(
    ("level", "says"),
    [
        (
            "p4d",
            "a log prints the entry of the pgd for it; choose from pgd .level 0., pud .level 1., pmd .level 2.",
        ),
        ("4", "levels run from -1 to 3"),
        ("pgt", "'pgt' is not a level: choose from pgd .level 0."),
        ("", "is not a level"),
    ],
)
def test_missing_level(level, says):
    with pytest.raises(LevelError, match=says):
        decode_entry(0, level, kernel())


@pytest.mark.parametrize("word", [-1, 1 << 64])
def test_more_than_64_bits_is_refused(word):
    with pytest.raises(EntryError):
        decode_entry(word, "pte", kernel())


def on(kernel, cpu, **given):
    return boot(Config.named(kernel), cpu, **given)


def test_a_guarded_control_stack_is_not_writable():
    """The same word: a writable page to a kernel with direct permissions, a control stack to one with indirect ones."""
    word = 0x0048_0000_0000_0F43
    assert decode_entry(word, "pte", boot(Config("4k", 48))).permissions == ("rw-", "rw-")
    stack = decode_entry(word, "pte", on("debian-6.18", "max-11.1"))
    assert stack.permissions == ("r--", "---")
    assert "a guarded control stack of EL0 (FEAT_GCS): only its own instructions write it" in stack.notes
    assert decode_entry(word, "pte", on("debian-6.12", "max-11.1")).permissions == ("---", "---")  # it has no GCS


@pytest.mark.parametrize(
    ("bits", "el0", "el1"),
    [
        (0x00E8_0000_0000_0703, "---", "rw-"),  # PAGE_KERNEL
        (0x0040_0000_0000_0783, "---", "r-x"),  # the kernel's text: UXN alone
        (0x00E8_0000_0000_0743, "rw-", "rw-"),  # a writable page of a process
        (0x00A0_0000_0000_07C3, "r-x", "r--"),  # its text: PXN, read only
    ],
)
def test_indirect_permissions_are_those_that_linux_means(bits, el0, el1):
    direct, indirect = boot(Config("4k", 48)), on("debian-6.12", "max-11.1")
    assert decode_entry(bits & ~0x300, "pte", indirect).permissions == (el0, el1)
    assert decode_entry(bits, "pte", direct).permissions == (el0, el1)


def test_bits_of_an_entry_with_indirect_permissions():
    names = [bits.name for bits in decode_entry(0x0048_0000_0000_0F43, "pte", on("debian-6.12", "max-11.1")).fields]
    assert names.count("PIIndex[3]") == 1
    assert not {"AP", "DBM", "PXN", "UXN"} & set(names)
    table = decode_entry(0x1800_0000_4000_0003, "pud", on("debian-6.12", "max-11.1"))
    assert "PXNTable" not in [bits.name for bits in table.fields]


def test_tagged_memory_has_its_name():
    tagged = on("debian-6.12", "max-11.1", mte=True)
    assert memory_name(1, tagged) == "MT_NORMAL_TAGGED: Tagged Normal WB RWA"


def test_registers_that_are_given_decide():
    """As with a CPU that has permission overlays, which no preset has."""
    word, kernel = 0x30E8_0000_4000_0743, boot(Config("4k", 48))
    overlaid = decode_entry(word, "pte", kernel, {"TCR2_EL1": 4})
    assert {"POIndex", "PBHA"} <= {bits.name for bits in overlaid.fields}
    assert overlaid.notes == ("POIndex is 3: POR_EL0 is not known, and may take permissions of EL0 away",)
    read_only = decode_entry(word, "pte", kernel, {"TCR2_EL1": 4, "POR_EL0": 0x1707})
    assert (overlaid.permissions[0], read_only.permissions[0]) == ("rw-", "r--")
    assert decode_entry(word | 4, "pte", kernel, {"MAIR_EL1": 0x4004_4F0FF}).memory.endswith("Tagged Normal WB RWA")
    with pytest.raises(RegisterError, match="an entry does not depend on TCR_EL1: it does on TCR2_EL1"):
        decode_entry(word, "pte", kernel, {"TCR_EL1": 0})


# What `arch/arm64/include/asm/pgtable.h` and `pgtable-prot.h` of these versions say: word, level, kind, and some bits.
BY_VERSION = {
    "6.1": [
        (5 << 3 | 0x12345 << 8 | 1 << 2, "pte", "not present", {"type": 5, "offset": 0x12345, "exclusive": 1}),
        (1 << 58 | 0x60000043212F42, "pte", "present but invalid", {"PTE_PROT_NONE": 1}),
        (1 << 59 | 0x60000040200F40, "pmd", "present but invalid", {}),
        (0x60000043212F42, "pte", "valid bit clear", {"nG": 1}),
    ],
    "6.12": [
        (5 << 6 | 0x12345 << 12 | 1 << 2 | 1 << 3, "pte", "not present", {"type": 5, "offset": 0x12345, "uffd_wp": 1}),
        (1 << 58 | 0x60000043212743, "pte", "page", {"PTE_UFFD_WP": 1}),
        (0x60000043212F42, "pte", "present but invalid", {"nG": 1}),
    ],
    "7.3": [
        (5 << 6 | 0x12345 << 12, "pte", "not present", {"type": 5, "offset": 0x12345}),
        (1 << 58 | 0x60000043212743, "pte", "page", {"PTE_UFFD": 1}),
    ],
}


@pytest.mark.parametrize("version", BY_VERSION)
def test_bits_that_mean_something_else_in_another_version(version):
    booted = boot(Config.named(f"debian-{version}"), CPU.named("cortex-a76"))
    for word, level, kind, bits in BY_VERSION[version]:
        entry = decode_entry(word, level, booted)
        assert entry.kind == kind, hex(word)
        named = {leaf.name: leaf.value for part in entry.fields for leaf in part.leaves()}
        assert bits.items() <= named.items(), hex(word)
        assert ("present" in entry.linux) == (kind in ("page", "present but invalid"))
        assert ("PTE_DEVMAP" in named) == (version != "7.3" and kind != "not present")
        if entry.swap:
            assert (entry.swap.type, entry.swap.offset) == (bits["type"], bits["offset"])
