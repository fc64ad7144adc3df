"""Configurations: Kconfig's own rules, and a refusal that helps."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtlab.linux.kconfig import (
    PA_BITS_CHOICES,
    PAGE_SIZES,
    VA_BITS_CHOICES,
    Config,
    ConfigError,
    configurations,
    refusal,
)

# The legal choices by page size, as menuconfig of v6.12 offers them.
LEGAL = {
    4096: {(39, 48), (48, 48), (52, 52)},
    16384: {(36, 48), (47, 48), (48, 48), (52, 52)},
    65536: {(42, 48), (42, 52), (48, 48), (48, 52), (52, 48), (52, 52)},
}
ANY_BITS = st.one_of(st.sampled_from(VA_BITS_CHOICES + PA_BITS_CHOICES), st.integers(0, 70))


def test_the_legal_configurations():
    offered = {(c.page_size, c.va_bits, c.pa_bits) for c in configurations()}
    assert offered == {(size, *bits) for size, choices in LEGAL.items() for bits in choices}
    assert list(configurations()) == sorted(set(configurations()))


@given(st.sampled_from(list(LEGAL)), ANY_BITS, ANY_BITS)
def test_illegal_combinations(page_size, va_bits, pa_bits):
    legal = (va_bits, pa_bits) in LEGAL[page_size]
    assert (refusal(page_size, va_bits, pa_bits) is None) == legal
    if not legal:
        with pytest.raises(ConfigError):
            Config(page_size, va_bits, pa_bits)


def test_replace_keeps_what_is_legal_and_lets_follow_what_has_one_value():
    """For every configuration and every change of one value, held against the list of legal ones."""
    for config in configurations():
        now = (config.va_bits, config.pa_bits)
        for name, at, choices in (("va_bits", 0, VA_BITS_CHOICES), ("pa_bits", 1, PA_BITS_CHOICES)):
            for value in choices:
                legal = {bits for bits in LEGAL[config.page_size] if bits[at] == value}
                kept = {bits for bits in legal if bits[1 - at] == now[1 - at]}
                if kept or len(legal) == 1:
                    [bits] = kept or legal
                    assert config.replace(**{name: value}) == Config(config.page_size, *bits)
                else:
                    with pytest.raises(ConfigError):
                        config.replace(**{name: value})
        for page_size in LEGAL:
            kept = {bits for bits in LEGAL[page_size] if bits == now}
            follows = {bits for bits in LEGAL[page_size] if bits[0] == now[0]}
            if kept or len(follows) == 1:
                assert config.replace(page_size=page_size) == Config(page_size, *(kept or follows).pop())


def test_replace_keeps_the_options():
    config = Config("4k", 48, SWAP=False)
    assert config.replace(va_bits=52) == Config("4k", 52, SWAP=False)
    assert config.replace(SWAP=True, NUMA_BALANCING=False) == Config("4k", 48, NUMA_BALANCING=False)
    with pytest.raises(ConfigError, match="NO_SUCH_OPTION"):
        config.replace(NO_SUCH_OPTION=True)


@pytest.mark.parametrize(
    ("given", "bits"),
    [({}, (48, 48)), ({"pa_bits": 52}, (52, 52)), ({"pa_bits": 48}, (48, 48)), ({"va_bits": 52}, (52, 52))],
)
def test_defaults(given, bits):
    assert Config(**given) == Config("4k", *bits)


def test_pa_bits_alone_keeps_48_where_64k_pages_leave_a_choice():
    assert Config("64k", pa_bits=52) == Config("64k", 48, 52)


@given(st.sampled_from(list(LEGAL)), ANY_BITS, ANY_BITS)
def test_refusal_names_value_rule_and_nearest_choice(page_size, va_bits, pa_bits):
    message = refusal(page_size, va_bits, pa_bits)
    if message is None:
        return
    complaint, advice = message.split("; the nearest legal choice is ")
    value, rule = complaint.split(": ", 1)
    wrong, bits = re.match(r"([VP]A)_BITS=(\d+)", value).groups()
    assert int(bits) == {"VA": va_bits, "PA": pa_bits}[wrong]
    assert re.fullmatch(r"Kconfig offers [\d, ]+|ARM64_[VP]A_BITS_\d+ depends on [A-Z0-9_ |!]+", rule)

    advised = {"VA": va_bits, "PA": pa_bits} | {n: int(b) for n, b in re.findall(r"([VP]A)_BITS=(\d+)", advice)}
    Config(page_size, advised["VA"], advised["PA"])
    assert abs(advised["VA"] - va_bits) == min(abs(va - va_bits) for va, _ in LEGAL[page_size])


@pytest.mark.parametrize(
    ("choice", "rule", "advice"),
    [
        ((4096, 47, 48), "ARM64_VA_BITS_47 depends on PAGE_SIZE_16KB", "VA_BITS=48"),
        ((4096, 47, 52), "ARM64_VA_BITS_47 depends on PAGE_SIZE_16KB", "VA_BITS=48 with PA_BITS=48"),
        ((16384, 51, 48), "Kconfig offers 36, 39, 42, 47, 48, 52", "VA_BITS=52 with PA_BITS=52"),
        ((16384, 52, 48), "ARM64_PA_BITS_48 depends on ARM64_64K_PAGES || !ARM64_VA_BITS_52", "PA_BITS=52"),
        ((4096, 48, 52), "ARM64_PA_BITS_52 depends on ARM64_64K_PAGES || ARM64_VA_BITS_52", "PA_BITS=48"),
        ((65536, 52, 50), "Kconfig offers 48, 52", "PA_BITS=48"),
    ],
)
def test_some_refusals(choice, rule, advice):
    message = refusal(*choice)
    assert f": {rule}; " in message
    assert message.endswith(f" choice is {advice}")


@pytest.mark.parametrize("size", [0, 8192, "8k", "4g", "", "four"])
def test_unknown_page_size(size):
    with pytest.raises(ConfigError, match="arm64 has 4k, 16k and 64k pages"):
        Config(size, 48)


@pytest.mark.parametrize("spelling", ["16k", "16K", "16KB", "16384", 16384])
def test_spellings_of_page_sizes(spelling):
    assert Config(spelling, 47) == Config("16k", 47, 48)


def test_52_bits_of_va_imply_52_of_pa_and_nothing_else_does():
    assert {c.pa_bits for size in PAGE_SIZES for c in [Config(size, 52)]} == {52}
    assert Config("64k", 48).pa_bits == Config("4k", 48).pa_bits == 48


@pytest.mark.parametrize("bits", ["48", 48.0])
def test_bits_are_integers(bits):
    with pytest.raises(TypeError):
        Config("4k", bits)


def test_the_options_that_follow_from_the_choice():
    """arch/arm64/Kconfig: the defaults of PGTABLE_LEVELS, one by one, and what ARM64_LPA2 depends on."""
    levels = {(c.page_size_name, c.va_bits): c.PGTABLE_LEVELS for c in configurations()}
    assert levels == {
        ("4k", 39): 3, ("4k", 48): 4, ("4k", 52): 5,
        ("16k", 36): 2, ("16k", 47): 3, ("16k", 48): 4, ("16k", 52): 4,
        ("64k", 42): 2, ("64k", 48): 3, ("64k", 52): 3,
    }  # fmt: skip
    assert {c for c in configurations() if c.ARM64_LPA2} == {Config("4k", 52), Config("16k", 52)}
