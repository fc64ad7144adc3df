"""The picture of an address without what a reader of a quiz does not know yet."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from pgtlab.linux.address_picture import Columns, address_picture
from pgtlab.linux.decompose import Decomposition
from pgtlab.picture import Picture, Shape


def hidden_address(d: Decomposition, hidden: Collection[str], columns: Columns | None = None) -> Picture:
    """The picture of `decompose`, without the fields whose keys in `address_blanks` are in `hidden`.

    >>> from pgtlab import Config
    >>> from pgtlab.linux.decompose import decompose
    >>> picture = hidden_address(decompose("VMEMMAP_START", Config("4k", 48)), ["level 1", "offset"])
    >>> sorted(shape.text for shape in picture.shapes if shape.key.startswith("mmu-") and shape.key.endswith("value"))
    ['0x0', '0x0', '0x1fb (507)', 'all 1']
    """
    whole = address_picture(d) if columns is None else address_picture(d, columns)
    if not hidden:
        return whole
    config = d.boot.config
    title = f"{d.va:#018x} in a kernel of {config.granule} pages, VA_BITS={config.va_bits}, on {d.boot.cpu.name}"
    return replace(whole, title=title, description=title, shapes=tuple(_shown(whole, d, set(hidden), title)))


def _shown(whole: Picture, d: Decomposition, hidden: set[str], title: str) -> Iterator[Shape]:
    # The bits of the first field say how many are in use, and so where the walk starts.
    fields = {what: what if what.startswith("level") or what == "offset" else "start" for what, *_ in d.fields}
    unseen = set(fields) if "start" in hidden else {what for what, key in fields.items() if key in hidden}
    bits = {bit for what, hi, lo, _ in d.fields if what in unseen for bit in range(lo, hi + 1)}
    linux = {level.name: f"level {level.level}" if level.level is not None else level.name for level in d.linux}
    # A level that the MMU does not read, or that has no bits, is shown when all is known.
    unseen_linux = {name for name, key in linux.items() if key in unseen or key == name}
    for shape in whole.shapes:
        kind, _, rest = shape.key.partition("-")
        what = rest.removesuffix("-name").removesuffix("-value")
        if shape.key == "title":
            yield replace(shape, text=title)
        elif kind == "bit" and int(rest) in bits:
            yield replace(shape, attributes={**shape.attributes, "class": "bit byte"}, hint=f"bit {rest}")
        elif kind == "digits" and rest in unseen:
            yield replace(shape, attributes={**shape.attributes, "class": "middle mono"})
        elif not (
            kind in ("facts", "note", "leader", "frame")
            or (kind in ("range", "mmu", "linux") and what in unseen)
            or (kind == "linux" and (what in unseen_linux or (what == "collapsed" and unseen_linux)))
        ):
            yield shape
