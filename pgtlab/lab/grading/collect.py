"""Finding submissions: folders of students, and archives as learning platforms export them."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Final

from pgtlab import limits
from pgtlab.lab.grading.roster import Roster, Student

LARGEST: Final = 8 << 20  # bytes of a notebook
UNPACKED: Final = 512 << 20  # bytes of all that is in the archives of a student
DEPTH: Final = 3  # archives in archives
MOODLE: Final = re.compile(r"^(?P<who>.+?)_(?P<id>\d+)_assignsubmission_(file|onlinetext)(_|$)")
CANVAS: Final = re.compile(r"^(?P<who>[^_]+)(?P<late>_LATE)?_(?P<user>\d+)_(?P<upload>\d+)_(?P<file>.+)$")
_AGAIN: Final = re.compile(r"([ _-]?\(?\d{1,2}\)?|[ _-]?copy\d*)$", re.IGNORECASE)  # 03_pud_free-1, 03_pud_free (2)
_KINDS: Final = (".ipynb", ".zip")
_OTHER_ARCHIVES: Final = (".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar")
_OTHER_TEXTS: Final = (".py", ".html", ".pdf", ".txt", ".md", ".docx", ".odt", ".json")  # if named like an exercise
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
    state : str
        What is said of it then: unreadable, or not graded.
    """

    student: Student
    exercise: str
    path: str
    time: datetime | None
    late: bool
    data: bytes
    trouble: str = ""
    state: str = "unreadable"


@dataclass(frozen=True)
class _File:
    path: str
    parts: tuple[str, ...]  # the first is the student's folder or file
    time: datetime | None
    data: bytes
    trouble: str = ""


@dataclass(frozen=True)
class _Entry:
    """A file where the class's own names are: in the folder or the archive that was given."""

    path: str
    parts: tuple[str, ...]
    time: datetime | None
    size: int
    open: Callable[[], AbstractContextManager[Any]]


def collect(folder: Path, roster: Roster, exercises: Mapping[str, object]) -> list[Submission]:
    """Find all submissions in a folder or an archive, in the order of their paths.

    Understood are a folder for each student with notebooks, workbenches or archives in it; the archive or the folder
    that Moodle exports; the flat files of Canvas; and nbgrader's `submitted/student/assignment/notebook`.

    Only the first folder or file says who it is from, and only it has a time: what is in an archive of a student was
    named by the student.

    Raises
    ------
    ValueError
        If the folder does not exist, or is an archive that cannot be read.
    """
    if not folder.exists():
        raise ValueError(f"{folder} does not exist: give the folder, or the archive, with the submissions")
    if folder.is_dir():
        return _submissions([*_in_folder(folder)], roster, exercises)
    try:
        archive = zipfile.ZipFile(folder)
    except Exception as error:
        raise ValueError(f"{folder} is not an archive that can be read: {error}") from None
    with archive:
        return _submissions([*_in_class_archive(archive, folder.name)], roster, exercises)


def _submissions(entries: list[_Entry], roster: Roster, exercises: Mapping[str, object]) -> list[Submission]:
    entries = [each for each in entries if is_read(each.path) or _trouble_of(each.parts[-1], exercises)]
    around = _around(entries, roster)
    rooms: Counter[str] = Counter()  # bytes that the archives of each student have unpacked so far
    found = []
    for entry in entries:
        entry = replace(entry, parts=entry.parts[around:])
        for file in _files(entry, rooms):
            trouble = "" if is_read(file.path) else _trouble_of(file.parts[-1], exercises)
            if trouble or is_read(file.path):
                found.append(_submission(replace(file, trouble=file.trouble or trouble), roster, exercises))
    return sorted((each for each in found if each is not None), key=lambda each: each.path)


def is_read(path: str) -> bool:
    """Whether a file is of a kind that is read: a notebook, or an archive of notebooks."""
    return PurePosixPath(path).suffix.lower() in _KINDS


