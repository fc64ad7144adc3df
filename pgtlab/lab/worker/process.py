"""Starting the process for a learner's code, watching it, and telling how it ended."""

from __future__ import annotations

import atexit
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from pgtlab.lab.worker import wire
from pgtlab.lab.worker.pipe import Pipe

CHILD: Final = Path(__file__).with_name("child.py")
LOOK: Final = 0.05  # seconds between two looks at a process
LOOK_FOR_OTHERS: Final = 0.5  # and between two looks at what it has started
MIB: Final = 1 << 20
ALL: Final = 64 * MIB  # of all messages, until the time is counted from the beginning again
FOR_THE_JUDGE: Final = 30.0  # seconds that one call may take beyond those of waiting, while the judge does what it asks
FAMILY: Final = 32  # processes that a learner's code may start
NOT_A_RESULT: Final = "sent the judge something that is not a result."


@dataclass(frozen=True)
class Limits:
    """What a learner's code may use.

    Attributes
    ----------
    seconds : float
        Of computing, in all.
    waiting : float
        Seconds that may pass while it has been called, as in `sleep()`.
    memory : int
        Bytes.
    files : int or None
        Bytes of the largest file that it may write; None for no limit.
    processes : int or None
        How many processes its user may have; None for no limit.
    """

    seconds: float = 10.0
    waiting: float = 30.0
    memory: int = 2048 * MIB
    files: int | None = None
    processes: int | None = None

    def for_child(self) -> dict[str, int | None]:
        """The limits that the process sets itself, by the names of the system's constants."""
        longest = int(60 + 30 * self.seconds)  # it may serve many runs; the judge counts the seconds of each
        return {
            "AS": self.memory + 512 * MIB,  # addresses, of which Python and numpy reserve more than they use
            "CPU": longest,
            "CORE": 0,
            "FSIZE": self.files,
            "NOFILE": 256 if self.processes is None else 64,
            "NPROC": self.processes,
        }


class Ended(Exception):
    """The learner's process is dead; the message says how it died, as the end of a sentence.

    In it `{where}` stands for the line that it was in, as far as it is known.
    """


