"""Where a stranger's answer runs: without the network, other processes, solutions and other submissions, as far as the
system allows. `Sandbox.says` tells how far that is.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from pgtlab.lab.worker.process import CHILD, MIB, AnswerProcess, Limits

Kind = Literal["bwrap", "user", "limits"]
WAITING: Final = 30.0  # seconds more than those of computing, for an answer that sleeps, or a machine that is busy
SCRATCH: Final = "/tmp/answer"
_UID: Final = 61000  # of the first throw-away user; each process of the grader has its own
_PACKAGE: Final = Path(__file__).resolve().parents[2]
SAYS: Final[dict[str, str]] = {
    "bwrap": "bubblewrap: no network, no other processes, no files but Python's and pgtlab's, a folder of its own in "
    "memory; limits on time, memory, file size and processes",
    "user": "a throw-away user in namespaces of its own: no network, no other processes, the clone and the submissions "
    "hidden; limits on time, memory, file size and processes. Files that everybody may read can be read",
    "limits": "limits on time, memory and file size only: an answer has the rights of the user who grades. Install "
    "bubblewrap, or grade where it can do no harm",
}


@dataclass(frozen=True)
class Sandbox:
    """How an answer is kept apart.

    Attributes
    ----------
    kind : str
        bwrap, user or limits.
    hidden : tuple of str
        Folders that it must not see.
    seconds : float
        Its computing time.
    """

    kind: Kind
    hidden: tuple[str, ...] = ()
    seconds: float = 10.0

    @property
    def limits(self) -> Limits:
        """What it may use."""
        return Limits(self.seconds, self.seconds + WAITING, memory=1024 * MIB, files=16 * MIB, processes=64)

    @classmethod
    def best(cls, wanted: str = "auto", hidden: tuple[Path, ...] = (), seconds: float = 10.0) -> Sandbox:
        """The strongest one that works here, or the wanted one.

        Raises
        ------
        ValueError
            If the wanted one does not work here.
        """
        kinds: tuple[Kind, ...] = ("bwrap", "user", "limits")
        needed = [*map(Path, paths()[0]), _PACKAGE]
        outside = [each.resolve() for each in hidden if not any(path.is_relative_to(each.resolve()) for path in needed)]
        folders = tuple(map(str, outside))  # hiding the folder that Python is in would leave nothing to run
        for kind in kinds:
            if wanted in ("auto", kind) and works(kind):
                return cls(kind, folders, seconds)
        raise ValueError(
            f"a sandbox of the kind {wanted} does not work here; `--sandbox auto` takes the best that does"
        )

    @property
    def says(self) -> str:
        """What it is, in a sentence."""
        return SAYS[self.kind]

    def start(self, alone: bool = False) -> AnswerProcess:
        """Start a process in it that waits for an answer; one without pgtlab, where the sandbox can leave it out."""
        if self.kind == "bwrap":
            return AnswerProcess(_bwrap(alone))
        if self.kind == "user":
            return AnswerProcess(_user(self.hidden))
        return AnswerProcess()

    @contextmanager
    def folder(self) -> Iterator[str]:
        """A folder for one answer, in which it finds itself; it is gone afterwards."""
        if self.kind == "bwrap":  # it is in memory, and in the sandbox only
            yield SCRATCH
            return
        with tempfile.TemporaryDirectory(prefix="pgtlab-answer-", ignore_cleanup_errors=True) as folder:
            os.chmod(folder, 0o777)
            yield folder


@functools.cache
def works(kind: Kind) -> bool:
    """Whether Python starts in a sandbox of this kind."""
    if kind == "limits":
        return True
    if not sys.platform.startswith("linux"):
        return False
    command = _bwrap() if kind == "bwrap" else _user(())
    if shutil.which(command[0]) is None:
        return False
    needed = f"import sys; sys.path[:] = {paths()[1]!r}; import inspect, json, numpy, pgtlab"
    try:
        done = subprocess.run([*command, sys.executable, "-S", "-E", "-c", needed], capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def paths() -> tuple[list[str], list[str]]:
    """The folders that Python needs, and its search path with nothing of a clone but the packages."""
    prefixes = [sys.base_prefix, sys.prefix, sys.base_exec_prefix]
    search = [path for path in sys.path if path and any(path.startswith(prefix) for prefix in prefixes)]
    return list(dict.fromkeys(prefixes)), [*search, str(_PACKAGE.parent)]


def _bwrap(alone: bool = False) -> list[str]:
    prefixes, _ = paths()
    command = ["bwrap", "--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--die-with-parent"]
    command += ["--new-session", "--cap-drop", "ALL", "--clearenv", "--setenv", "PATH", os.environ.get("PATH", "")]
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        command += ["--setenv", name, "1"]
    command += ["--size", str(64 * MIB), "--tmpfs", "/tmp"]  # before the others: Python may be in a folder of /tmp
    for folder in ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/etc/ld.so.cache", "/etc/alternatives", *prefixes):
        real = os.path.realpath(folder)
        if os.path.islink(folder) and os.path.isdir(folder):
            command += ["--ro-bind-try", real, real, "--symlink", real, folder]
        else:
            command += ["--ro-bind-try", folder, folder]
    executable = os.path.dirname(os.path.realpath(sys.executable))
    command += ["--ro-bind-try", executable, executable]
    if alone:
        worker = str(CHILD.parent)
        for package in (str(_PACKAGE), *_installed("pgtlab_widgets")):
            command += ["--size", str(MIB), "--tmpfs", package]
        command += ["--ro-bind", worker, worker]
        command += ["--remount-ro", str(_PACKAGE)]
    else:
        command += ["--ro-bind", str(_PACKAGE), str(_PACKAGE)]
    # Root could write to the whole machine's settings in /proc; and /dev is in memory, without a limit.
    command += ["--proc", "/proc", "--remount-ro", "/proc"]
    command += ["--dev", "/dev", "--size", str(16 * MIB), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
    command += ["--dir", SCRATCH]
    return [*command, "--remount-ro", "/", "--chdir", SCRATCH, "--"]


def _installed(package: str) -> list[str]:
    """The folders of a package that is beside Python, where a sandbox has it; a clone's is not there."""
    spec, prefixes = find_spec(package), tuple(paths()[0])
    return [each for each in (spec.submodule_search_locations or () if spec else ()) if each.startswith(prefixes)]


def _user(hidden: tuple[str, ...]) -> list[str]:
    """As root: namespaces of its own, the folders hidden, and then a user that nothing belongs to."""
    uid = str(_UID + os.getpid() % 2000)
    cover = "".join(f"mount -t tmpfs -o size=4k,mode=755 none '{folder}' && " for folder in hidden if "'" not in folder)
    drop = f'exec setpriv --reuid {uid} --regid {uid} --clear-groups --no-new-privs --bounding-set=-all -- "$@"'
    spaces = ["unshare", "--mount", "--net", "--ipc", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return [*spaces, "sh", "-c", f"{cover}{drop}", "sh"]
