"""The picture of a word whose bits are named: the bits above, a line with its meaning for each range below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pgtlab.arch.named_bits import NamedBits
from pgtlab.arch.word_picture import BIT, LEGEND_Y, LINE, MARGIN, bit_row
from pgtlab.picture import Picture, Shape, text

_BITS_X, _NAME_X, _VALUE_X, _MEANING_X = 0, 48, 166, 292
_LETTER = 7.3  # the width of a letter of the title, in most fonts
_QUIET = ("RES0", "ignored")  # no colour for bits without a meaning


def named_picture(title: str, value: int, named: Iterable[NamedBits], description: str, size: int = 64) -> Picture:
    """Draw a word.

    Parameters
    ----------
    title : str
        What the word is.
    value : int
        The word.
    named : iterable of NamedBits
        Their names; of a range with parts the parts are shown.
    description : str
        The word as text, for readers who do not see the picture.
    size : int
        How many of its bits are drawn: 64, or 32 where nothing is set above them.

    Examples
    --------
    >>> from pgtlab.arch import esr
    >>> syndrome = esr.decode(0x96000004)
    >>> picture = named_picture("ESR_EL1", syndrome.value, syndrome.fields, str(syndrome))
    >>> next(shape.text for shape in picture.shapes if shape.key == "meaning-DFSC")
    'Translation fault, level 0.'
    """
    leaves = (leaf for part in named for leaf in part.leaves() if leaf.lo < size)
    shown = [leaf for leaf in leaves if leaf.name not in _QUIET or leaf.value]
    shapes = [text("title", MARGIN, 18, title, "start strong"), *bit_row(value, shown, size)]
    for i, bits in enumerate(shown):
        shapes += _line(bits, i)
    words = max([len(title) * _LETTER, *(_MEANING_X + len(bits.meaning or "") * _LETTER for bits in shown)])
    width = min(64 * BIT, max(size * BIT, round(words)))
    return Picture(2 * MARGIN + width, LEGEND_Y + len(shown) * LINE, title, description, tuple(shapes))


def _line(bits: NamedBits, i: int) -> Iterator[Shape]:
    y = LEGEND_Y + i * LINE
    key = bits.name if bits.name not in _QUIET else f"{bits.name}-{bits.lo}"
    for what, x, words in (
        ("bits", _BITS_X, bits.bits),
        ("name", _NAME_X, bits.name),
        ("value", _VALUE_X, bits.digits),
        ("meaning", _MEANING_X, bits.meaning),
    ):
        if words:
            yield text(f"{what}-{key}", MARGIN + x, y, words, "start" if what == "meaning" else "start mono")
