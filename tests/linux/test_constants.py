"""Every constant, in all 13 configurations, against what the compiler made of the kernel's own headers."""

import json
from pathlib import Path

import pytest

from pgtlab.linux.headers import run_time
from pgtlab.linux.kconfig import Config, configurations

RECORDED = json.loads((Path(__file__).parents[1] / "data/kernel/constants.json").read_text())
KEYS = list(RECORDED["configurations"])
# Of structures that the model does not have.
LEFT_OUT = {"sizeof(struct ptdesc)", "sizeof(struct folio)", "offsetof(struct mm_struct,pgd)"}


def config_of(key: str) -> Config:
    page, va, pa = key.split("-")
    return Config(page, int(va.removeprefix("va")), int(pa.removeprefix("pa")))


def number(value: int | str) -> int:
    return int(value, 16) if isinstance(value, str) else value


def recorded(key: str) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """The constants of a configuration, and those that the boot decides, by what it found."""
    own = dict(RECORDED["configurations"][key])
    modes = own.pop("runtime")
    both = RECORDED["everywhere at run time"]
    return (
        {name: number(value) for name, value in {**RECORDED["everywhere"], **own}.items()},
        {mode: {n: number(v) for n, v in {**both, **differing}.items()} for mode, differing in modes.items()},
    )


def test_the_recording_has_every_legal_configuration():
    assert {config_of(key) for key in KEYS} == set(configurations())
    assert len(KEYS) == 13


@pytest.mark.parametrize("key", KEYS)
def test_compile_time_constants(key):
    expected, _ = recorded(key)
    ours = config_of(key).constants
    assert len(expected) > 220
    assert expected.keys() - ours.keys() == LEFT_OUT
    differing = {name: (ours[name], value) for name, value in expected.items() if ours.get(name, value) != value}
    assert differing == {}


@pytest.mark.parametrize("key", KEYS)
def test_a_constant_exists_in_exactly_the_configurations_that_define_it(key):
    """PTE_ADDR_HIGH and its kin are defined for 52-bit physical addresses alone, TTBR1_BADDR_4852_OFFSET for VA 52."""
    expected, _ = recorded(key)
    elsewhere = {name for other in KEYS for name in recorded(other)[0]}
    assert (elsewhere & config_of(key).constants.keys()) == expected.keys() - LEFT_OUT


@pytest.mark.parametrize("key", KEYS)
def test_constants_that_the_boot_decides(key):
    _, modes = recorded(key)
    config = config_of(key)
    falls_back = config.constants.VA_BITS > config.constants.VA_BITS_MIN
    assert set(modes) == {"full", "full_ng"} | ({"fallback", "fallback_ng"} if falls_back else set())
    for mode, expected in modes.items():
        full = mode.startswith("full")
        ours = run_time(
            config.constants,
            vabits_actual=config.constants.VA_BITS if full else config.constants.VA_BITS_MIN,
            lpa2=full and config.ARM64_LPA2,
            ng=mode.endswith("_ng"),
        )
        assert len(expected) > 25
        assert {name: ours.get(name) for name in expected} == expected, mode


def test_constants_are_read_only_and_a_wrong_name_is_an_error():
    k = Config("4k", 48).constants
    with pytest.raises(AttributeError, match="read-only: PAGE_SHIFT"):
        k.PAGE_SHIFT = 14
    with pytest.raises(AttributeError, match="no constant PAGE_SHIFTS"):
        _ = k.PAGE_SHIFTS
    assert k["PAGE_SHIFT"] == k.PAGE_SHIFT == 12
