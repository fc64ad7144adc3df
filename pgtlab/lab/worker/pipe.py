"""The judge's end of a pipe to a learner's process: nothing waits on it for a process that has ended."""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from typing import IO, Final

LOOK: Final = 0.2  # seconds between two looks at whether the process still runs


class Pipe:
    """An unbuffered pipe that is read or written completely, or not at all if the process has ended.

    A process that the learner's code started may hold the other end open for longer, so its being open says nothing.

    Parameters
    ----------
    stream : file
        Without a buffer.
    alive : callable
        Whether the process runs.
    """

    def __init__(self, stream: IO[bytes], alive: Callable[[], bool]) -> None:
        self._stream, self._alive = stream, alive
        self._poll = None
        if hasattr(select, "poll"):  # elsewhere, as on Windows, the system's own blocking has to do
            os.set_blocking(stream.fileno(), False)
            self._poll = select.poll()
            self._poll.register(stream, select.POLLIN if stream.readable() else select.POLLOUT)

    def read(self, length: int) -> bytes:
        """Return `length` bytes, or fewer if that is the end."""
        data = bytearray()
        while len(data) < length and self._ready():
            piece = self._stream.read(length - len(data))
            if piece == b"":
                break
            data += piece or b""  # None if another process was faster
        return bytes(data)

    def write(self, data: bytes) -> None:
        """Write all of it.

        Raises
        ------
        BrokenPipeError
            If the process has ended.
        """
        rest = memoryview(data)
        while rest:
            if not self._ready():
                raise BrokenPipeError
            rest = rest[self._stream.write(rest) or 0 :]

    def flush(self) -> None:
        """Do nothing: there is no buffer."""

    def close(self) -> None:
        """Close it."""
        self._stream.close()

    def _ready(self) -> bool:
        """Wait until something can be read or written; False if the process ended before."""
        while self._poll is not None and not self._poll.poll(LOOK * 1000):
            if not self._alive():
                return bool(self._poll.poll(0))
        return True