class AnswerProcess:
    """A process that runs a learner's code, and a thread that watches it.

    Parameters
    ----------
    command : sequence of str
        What to start before Python, such as a sandbox.
    """

    def __init__(self, command: Sequence[str] = (), python: str = sys.executable, child: str = str(CHILD)) -> None:
        self.limits = Limits()
        self.reason = ""
        self.called: float | None = None  # when a call began; what the judge does for the learner's code counts here
        self._since: float | None = None  # when the learner's code was given its turn
        self._waited = 0.0
        self._turn = threading.Event()
        self._family: list[Any] = []
        self._computed: dict[int, float] = {}  # seconds, by process
        self._lock = threading.Lock()
        own_group: dict[str, Any] = (
            {"start_new_session": True} if hasattr(os, "setsid") else {"creationflags": 0x200}  # a group of its own
        )
        self._popen = subprocess.Popen(
            [*command, python, "-S", "-E", "-B", child],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=_environment(),
            **own_group,
        )
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._stdin = Pipe(self._popen.stdin, lambda: self.alive)
        self._stdout = Pipe(self._popen.stdout, lambda: self.alive)

    def start(
        self,
        limits: Limits,
        forbidden: tuple[str, ...] = (),
        folder: str = "",
        path: Sequence[str] = (),
        modules: tuple[str, ...] = (),
    ) -> None:
        """Set the limits, import modules, which costs the learner's code no time, and begin to watch."""
        self.limits = limits
        how = {"path": list(path or sys.path), "forbidden": forbidden, "folder": folder, "modules": modules}
        self.write(pickle.dumps(("start", {**how, "look": min(0.5, limits.seconds / 4), "limits": limits.for_child()})))
        self.read()
        self.count_from_here()
        threading.Thread(target=self._watch, daemon=True).start()

    # Messages. While one is awaited, the time counts.

    def write(self, data: bytes) -> None:
        """Send a message, which gives the learner's code its turn: it has to read the message, too."""
        with self._lock:
            self._since = time.monotonic()
        self._turn.set()
        try:
            wire.write_frame(self._stdin, data)
        except (OSError, ValueError):  # it has ended, or the pipe has been closed
            raise Ended(self.end()) from None
        except BaseException:  # what is half written is lost
            self.stop("was interrupted.")
            raise

    def read(self) -> Any:
        """Wait for a message."""
        with self._lock:
            self._since = self._since or time.monotonic()
        self._turn.set()
        try:
            data = wire.read_frame(self._stdout, wire.LARGEST)
            self._received += len(data)
            if self._received > ALL:
                self.stop(f"sent the judge more than {ALL // MIB} MiB{{where}}.")
                raise EOFError
            return wire.from_json(data)
        except (EOFError, OSError, ValueError) as error:
            if isinstance(error, wire.WireError):
                self.stop(NOT_A_RESULT)
            raise Ended(self.end()) from None
        except BaseException:  # the learner interrupts, or the judge's own time is over: what is half read is lost
            self.stop("was interrupted.")
            raise
        finally:
            with self._lock:
                if self._since is not None:
                    self._waited += time.monotonic() - self._since
                self._since = None
            self._turn.clear()

    # Watching.

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._popen.poll() is None

    @cached_property
    def _ps(self) -> Any:
        try:
            import psutil

            return psutil.Process(self._popen.pid)
        except Exception:  # psutil is not installed, or the process has ended: then only the clock counts
            return None

    def used(self) -> tuple[float, int, int]:
        """Seconds of computing so far, and bytes of memory, of the process and what it started; how many they are."""
        if self._ps is None:
            return self.waited(), 0, 1
        with suppress(Exception):  # it has just ended
            if time.monotonic() > self._look_again:  # it takes a look at every process of the machine
                self._family = [self._ps, *self._ps.children(recursive=True)]
                self._look_again = time.monotonic() + LOOK_FOR_OTHERS
        computed, memory = 0.0, 0
        for each in self._family:
            try:
                times = each.cpu_times()
                self._computed[each.pid] = times.user + times.system
                computed += times.user + times.system + times.children_user + times.children_system
                memory += each.memory_info().rss
            except Exception:  # this one has just ended
                self._look_again = 0.0
        # What has ended is counted by its parent if that waited for it, else as it was last seen.
        return max(computed, sum(list(self._computed.values()))), memory, len(self._family)

    _look_again = 0.0

    def waited(self) -> float:
        """Seconds for which it has had the turn."""
        with self._lock:
            return self._waited + (time.monotonic() - self._since if self._since is not None else 0.0)

    def count_from_here(self) -> None:
        """Give the learner's code all of its time again."""
        with self._lock:
            self._waited = 0.0
        self._received = 0
        self._before = self.used()[0] if self._ps is not None else 0.0

    _before = 0.0
    _received = 0  # bytes

    def _watch(self) -> None:
        while self.alive:
            called, longest = self.called, self.limits.waiting + FOR_THE_JUDGE
            if called is not None and time.monotonic() - called > longest:
                self.stop(f"kept the judge busy for {longest:g} seconds{{where}}.")
            if not self._turn.wait(1):
                continue
            computed, memory, processes = self.used()
            computed -= self._before
            if computed > self.limits.seconds:
                self.stop(
                    f"was still busy{{where}} after {self.limits.seconds:g} seconds of computing: does it ever end?"
                )
            elif self.waited() > self.limits.waiting:
                self.stop(
                    f"did not return within {self.limits.waiting:g} seconds{{where}}: is it waiting for something?"
                )
            elif memory > self.limits.memory:
                self.stop(f"used more than {self.limits.memory // MIB} MiB of memory{{where}}.")
            elif processes > FAMILY:
                self.stop(f"started more than {FAMILY} processes{{where}}.")
            time.sleep(LOOK)

    def stop(self, reason: str) -> None:
        """Kill it and what it started, for a reason that completes the sentence "Your function ..."."""
        self.reason = self.reason or reason
        with suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self._popen.pid, signal.SIGKILL)
        with suppress(OSError):
            self._popen.kill()
        for each in self._family:  # also what has left the group
            with suppress(Exception):
                each.kill()

    def close(self) -> None:
        """End it: nothing of it is needed any more."""
        self.stop("was stopped.")
        with suppress(OSError):
            self._stdin.close()
        self._popen.wait()
        self._stdout.close()

    def end(self) -> str:
        """How it ended, as the end of a sentence."""
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(1)
        status = self._popen.poll()
        if self.reason:
            return self.reason
        self.stop("closed its pipe to the judge.")  # also what it started
        if status is None:
            return self.reason
        if status < 0:
            return f"ended the process that it ran in: {signal.strsignal(-status)}."
        return f"ended the process that it ran in, with exit status {status}."


def _environment() -> dict[str, str]:
    """The environment without what is the learner's own affair, and with one thread for numpy."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "JPY_"))}
    return {**kept, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}


_spare: list[AnswerProcess] = []


def fresh() -> AnswerProcess:
    """A process that has not yet run anything: the one that was started in advance, if there is one."""
    while _spare:
        process = _spare.pop()
        if process.alive:
            return process
    return AnswerProcess()


def prepare() -> None:
    """Start a process in advance, so that the next answer need not wait for it."""
    if not _spare:
        _spare.append(AnswerProcess())


@atexit.register
def _drop() -> None:
    while _spare:
        _spare.pop().close()
