"""A file with holes in place of zeros, which most of a machine's memory is."""

from __future__ import annotations

import os
from typing import BinaryIO, Final

_HOLE: Final = 4096  # bytes of zeros that are left out together


class Sparse:
    """A file that is written from its beginning to its end, with holes for zeros, as far as there is space."""

    def __init__(self, file: BinaryIO, space: int) -> None:
        self._file, self._space = file, space

    def write(self, content: bytes) -> None:
        """Append `content`."""
        for start in range(0, len(content), _HOLE):
            piece = content[start : start + _HOLE]
            if piece.count(0) == len(piece):
                self._file.seek(len(piece), os.SEEK_CUR)
                continue
            self._space -= len(piece)
            if self._space < 0:
                raise ValueError("there is no space for it on the disk; TMPDIR names a folder on another one")
            self._file.write(piece)

    def seek(self, place: int) -> None:
        """Go on at `place`."""
        self._file.seek(place)

    def end(self) -> None:
        """Give the file its size, which zeros at its end do not."""
        self._file.truncate(max(self._file.tell(), self._file.seek(0, os.SEEK_END)))
