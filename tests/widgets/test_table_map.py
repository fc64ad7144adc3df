"""The table map's Python side."""

import pytest
from pgtlab_widgets import TableMap

from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import TCR_EL1
from pgtlab.linux.image import Image


def test_a_cell_opens_what_it_leads_to():
    tables = TableMap(page_size="4k", va_bits=52)
    assert [column.level for column in tables.columns] == [-1, 0, 1, 2]
    other = next(cell for cell in tables.columns[1].cells if cell.oa and cell.va != tables.columns[2].va)
    tables.receive({"va": f"{other.va:#x}"})
    assert tables.columns[2].pa == other.oa
    assert tables.columns[2].va == other.va


def test_each_named_part_is_one_click_away():
    tables = TableMap()
    for region in tables.view["regions"]:
        tables.receive(region["send"])
        cell = tables.columns[-1].cells[tables.columns[-1].opened]
        assert cell.oa is not None or region["name"] in ("modules", "PCI I/O", "fixmap")
    names = [region["name"] for region in tables.view["regions"]]
    assert names == ["user space", "linear map", "modules", "vmalloc", "vmemmap", "PCI I/O", "fixmap"]


def test_a_real_kernels_image_is_walked_with_its_own_kernel():
    tables = TableMap(Image.open("tests/data/kernel/ptdump/16k-va52-max"), 0xFFFF_C000_8000_0000)
    assert [column.level for column in tables.columns] == [0, 1, 2, 3]
    assert tables.columns[-1].cells[tables.columns[-1].opened].oa == 0x4020_0000
    assert tables.view["choices"] == []


def test_it_takes_any_mmu_and_tables_scroll():
    mapper = Mapper.in_ram(TCR_EL1(T0SZ=25, IPS=5))
    for n in range(60):
        mapper.map_range(n << 13, 0x1_0000_0000 + (n << 14), 0x1000, contiguous=False)
    tables = TableMap(mapper.mmu, 0)
    assert "▼" in tables.svg()
    tables.receive({"scroll": "3 40"})
    assert "▲ 40 more" in tables.svg()
    tables.receive({"va": "0x0"})
    assert "▲" not in tables.svg()


@pytest.mark.parametrize("text", ["0xzz", "NOWHERE"])
def test_a_bad_address_is_told_and_the_map_stays(text):
    tables = TableMap()
    before = tables.columns
    tables.receive({"address": text})
    assert text in tables.view["address"]["error"]
    assert tables.columns is before


def test_a_kernel_that_does_not_boot_shows_why():
    tables = TableMap(page_size="16k", va_bits=48)
    tables.cpu = "cortex-a72"
    assert tables.view["picture"] is None
    assert "no 16K granule" in tables.text()