def _trouble_of(name: str, exercises: Mapping[str, object]) -> str:
    """What is wrong with a file of another kind that somebody may have handed in as an answer; empty if nobody did."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in _OTHER_ARCHIVES:
        return f"{name} is an archive of a kind that is not read: hand in the notebook, or a zip."
    if suffix in _OTHER_TEXTS and _exercise(_stem(name), exercises):
        return f"{name} is not a notebook: hand in the .ipynb itself."
    return ""


def _around(entries: list[_Entry], roster: Roster) -> int:
    """How many folders there are around those of the students."""

    def is_student(part: str) -> bool:
        return bool(MOODLE.match(part) or CANVAS.match(part)) or roster.knows(_stem(part)) or roster.knows(part)

    first, second = {each.parts[0] for each in entries}, {each.parts[1] for each in entries if len(each.parts) > 1}
    if len(first) != 1 or any(len(each.parts) == 1 for each in entries) or is_student(*first):
        return 0
    return int(first == {"submitted"} or all(map(is_student, second)))  # nbgrader's, or a folder that was packed


def _in_folder(folder: Path) -> Iterator[_Entry]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if _SKIPPED & {*parts} or path.is_symlink() or not path.is_file() or not path.suffix:
            continue  # a link could lead anywhere
        parts, about = tuple(map(_readable, parts)), path.stat()
        time = datetime.fromtimestamp(about.st_mtime, UTC)
        yield _Entry("/".join(parts), parts, time, about.st_size, partial(path.open, "rb"))


def _in_class_archive(archive: zipfile.ZipFile, name: str) -> Iterator[_Entry]:
    for info, inner in _listed(archive):
        yield _Entry(f"{name}/{'/'.join(inner)}", inner, _time_of(info), info.file_size, partial(_open, archive, info))


def _files(entry: _Entry, rooms: Counter[str]) -> Iterator[_File]:
    """The notebooks that a file is or has in it. Whatever is wrong with it, the others are collected."""
    owner = entry.parts[0]
    try:
        if not is_read(entry.path):
            yield _File(entry.path, entry.parts, entry.time, b"")
        elif PurePosixPath(entry.path).suffix.lower() == ".zip":
            with entry.open() as file:
                yield from _in_archive(file, _File(entry.path, entry.parts, entry.time, b""), rooms, owner, 1)
        elif entry.size > LARGEST:
            yield _File(entry.path, entry.parts, entry.time, b"", _too_large(entry.size))
        else:
            with entry.open() as file:
                data = limits.read_bytes(file, LARGEST, entry.path)
            yield _File(entry.path, entry.parts, entry.time, data)
    except Exception as error:
        yield _File(entry.path, entry.parts, entry.time, b"", f"This file cannot be read: {error}.")


def _in_archive(file: Any, of: _File, rooms: Counter[str], owner: str, depth: int) -> Iterator[_File]:
    """The notebooks of a student's archive, with its own time. Nothing is unpacked on disk."""
    try:
        with zipfile.ZipFile(file) as archive:
            for info, inner in _listed(archive):
                where = replace(of, path=f"{of.path}/{'/'.join(inner)}", parts=(*of.parts, *inner))
                if not is_read(where.path):
                    yield where
                    continue
                rooms[owner] += info.file_size
                is_archive = inner[-1].lower().endswith(".zip")
                if rooms[owner] > UNPACKED or (info.file_size > LARGEST and not is_archive):
                    yield replace(where, trouble=_too_large(info.file_size))
                    continue
                try:
                    with _open(archive, info) as opened:
                        data = limits.read_bytes(opened, info.file_size, where.path)
                except Exception as error:
                    yield replace(where, trouble=f"This file cannot be read: {error}.")
                    continue
                if not is_archive:
                    yield replace(where, data=data)
                elif depth < DEPTH:
                    yield from _in_archive(io.BytesIO(data), where, rooms, owner, depth + 1)
    except Exception as error:  # zipfile, zlib and the file system have many; none may end the grading of the others
        yield replace(of, trouble=f"This archive cannot be read: {error}.")


def _listed(archive: zipfile.ZipFile) -> list[tuple[zipfile.ZipInfo, tuple[str, ...]]]:
    """The notebooks and archives in an archive, and their paths, which stay in it."""
    listed = []
    for info in archive.infolist():
        path = PurePosixPath(_readable(info.filename).replace("\\", "/"))
        inner = tuple(part for part in path.parts if part not in ("/", ".."))
        if inner and not info.is_dir() and not _SKIPPED & {*inner} and path.suffix:
            listed.append((info, inner))
    return sorted(listed, key=lambda each: each[1])


def _open(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> AbstractContextManager[Any]:
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others unpack more than is asked for
        raise ValueError("it is packed in another way than archives usually are")
    return archive.open(info)


def _readable(name: str) -> str:
    """A name in one spelling, with a mark for what is not text."""
    return unicodedata.normalize("NFC", name.encode(errors="surrogateescape").decode(errors="replace"))


def _too_large(size: int) -> str:
    return (
        f"This file has {size >> 20} MiB: {LARGEST >> 20} MiB are the most that a notebook may have, and "
        f"{UNPACKED >> 20} MiB all that a student hands in."
    )


def _time_of(info: zipfile.ZipInfo) -> datetime | None:
    try:
        return datetime(*info.date_time, tzinfo=UTC)
    except ValueError:
        return None


def _submission(file: _File, roster: Roster, exercises: Mapping[str, object]) -> Submission | None:
    own, name, late = file.parts[0], file.parts[-1], False
    is_file = len(file.parts) == 1 or is_read(own)
    stem = _stem(own).removesuffix(".tar") if is_file else own
    who, number = stem, ""
    if moodle := MOODLE.match(own):
        who, number = moodle["who"], moodle["id"]
    elif (canvas := CANVAS.match(own)) and not roster.knows(stem):
        who, number, late = canvas["who"], canvas["user"], bool(canvas["late"])
        name = canvas["file"] if len(file.parts) == 1 else name
    student, named = roster.find(who, number), roster.named(who, number)
    exercise = _exercise(name, exercises) or next(
        (each for part in reversed(file.parts[:-1]) if (each := _exercise(part, exercises))), ""
    )
    if not exercise and not file.trouble and not _says_exercise(file.data):
        return None  # a chapter of the course, or another notebook
    if len(named) > 1:
        ids = ", ".join(each.id for each in named)
        why = (
            f"The roster has several students called {who} ({ids}): put this into a folder that has the id as its name."
        )
        return Submission(student, exercise, file.path, file.time, late, file.data, why, "not graded")
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
