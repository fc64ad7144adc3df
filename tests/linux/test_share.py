"""Share strings: what is chosen, there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtlab.linux.cpu import CPUS
from pgtlab.linux.kconfig import configurations
from pgtlab.linux.share import Share, ShareError


@given(
    config=st.sampled_from(list(configurations())),
    cpu=st.sampled_from(list(CPUS)),
    address=st.sampled_from(["VMEMMAP_START", "0xffff000000000000", "PAGE_OFFSET + 0x1000"]),
)
def test_round_trip(config, cpu, address):
    share = Share(config, cpu, address)
    assert Share.parse(str(share)) == share
    assert Share.parse(f" {share}\n") == share
    assert " " not in str(share)


def test_kernel_without_an_address():
    assert Share.parse("pgtlab://64k/48/pa52/a64fx").address == ""
    assert str(Share.parse("pgtlab://64k/48/pa52/a64fx")) == "pgtlab://64k/48/pa52/a64fx"


def test_short_names_of_max():
    assert str(Share.parse("pgtlab://16k/52/lpa2/0x0")) == "pgtlab://16k/52/lpa2/0x0"
    assert Share.parse("pgtlab://16k/52/lpa2/0x0").cpu == "max"
    assert Share.parse("pgtlab://64k/48/pa52/a64fx/0x0").config.pa_bits == 52


@pytest.mark.parametrize(
    "text", ["", "16k/52/lpa2/0x0", "pgtlab://16k/52", "pgtlab://16k/many/lpa2/0x0", "pgtlab://64k/48/pax/max/0"]
)
def test_text_that_is_not_a_share_string(text):
    with pytest.raises(ShareError, match="pgtlab://PAGE_SIZE/VA_BITS/CPU/ADDRESS"):
        Share.parse(text)


@pytest.mark.parametrize(
    ("text", "message"), [("pgtlab://4k/47/max/0", "PAGE_SIZE_16KB"), ("pgtlab://4k/48/cortex-m0/0", "unknown CPU")]
)
def test_share_string_of_an_illegal_kernel(text, message):
    with pytest.raises(ValueError, match=message):
        Share.parse(text)
