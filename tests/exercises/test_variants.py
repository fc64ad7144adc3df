"""A seed gives the same address everywhere, and a few kernels stand for all."""

import pytest

from pgtlab import Boot, decompose
from pgtlab.lab.matrix import boots
from pgtlab.lab.variants import COURSE, addresses, boots_alike, distinct_boots, seed_of, variant

STUDENTS = [variant(seed) for seed in range(100)]


@pytest.mark.parametrize(
    ("seed", "page_size", "vabits_actual", "cpu", "va"),
    [
        (0, 16384, 47, "max,lpa2=off", 0xFFFF_AA8F_2495_CCB5),
        (1, 65536, 52, "max", 0x0001_9ED6_10D6_F1AF),
        ("ada", 65536, 48, "max", 0xFFFF_EE63_ED49_A35D),
    ],
)
def test_a_seed_gives_the_same_variant_on_every_machine_and_in_every_version(seed, page_size, vabits_actual, cpu, va):
    v = variant(seed)
    assert (v.boot.config.page_size, v.boot.vabits_actual, v.boot.cpu.name, v.va) == (page_size, vabits_actual, cpu, va)


def test_students_get_different_addresses():
    assert len({student.va for student in STUDENTS}) == len(STUDENTS)


def test_variants_are_alike_in_difficulty():
    assert {4 - student.boot.start_level for student in STUDENTS} == {3, 4}


def test_variants_cover_every_such_kernel_and_both_halves():
    assert {student.boot for student in STUDENTS} == {*boots_alike()}
    assert {decompose(student.va, student.boot).ttbr for student in STUDENTS} == {"TTBR0_EL1", "TTBR1_EL1"}


@pytest.mark.parametrize("boot", distinct_boots(), ids=repr)
def test_addresses_are_translated_one_in_each_half(boot):
    user, kernel = addresses(boot, "any")
    assert decompose(user, boot).ttbr == "TTBR0_EL1"
    assert decompose(kernel, boot).ttbr == "TTBR1_EL1"


def geometry(boot):
    """The constants, without bit 11 of the kernel's protections, nG: it depends on whether the CPU needs KPTI."""
    protections = ("PROT_", "_PAGE_KERNEL", "PTE_MAYBE_NG")
    return {
        name: value & ~(1 << 11) if name.startswith(protections) else value
        for name, value in dict(boot.constants).items()
    }


def test_every_boot_equals_a_distinct_one():
    distinct = {(boot.config, boot.vabits_actual): boot for boot in distinct_boots()}
    for boot in boots():
        if isinstance(boot, Boot):
            like = distinct[boot.config, boot.vabits_actual]
            assert geometry(boot) == geometry(like)
            assert (boot.folded, boot.start_level, boot.lpa2_is_enabled) == (
                (like.folded, like.start_level, like.lpa2_is_enabled)
            )


def test_a_seed_is_a_hash_of_the_course_and_the_students_name():
    assert seed_of(COURSE, "A  Student ") == seed_of(COURSE, "a student")
    assert len({seed_of(course, f"student {n}") for course in ("a", "b") for n in range(100)}) == 200
