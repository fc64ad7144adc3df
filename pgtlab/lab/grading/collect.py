"""Finding submissions: folders of students, and archives as learning platforms export them."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Final

from pgtlab import limits
from pgtlab.lab.grading.roster import Roster, Student

LARGEST: Final = 8 << 20  # bytes of a notebook
UNPACKED: Final = 512 << 20  # bytes of all files of an archive
DEPTH: Final = 3  # archives in archives
MOODLE: Final = re.compile(r"^(?P<who>.+?)_(?P<id>\d+)_assignsubmission_(file|onlinetext)_?$")
CANVAS: Final = re.compile(r"^(?P<who>[^_]+)(?P<late>_LATE)?_(?P<user>\d+)_(?P<upload>\d+)_(?P<file>.+)$")
_AGAIN: Final = re.compile(r"([ _-]?\(?\d{1,2}\)?|[ _-]?copy\d*)$", re.IGNORECASE)  # 03_pud_free-1, 03_pud_free (2)
_SKIPPED: Final = {"__MACOSX", ".ipynb_checkpoints", ".git", ".course"}


@dataclass(frozen=True)
class Submission:
    """A file that a student handed in.

    Attributes
    ----------
    student : Student
        Who: of the roster, or as the folder says.
    exercise : str
        The exercise that the name of the file says; empty if it says none.
    path : str
        Where it was found, with the archives that it is in.
    time : datetime or None
        When it was handed in, as far as the file says.
    late : bool
        Whether the platform has marked it as late.
    data : bytes
        Its content; empty if it is larger than a notebook can be.
    trouble : str
        Why it cannot be graded, in a sentence.
    """

    student: Student
    exercise: str
    path: str
    time: datetime | None
    late: bool
    data: bytes
    trouble: str = ""


@dataclass(frozen=True)
class _File:
    path: str
    parts: tuple[str, ...]
    time: datetime | None
    data: bytes
    trouble: str = ""


def collect(folder: Path, roster: Roster, exercises: Mapping[str, object]) -> list[Submission]:
    """Find all submissions in a folder or an archive, in the order of their paths.

    Understood are a folder for each student with notebooks, workbenches or archives in it; the archive or the folder
    that Moodle exports; the flat files of Canvas; and nbgrader's `submitted/student/assignment/notebook`.

    Raises
    ------
    ValueError
        If the folder does not exist.
    """
    if not folder.exists():
        raise ValueError(f"{folder} does not exist: give the folder, or the archive, with the submissions")
    files = _in_archive(_read(folder), folder.name, (), 0) if folder.is_file() else _in_folder(folder)
    found = [_submission(file, roster, exercises) for file in files]
    return sorted((each for each in found if each is not None), key=lambda each: each.path)


def _read(path: Path) -> bytes:
    return limits.read_bytes(path, UNPACKED, str(path))


def _in_folder(folder: Path) -> Iterator[_File]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if _SKIPPED & {*parts} or path.is_symlink() or not path.is_file():
            continue  # a link could lead anywhere
        time = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        kind = path.suffix.lower()
        if kind == ".zip":
            yield from _in_archive(_read(path), str(path.relative_to(folder)), (*parts[:-1], path.stem), 1)
        elif kind == ".ipynb":
            small = path.stat().st_size <= LARGEST
            data, trouble = (_read(path), "") if small else (b"", _too_large(path.stat().st_size))
            yield _File(path.relative_to(folder).as_posix(), parts, time, data, trouble)


def _in_archive(data: bytes, name: str, parts: tuple[str, ...], depth: int) -> Iterator[_File]:
    """The files of an archive. Nothing is unpacked on disk."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            room = UNPACKED
            for info in sorted(archive.infolist(), key=lambda each: each.filename):
                inner = PurePosixPath(info.filename.replace("\\", "/")).parts
                kind = PurePosixPath(info.filename).suffix.lower()
                if info.is_dir() or _SKIPPED & {*inner} or kind not in (".ipynb", ".zip"):
                    continue
                where, time = f"{name}/{info.filename}", _time_of(info)
                room -= info.file_size
                largest = LARGEST if kind == ".ipynb" else UNPACKED
                if info.file_size > largest or room < 0:
                    yield _File(where, (*parts, *inner), time, b"", _too_large(info.file_size))
                    continue
                content = archive.read(info)
                if kind == ".ipynb":
                    yield _File(where, (*parts, *inner), time, content)
                elif depth < DEPTH:
                    stem = PurePosixPath(inner[-1]).stem
                    yield from _in_archive(content, where, (*parts, *inner[:-1], stem), depth + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
        # damaged, encrypted, or packed in another way
        yield _File(name, (*parts, PurePosixPath(name).name), None, b"", f"This archive cannot be read: {error}.")


def _too_large(size: int) -> str:
    return f"This file has {size >> 20} MiB, and {LARGEST >> 20} MiB are the most that a notebook may have."


def _time_of(info: zipfile.ZipInfo) -> datetime | None:
    try:
        return datetime(*info.date_time, tzinfo=UTC)
    except ValueError:
        return None


def _submission(file: _File, roster: Roster, exercises: Mapping[str, object]) -> Submission | None:
    name, late, student = file.parts[-1], False, None
    for part in file.parts[:-1]:
        if moodle := MOODLE.match(part):
            student = roster.find(moodle["who"], moodle["id"])
    if student is None and (canvas := CANVAS.match(name)) and not roster.knows(file.parts[0]):
        student, name = roster.find(canvas["who"], canvas["user"]), canvas["file"]
        late = bool(canvas["late"])
    if student is None:
        folders = file.parts[:-1]
        if len(folders) > 1 and folders[0] == "submitted":  # nbgrader's
            folders = folders[1:]
        known = next((part for part in folders if roster.knows(part)), folders[0] if folders else "")
        student = roster.find(known or _stem(name))
    exercise = _exercise(name, exercises) or next(
        (each for part in reversed(file.parts[:-1]) if (each := _exercise(part, exercises))), ""
    )
    if not exercise and not file.trouble and not _says_exercise(file.data):
        return None  # a chapter of the course, or another notebook
    return Submission(student, exercise, file.path, file.time, late, file.data, file.trouble)


def _says_exercise(data: bytes) -> bool:
    """Whether a notebook may be an exercise under another name."""
    return b"check(" in data or b'"exercise"' in data


def _stem(name: str) -> str:
    return PurePosixPath(name).stem


def _exercise(name: str, exercises: Mapping[str, object]) -> str:
    """The exercise that a name says, also as a second copy of the file."""
    stem = name.removesuffix(".ipynb")
    for candidate in (stem, _AGAIN.sub("", stem)):
        if candidate in exercises:
            return candidate
    return next((each for each in exercises if each in stem), "")
