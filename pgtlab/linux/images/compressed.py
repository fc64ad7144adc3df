"""Files that were compressed or flattened as a whole: unpacked into a temporary file."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from pgtlab.extras import needed_by
from pgtlab.linux.images import flattened, lime
from pgtlab.linux.images.contents import ImageError
from pgtlab.linux.images.sparse import Sparse

_PIECE: Final = 1 << 20  # bytes at a time
_RESERVE: Final = 1 << 28  # bytes that are left free for others
_MAGICS: Final = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd"}


def kind(head: bytes) -> str | None:
    """How a file that begins so is compressed, None where it is not.

    >>> kind(bytes.fromhex("1f8b0800")), kind(b"\\x7fELF")
    ('gzip', None)
    """
    if head.startswith(lime.AVML_MAGIC):
        return "AVML"
    if flattened.is_flattened(head):
        return "flattened"
    return next((name for magic, name in _MAGICS.items() if head.startswith(magic)), None)


@contextmanager
def unpacked(path: Path, how: str) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """The path of a file with the content of `path`, which is gone afterwards unless something has it open, and notes.

    Of a file that is cut off or damaged, what comes before counts.

    Raises
    ------
    ImageError
        Where the content is damaged, or does not fit on the disk; and in place of one that names the temporary file.
    """
    with tempfile.TemporaryDirectory(prefix="pgtlab-", ignore_cleanup_errors=True) as folder:
        inner = Path(folder) / path.stem
        notes: tuple[str, ...] = ()
        try:
            with inner.open("wb") as file:
                out = Sparse(file, shutil.disk_usage(folder).free - _RESERVE)
                if how == "AVML":
                    lime.unpack_avml(path, out)
                elif how == "flattened":
                    flattened.unflatten(path, out)
                else:
                    with _open(path, how) as source:
                        notes = _copy(source, out)
                out.end()
        except (OSError, ValueError) as error:
            if isinstance(error, ImageError) or (isinstance(error, OSError) and error.filename == str(path)):
                raise
            raise ImageError(f"{path} cannot be unpacked ({how}): {error}") from None
        try:
            yield inner, notes
        except ImageError as error:
            raise ImageError(str(error).replace(str(inner), str(path))) from None


def _open(path: Path, how: str) -> Any:
    if how == "gzip":
        return gzip.open(path)
    if how == "bzip2":
        return bz2.open(path)
    if how == "xz":
        return lzma.open(path)
    with needed_by("a .zst file"):
        import zstandard
    decompressor = zstandard.ZstdDecompressor()
    return decompressor.stream_reader(path.open("rb"), read_across_frames=True, closefd=True)


def _copy(source: Any, out: Sparse) -> tuple[str, ...]:
    from pgtlab.progress_bar import tqdm

    done = 0
    with tqdm(unit="B", unit_scale=True, delay=1, disable=None, desc="unpacking") as bar:
        while True:
            try:
                piece = source.read1(_PIECE)
            except Exception as error:  # each library has its own errors
                if not done:
                    raise ValueError(str(error) or type(error).__name__) from None
                return (f"cut off or damaged: no more than {done} bytes can be unpacked ({error})",)
            if not piece:
                return ()
            out.write(piece)
            done += len(piece)
            bar.update(len(piece))
