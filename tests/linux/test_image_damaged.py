"""Damaged images of every format: they open or end in `ImageError`, soon and in little memory."""

import json
import resource
from contextlib import suppress
from functools import cache

import image_files
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_files import PTDUMP, capture, kdump

from pgtlab.arch.tables.tree import table_tree
from pgtlab.linux.image import Image, ImageError

pytestmark = pytest.mark.long  # it damages each format in many places

NAME = "4k-va48-max+rodata-on"
FORMATS = ("regs.json", "tables.npz", "image.npz", "vmcore", "text", "raw")
TTBR1 = int(capture(NAME)[0]["el1_stop"]["TTBR1_EL1"], 16)


@cache
def whole(kind, folder):
    """The file that is to be damaged, in its folder."""
    if kind in ("regs.json", "tables.npz"):
        return (PTDUMP / NAME / kind).read_bytes()
    if kind == "image.npz":
        Image.open(PTDUMP / NAME).save(folder / "whole.npz")
        return (folder / "whole.npz").read_bytes()
    _, pages = capture(NAME)
    return {
        "vmcore": lambda: kdump(NAME),
        "text": lambda: image_files.text(pages).encode(),
        "raw": lambda: image_files.raw(dict(list(pages.items())[:8]))[1],
    }[kind]()


def open_and_read(path, kind):
    """Open an image as its format needs, then translate and read all of its tables."""
    given = {}
    if kind == "raw":
        given = {"base": min(capture(NAME)[1]), "page_size": "4k", "va_bits": 48, "TTBR1_EL1": TTBR1}
    if kind == "text":
        given = {"page_size": "4k", "va_bits": 48, "TTBR1_EL1": TTBR1}
    image = Image.open(path, **given)
    assert isinstance(repr(image), str)
    with suppress(ImageError):
        image.translate(0xFFFF_8000_8000_0000)
        assert len(image.mappings()) <= 1 << 22
        tree = image.tree()
        assert all(table.level <= 3 for table in (tree.tables() if tree else ()))
    with suppress(ImageError):
        assert image.boot.vabits_actual


@st.composite
def damaged(draw, content):
    """Content cut off, with bits flipped, parts exchanged, or all of it."""
    content = bytearray(content)
    head = st.integers(0, min(4096, len(content)) - 1)  # where the structure is, more often than elsewhere
    anywhere = head | st.integers(0, len(content) - 1)
    for _ in range(draw(st.integers(0, 12))):
        content[draw(anywhere)] ^= 1 << draw(st.integers(0, 7))
    if draw(st.booleans()):
        a, b, length = draw(anywhere), draw(anywhere), draw(st.integers(1, 64))
        first, second = content[a : a + length], content[b : b + length]
        content[a : a + length], content[b : b + length] = second, first
    if draw(st.booleans()):
        del content[draw(anywhere) :]
    return bytes(content)


@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_a_damaged_image_opens_or_is_an_image_error(tmp_path_factory, kind, data):
    folder = tmp_path_factory.mktemp("image")
    content = data.draw(damaged(whole(kind, folder)))
    path = folder / kind
    path.write_bytes(content)
    if kind in ("regs.json", "tables.npz"):
        for name in {"regs.json", "tables.npz"} - {kind}:
            (folder / name).write_bytes((PTDUMP / NAME / name).read_bytes())
        path = folder
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with suppress(ImageError):
        open_and_read(path, kind)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 512 << 10


values = st.recursive(st.none() | st.integers() | st.text(max_size=8), lambda v: st.lists(v, max_size=2), max_leaves=3)


@given(data=st.data())
def test_registers_of_any_value_or_type_open_or_are_an_image_error(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("capture")
    (folder / "tables.npz").write_bytes((PTDUMP / NAME / "tables.npz").read_bytes())
    regs = json.loads((PTDUMP / NAME / "regs.json").read_text())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.sampled_from([regs, regs.get("el0_stop"), regs.get("el1_stop")]))
        if not isinstance(place, dict):
            continue
        word = st.integers(0, (1 << 64) - 1).map(hex)
        place[data.draw(st.sampled_from(sorted(place)))] = data.draw(word | values)
    (folder / "regs.json").write_text(json.dumps(regs))
    with suppress(ImageError):
        open_and_read(folder, "regs.json")


def test_tables_that_lead_back_to_themselves_end(tmp_path):
    """All entries of one table lead to itself: every level is walked once, and what they map is too much for a list."""
    (tmp_path / "a").write_text("@0x1000\n0x1003*512\n")
    image = Image.open(tmp_path / "a", page_size="4k", va_bits=48, TTBR1_EL1=0x1000)
    assert len(list(image.tree().tables())) == 1 + 3 * 512
    assert sum(not table.again for table in image.tree().tables()) == 4
    with pytest.raises(ImageError, match="mappings or more: an array of them has 4194304 at most"):
        image.mappings()
    assert table_tree(image.mmu, upper=False, once=True) is not None
