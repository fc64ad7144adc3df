"""The table map's Python side."""

import json

import pytest
from pgtlab_widgets import TableMap

from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import TCR_EL1
from pgtlab.arch.tables.columns import NEIGHBOURS
from pgtlab.lab.tables_to_walk import small_process
from pgtlab.linux.image import Image


def test_cell_opens_its_table():
    tables = TableMap(page_size="4k", va_bits=52)
    assert [column.level for column in tables.columns] == [-1, 0, 1, 2]
    other = next(cell for cell in tables.columns[1].cells if cell.oa and cell.va != tables.columns[2].va)
    tables.receive({"va": f"{other.va:#x}"})
    assert tables.columns[2].pa == other.oa
    assert tables.columns[2].va == other.va


def test_a_share_string_leads_to_its_address():
    tables = TableMap()
    tables.load("pgtlab://4k/52/lpa2/VMEMMAP_START + 0x40")
    assert tables.address == "VMEMMAP_START + 0x40"
    assert tables.boot.config.va_bits == 52


def test_regions_are_one_click_away():
    tables = TableMap()
    attributes = [shape["attributes"] for shape in tables.view["picture"]["shapes"]]
    names = [each["data-region"] for each in attributes if "data-region" in each]
    assert names == ["user space", "linear map", "modules", "vmalloc", "vmemmap", "PCI I/O", "fixmap"]
    for name in names:
        tables.receive({"region": name})
        cell = tables.columns[-1].cells[tables.columns[-1].opened]
        assert cell.oa is not None or name in ("modules", "PCI I/O", "fixmap")


def test_memory_to_write_and_to_execute_stands_out():
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=25, IPS=5))
    for n, rights in enumerate(
        ({"AP": 0b11, "PXN": 1}, {"AP": 0, "PXN": 1}, {"AP": 0b11, "PXN": 0}, {"AP": 0, "PXN": 0})
    ):
        mapper.map_range(n << 12, 0x1_0000_0000 + (n << 16), 0x1000, UXN=1, **rights)
    tables = TableMap(mapper.mmu, 0)
    assert "allows" not in tables.svg().split("</style>")[1]
    tables.receive({"colours": "permission"})
    fills = {
        shape["attributes"]["data-va"]: shape["attributes"]["class"].split()[1]
        for shape in tables.view["picture"]["shapes"]
        if shape["key"].startswith("cell 3 ") and "Page" in shape["hint"]
    }
    assert fills == {
        "0x0": "allows-reading",
        "0x1000": "allows-writing",
        "0x2000": "allows-executing",
        "0x3000": "allows-both",
    }
    assert "writable and executable" in tables.svg()


def test_image_has_its_own_kernel():
    tables = TableMap(Image.open("tests/data/kernel/ptdump/16k-va52-max"), 0xFFFF_C000_8000_0000)
    assert [column.level for column in tables.columns] == [0, 1, 2, 3]
    assert tables.columns[-1].cells[tables.columns[-1].opened].oa == 0x4020_0000
    assert tables.view["choices"] == []


def test_mmu_source_and_scrolling():
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=25, IPS=5))
    for n in range(60):
        mapper.map_range(n << 13, 0x1_0000_0000 + (n << 14), 0x1000, contiguous=False)
    tables = TableMap(mapper.mmu, 0)
    assert "▼" in tables.svg()
    tables.receive({"scroll": "3 40"})
    assert "▲ 40 more" in tables.svg()
    tables.receive({"va": "0x0"})
    assert "▲" not in tables.svg()


def test_tables_of_an_unknown_kernel_have_no_names():
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=25, TG0=1, IPS=5))
    mapper.map_range(0x7_0000, 0x1_0000_0000, 0x1_0000)
    tables = TableMap(mapper.mmu)
    assert (tables.address, tables.outcome[:14]) == ("0x70000", "PA 0x100000000")
    assert [region["name"] for region in tables.view["regions"]] == ["lower range"]
    assert tables.view["address"]["names"] == []
    tables.receive({"address": "PAGE_OFFSET"})
    assert "is not known" in tables.view["address"]["error"]
    tables.receive({"address": "ffff800080001234"})
    assert "not walked" in tables.svg()
    assert "translation fault" in tables.view["status"]


def test_address_outside_both_ranges():
    tables = TableMap()
    tables.receive({"address": "0x0100000000000000 + 0x1"})
    assert tables.columns[0].level == 0  # Linux ignores the top byte of user addresses, so this is 1
    tables.receive({"address": "0x0001000000000000"})
    assert tables.columns == ()
    assert "user space" in tables.svg()
    assert "translation fault" in tables.svg()


@pytest.fixture(scope="module")
def image_of_ten_thousand_tables(tmp_path_factory):
    """A process of 10 000 pages, each with a table of level 3 to itself, in a file."""
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=16, T1SZ=16, IPS=5))
    for n in range(10_000):
        mapper.map_range(3 * n << 21, 0x4000_0000 + (n << 12), 0x1000)
    mmu = mapper.mmu
    registers = {"TCR_EL1": int(mmu.tcr), "TTBR0_EL1": int(mmu.ttbr0), "MAIR_EL1": int(mmu.mair), "SCTLR_EL1": 1}
    path = tmp_path_factory.mktemp("image") / "tables.npz"
    Image("ten thousand tables", mmu.memory, registers).save(path)
    return Image.open(path)


@pytest.mark.slow
def test_step_among_ten_thousand_tables_reads_and_draws_few(image_of_ten_thousand_tables, monkeypatch):
    """A law on counts: words read, shapes drawn and bytes sent have bounds that know nothing of the other tables."""
    image = image_of_ten_thousand_tables
    read = []
    tables = TableMap(image)
    inner = type(image.memory).read

    def counted(memory, pa, count):
        read.append(count)
        return inner(memory, pa, count)

    monkeypatch.setattr(type(image.memory), "read", counted)
    seen = set()
    for n in range(0, 10_000, 307):
        read.clear()
        tables.receive({"va": f"{3 * n << 21:#x}"})
        seen.add(tables.columns[-1].pa)
        assert tables.outcome.startswith(f"PA {0x4000_0000 + (n << 12):#x}")
        assert sum(read) <= 512 * (4 + 3 * NEIGHBOURS)
        assert len(tables.picture().shapes) < 500
        assert len(json.dumps(tables.view)) < 100_000
    assert len(seen) == len(range(0, 10_000, 307))


def test_tables_without_lpa2_are_made_when_they_are_foreseen():
    tables = TableMap(page_size="16k", va_bits=52)
    assert tables.foresee({"choose": {"cpu": "max,lpa2=off"}})
    before = small_process.cache_info().misses
    tables.cpu = "max,lpa2=off"
    assert small_process.cache_info().misses == before


@pytest.mark.parametrize("text", ["0xzz", "NOWHERE"])
def test_bad_address_keeps_the_map(text):
    tables = TableMap()
    before = tables.columns
    tables.receive({"address": text})
    assert text in tables.view["address"]["error"]
    assert tables.columns is before


def test_kernel_that_does_not_boot_shows_why():
    tables = TableMap(page_size="16k", va_bits=48)
    tables.cpu = "cortex-a72"
    assert tables.view["picture"] is None
    assert "no 16K granule" in tables.text()
