"""The compiled loop that reads a trace's text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pgtlab.arch.compiled import compiled
from pgtlab.arch.cost.trace import U64


@compiled
def parse(text: NDArray[np.uint8], numbers: U64):  # type: ignore[no-untyped-def]
    """Numbers from whole lines: (how many numbers, how many lines, where the first bad line begins or -1)."""
    count, lines, at = 0, 0, 0
    while at < len(text):
        line = at
        while text[at] == 0x20 or text[at] == 0x09 or text[at] == 0x0D:
            at += 1
        if text[at] != 0x0A and text[at] != 0x23:
            value, digits = np.uint64(0), 0
            if text[at] == 0x30 and (text[at + 1] | 0x20) == 0x78:
                at += 2
                while True:
                    letter = text[at] > 0x39
                    digit = (text[at] | 0x20) - 0x57 if letter else text[at] - 0x30
                    if digit < 10 * letter or digit > (15 if letter else 9):
                        break
                    if value >> np.uint64(60):
                        return count, lines, line
                    value = value << np.uint64(4) | np.uint64(digit)
                    digits += 1
                    at += 1
            else:
                while 0x30 <= text[at] <= 0x39:
                    digit = text[at] - 0x30
                    if value > (np.uint64(0xFFFF_FFFF_FFFF_FFFF) - np.uint64(digit)) // np.uint64(10):
                        return count, lines, line
                    value = value * np.uint64(10) + np.uint64(digit)
                    digits += 1
                    at += 1
            while text[at] == 0x20 or text[at] == 0x09 or text[at] == 0x0D:
                at += 1
            if digits == 0 or (text[at] != 0x0A and text[at] != 0x23):
                return count, lines, line
            numbers[count] = value
            count += 1
        while text[at] != 0x0A:
            at += 1
        at += 1
        lines += 1
    return count, lines, -1
