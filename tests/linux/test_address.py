"""Addresses as people write them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtlab import CPU, Config, boot
from pgtlab.linux.address import AddressError, address_name, address_names, is_number, parse_address

KERNEL = boot(Config("16k", 52), CPU.named("max"))
addresses = st.integers(0, (1 << 64) - 1)


@given(addresses, st.sampled_from(["{:d}", "{:_d}", "{:#x}", "{:#X}", "{:#_x}", "  {:#x} "]))
def test_every_way_of_writing_a_number_is_read(va, form):
    assert parse_address(form.format(va), KERNEL) == va


@given(st.sampled_from(sorted(address_names(KERNEL))), st.integers(0, 4095))
def test_a_name_and_an_offset_add_up(name, offset):
    assert parse_address(f"{name} + {offset:#x}", KERNEL) == min(address_names(KERNEL)[name] + offset, (1 << 64) - 1)


@given(addresses)
def test_an_address_out_of_a_kernel_log_is_hex(va):
    logged = f"{va:016x}"
    assert parse_address(logged, KERNEL) == (va if set(logged) & set("abcdef") else int(logged))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0x10", True),
        ("1_0", True),
        ("ffff800008000000", True),
        ("PAGE_OFFSET", False),
        ("deadbeef", False),
        ("", False),
    ],
)
def test_which_addresses_need_no_kernel(text, number):
    assert is_number(text) == number


def test_any_constant_may_be_the_offset():
    k = KERNEL.config.constants
    assert parse_address("PAGE_OFFSET + PMD_SIZE", KERNEL) == k.PAGE_OFFSET + k.PMD_SIZE
    assert parse_address("VMEMMAP_END - sizeof(struct page)", KERNEL) == k.VMEMMAP_END - 64


def test_a_kernel_that_does_not_boot_has_the_names_of_its_configuration():
    stuck = boot(Config("16k", 52), CPU.named("cortex-a72"))
    assert parse_address("PAGE_OFFSET", stuck) == stuck.config.constants.PAGE_OFFSET
    with pytest.raises(AddressError, match="VMALLOC_END"):
        parse_address("VMALLOC_END", stuck)


def test_names_are_those_of_this_kernel():
    fallback = boot(Config("16k", 52), CPU.named("neoverse-n1"))
    assert parse_address("VMALLOC_END", KERNEL) == KERNEL.constants.VMALLOC_END
    assert parse_address("VMALLOC_END", fallback) == fallback.constants.VMALLOC_END
    assert KERNEL.constants.VMALLOC_END != fallback.constants.VMALLOC_END


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "''"),
        ("PAGE_OFSET", "did you mean PAGE_OFFSET?"),
        ("0x", "'0x'"),
        ("12ab", "'12ab'"),
        ("PAGE_SIZE", "'PAGE_SIZE'"),
        ("0x1_0000_0000_0000_0000", "did you mean 0xffffffffffffffff"),
        ("0 - 1", "did you mean 0x0"),
        ("-1", "'-1'"),
        ("1 + 2 + 3", "'1 + 2 + 3'"),
    ],
)
def test_invalid_addresses(text, message):
    with pytest.raises(AddressError) as error:
        parse_address(text, KERNEL)
    assert message in str(error.value)


@given(st.text())
def test_any_text_is_an_address_or_an_address_error(text):
    with contextlib.suppress(AddressError):
        assert 0 <= parse_address(text, KERNEL) < 1 << 64


def test_kimage_vaddr_and_vmalloc_start():
    booted = boot(Config("64k", 52), CPU.named("max"))
    k = booted.config.constants
    assert k.KIMAGE_VADDR == k.VMALLOC_START
    assert address_name(k.KIMAGE_VADDR + 0x7FFF_FFFF, booted) == "KIMAGE_VADDR + 0x7fffffff"
    assert address_name(k.KIMAGE_VADDR + 0x8000_0000, booted) == "VMALLOC_START + 0x80000000"


def test_endless_digits_are_refused_in_one_sentence():
    message = (
        r"^'1111111111111111'\.\.\. with 100,000 characters is not a 64-bit address; the last is 0xffffffffffffffff$"
    )
    with pytest.raises(AddressError, match=message):
        parse_address("1" * 100_000, None)
