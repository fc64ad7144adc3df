"""The history of linux-next up to 29 February 2024, in miniature: a git repository to bisect.

Each commit has one file, `tree.txt`, which lists the commits of a tree: a checkout is a tree. The subjects and their
order are those of upstream; the merges are those of linux-next, mm before arm64.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pgtlab.lab.trees import ADD_DUMP_FOLIO, FOLD_PUDS_AT_RUNTIME, Commit, Tree, TreeError

TREE_FILE: Final = "tree.txt"
BASE, NEXT, TRUNK = "base", "next-20240229", "master"
STAGE1_LPA2, ARM64, MM = "arm64/for-next/stage1-lpa2", "arm64/for-next/core", "mm/mm-unstable"

_ARM64: Final = (
    "arm64: mm: Wire up TCR.DS bit to PTE shareability fields",
    "arm64: mm: Add LPA2 support to phys<->pte conversion routines",
    "arm64: mm: Add definitions to support 5 levels of paging",
    "arm64: mm: add LPA2 and 5 level paging support to G-to-nG conversion",
    "arm64: Enable LPA2 at boot if supported by the system",
    "arm64: mm: Add 5 level paging support to fixmap and swapper handling",
    "arm64: kasan: Reduce minimum shadow alignment and enable 5 level paging",
    FOLD_PUDS_AT_RUNTIME,
    "arm64: ptdump: Disregard unaddressable VA space",
    "arm64: ptdump: Deal with translation levels folded at runtime",
    "arm64: Enable 52-bit virtual addressing for 4k and 16k granule configs",
    "arm64: defconfig: Enable LPA2 support",
)
_MM: Final = (
    "mm: separate out FOLIO_FLAGS from PAGEFLAGS",
    "mm: remove PageWaiters, PageSetWaiters and PageClearWaiters",
    "mm: remove PageYoung and PageIdle definitions",
    ADD_DUMP_FOLIO,
    "mm: make dump_page() take a const argument",
    "mm: constify testing page/folio flags",
    "mm: constify more page/folio tests",
    "mm: remove cast from page_to_nid()",
)
_HEAD: Final = """\
# What this kernel has on top of the model's own functions, one name of `pgtlab trees` to a line.
# Boot it: pgtlab debug-vm-pgtable --tree-file tree.txt
"""
_WHO: Final = ("The pgtlab authors", "pgtlab@pgtlab.invalid")
_START: Final = 1_708_905_600  # 26 February 2024, the day after v6.8-rc6
_STEP: Final = 3 * 60 * 60


class RepoError(ValueError):
    """The repository cannot be written."""


def read_tree(text: str, name: str) -> Tree:
    """Read a tree file: the names of commits, in order.

    Raises
    ------
    TreeError
        If a line is not the name of a commit, or repeats one.

    Examples
    --------
    >>> read_tree("fold-puds  # arm64\\ndump-folio", "mine").commits == Tree.named("next-20240229").commits
    True
    """
    lines: dict[str, int] = {}  # by the name of the commit
    commits = []
    for number, line in enumerate(text.splitlines(), 1):
        if entry := line.partition("#")[0].strip():
            try:
                commit = Commit.named(entry)
            except TreeError as error:
                raise TreeError(f"{name}, line {number}: {error}") from None
            if commit.name in lines:
                raise TreeError(
                    f"{name}, line {number}: {commit.name} is already on line {lines[commit.name]}; remove one of them"
                )
            lines[commit.name] = number
            commits.append(commit)
    return Tree(name, tuple(commits))


@dataclass(frozen=True)
class Revision:
    """A commit of the history: its number, branch, subject, tree and parents."""

    number: int
    branch: str
    subject: str
    tree: Tree
    parents: tuple[int, ...]


@dataclass
class _Stream:
    """The input of `git fast-import`: commits, each with its number as a mark."""

    lines: list[str] = field(default_factory=list)
    count: int = 0
    revisions: list[Revision] = field(default_factory=list)

    def commit(self, branch: str, message: str, tree_file: str, *parents: int) -> int:
        """Add a commit to a branch, with its tree file."""
        self.count += 1
        subject = message.splitlines()[0]
        self.revisions.append(Revision(self.count, branch, subject, read_tree(tree_file, subject), parents))
        who = f"{_WHO[0]} <{_WHO[1]}> {_START + self.count * _STEP} +0000"
        self.lines += [f"commit refs/heads/{branch}", f"mark :{self.count}", f"author {who}", f"committer {who}"]
        self._data(message)
        self.lines += [f"{word} :{parent}" for word, parent in zip(("from", "merge"), parents, strict=False)]
        self.lines += [f"M 644 inline {TREE_FILE}"]
        self._data(tree_file)
        return self.count

    def ref(self, name: str, commit: int) -> None:
        """Point a branch or a tag at a commit."""
        self.lines += [f"reset refs/{name}", f"from :{commit}", ""]

    def _data(self, text: str) -> None:
        self.lines += [f"data {len(text.encode())}", text]

    def __bytes__(self) -> bytes:
        return "\n".join([*self.lines, "done", ""]).encode()


def _history() -> _Stream:
    """The commits, oldest first, and the branches and tags that point to them."""
    stream = _Stream()
    base = stream.commit(TRUNK, "Linux 6.8-rc6\n", _tree_file())
    mm = arm64 = base
    for message, entries in _growing(_MM):
        mm = stream.commit(MM, message, _tree_file(mm=entries), mm)
    for message, entries in _growing(_ARM64):
        arm64 = stream.commit(STAGE1_LPA2, message, _tree_file(arm64=entries), arm64)
    stream.ref(f"heads/{ARM64}", base)
    message = "Merge branch 'for-next/stage1-lpa2' into for-next/core\n"
    arm64 = stream.commit(ARM64, message, _tree_file(arm64=entries), base, arm64)
    *_, (_, mm_entries) = _growing(_MM)
    trunk = stream.commit(TRUNK, "Merge branch 'mm-everything'\n", _tree_file(mm=mm_entries), base, mm)
    trunk = stream.commit(TRUNK, "Merge branch 'for-next/core'\n", _tree_file(entries, mm_entries), trunk, arm64)
    last = "Add linux-next specific files for 20240229"
    trunk = stream.commit(TRUNK, f"{last}\n", _tree_file(entries, mm_entries, f"# {last}\n"), trunk)
    stream.ref(f"tags/{BASE}", base)
    stream.ref(f"tags/{NEXT}", trunk)
    return stream


def revisions() -> tuple[Revision, ...]:
    """The history, oldest first: `base` comes first, and `next-20240229` last.

    >>> first, *_, last = revisions()
    >>> first.subject, last.subject
    ('Linux 6.8-rc6', 'Add linux-next specific files for 20240229')
    """
    return tuple(_history().revisions)


def _growing(changes: tuple[str | Commit, ...]) -> Iterator[tuple[str, str]]:
    """For each commit of a branch, its message and the lines of its tree file."""
    entries = ""
    for change in changes:
        if isinstance(change, Commit):
            entries += f"{change.name}  # {change.subject}\n"
            yield f"{change.subject}\n\nUpstream this is {change.id}.\n", entries
        else:
            entries += f"# {change}\n"
            yield f"{change}\n", entries


def _tree_file(arm64: str = "", mm: str = "", following: str = "") -> str:
    """A tree file with a part for each branch, so that any two branches merge."""
    return f"{_HEAD}\n# --- arm64\n{arm64}\n# --- mm\n{mm}\n# --- linux-next\n{following}"


def write_repo(folder: Path) -> None:
    """Write the repository into a new or empty folder; its commit ids are always the same.

    The project is configured as the author, so that merges and rebases in it work on any machine.

    Raises
    ------
    RepoError
        If the folder is not empty, or git is missing.
    """
    if folder.is_dir():
        if any(folder.iterdir()):
            raise RepoError(f"{folder} is not empty: choose an empty or a new folder")
    elif folder.exists() or folder.is_symlink():
        raise RepoError(f"{folder} is not a folder: choose an empty or a new folder")
    _git("--version")  # before anything is touched
    made = [*_missing(folder)]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _fill(folder)
    except BaseException:  # a full disk, Ctrl-C: the folder is as it was, so that the next attempt finds it empty
        for path in made[-1:] or [*folder.iterdir()]:
            with suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise


def _missing(folder: Path) -> Iterator[Path]:
    """A folder and those above it that are to be made, the highest last."""
    for path in (folder, *folder.parents):
        if path.exists():
            return
        yield path


def _fill(folder: Path) -> None:
    _git("init", "--quiet", "--template=", "--object-format=sha1", ".", folder=folder)
    _git("symbolic-ref", "HEAD", f"refs/heads/{TRUNK}", folder=folder)
    for key, value in zip(("user.name", "user.email"), _WHO, strict=True):
        _git("config", key, value, folder=folder)
    _git("fast-import", "--quiet", "--done", folder=folder, stdin=bytes(_history()))
    _git("reset", "--quiet", "--hard", folder=folder)


def _git(*args: str, folder: Path | None = None, stdin: bytes = b"") -> None:
    """Run git without the user's configuration and without the variables that a git hook sets."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    try:
        subprocess.run(["git", *args], cwd=folder, env=environment, input=stdin, capture_output=True, check=True)
    except FileNotFoundError:
        raise RepoError("git is not on the PATH: install it; the bisection needs it, too") from None
    except subprocess.CalledProcessError as error:
        errors = error.stderr.decode(errors="replace").strip().splitlines() or ["it gave no reason"]
        raise RepoError(f"git {args[0]} failed: {errors[-1]}") from None
