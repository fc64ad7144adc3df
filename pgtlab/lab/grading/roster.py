"""The students of a course, from a table as Moodle, Canvas or a spreadsheet writes it."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pgtlab import limits

#: Names of columns, in the spelling of several platforms and languages, for what is wanted here.
COLUMNS: Final = {
    "id": (
        "id",
        "student",
        "student id",
        "id number",
        "sis user id",
        "sis login id",
        "username",
        "login",
        "matrikelnummer",
        "id-nummer",
        "numéro d'identification",
        "número de id",
    ),
    "name": ("name", "full name", "student name", "student", "display name"),
    "email": (
        "email",
        "email address",
        "e-mail",
        "mail",
        "e-mail-adresse",
        "adresse de courriel",
        "dirección de correo",
    ),
}
_FIRST_NAMES: Final = ("first name", "vorname", "prénom", "nombre")
_LAST_NAMES: Final = ("surname", "last name", "nachname", "nom de famille", "nom", "apellido(s)")


@dataclass(frozen=True)
class Student:
    """A student.

    Attributes
    ----------
    id : str
        What marks are listed under, and the seed is made from.
    name : str
        As the platform writes it; the id, if nothing else is known.
    email : str
        May be empty.
    row : tuple of (str, str)
        The row of the roster, for the tables that a platform imports.
    """

    id: str
    name: str = ""
    email: str = ""
    row: tuple[tuple[str, str], ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Roster:
    """The students of a course, in order. An empty one knows nobody and takes everybody."""

    students: tuple[Student, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Roster:
        """Read a table with a header: at least a column for an id, a name or an address.

        Raises
        ------
        ValueError
            If it has no such column, two rows are of the same student, or it is not text.
        """
        text = table_text(path)
        if text.startswith("sep="):  # Excel's own first line
            text = text.partition("\n")[2]
        try:
            dialect: type[csv.Dialect] | str = csv.Sniffer().sniff(text.partition("\n")[0], ",;\t")
        except csv.Error:
            dialect = "excel"
        rows = table_rows(path, text, dialect)
        columns = list(rows[0]) if rows else []
        if columns and any(
            column and column.casefold().strip() in _FIRST_NAMES for column in columns
        ):  # Moodle has two columns for a name
            rows = [{**row, "Full name": _full_name(row)} for row in rows]
            columns = list(rows[0])
        which = {what: _column(columns, names) for what, names in COLUMNS.items()}
        if not any(which.values()):
            named = ", ".join(str(column) for column in columns)[:200] or "no header"
            raise ValueError(f"{path} has no column of students: one is called id, name or email, and it has {named}")
        students = []
        for row in rows:
            values = {what: (row.get(column or "") or "").strip() for what, column in which.items()}
            identity = values["id"] or values["email"] or values["name"]
            if not identity or identity.casefold().startswith("points possible"):  # the second row of Canvas
                continue
            kept = tuple((str(key), str(value or "")) for key, value in row.items() if key is not None)
            students.append(Student(identity, values["name"] or identity, values["email"], kept))
        ids = [student.id.casefold() for student in students]
        if twice := next((each for each, count in Counter(ids).items() if count > 1), None):
            raise ValueError(f"{path}: {twice} is there twice")
        return cls(tuple(students))

    def find(self, name: str, number: str = "") -> Student:
        """The student that a folder or a file names, or a new one of that name, also if several have it."""
        named = self.named(name, number)
        if len(named) == 1:
            return named[0]
        name = name.strip()
        return Student((f"{name} ({number})" if named and number else name) or "unknown", name)

    def named(self, name: str, number: str = "") -> tuple[Student, ...]:
        """The students whom a name means: one, none, or several of the same name whom the number does not tell apart.

        A platform's number counts only between those, or if it is of the column `ID` of a roster that Canvas exports:
        Moodle's are not those of any roster.
        """
        wanted, letters = _key(name), _letters(name)
        if not wanted:
            return ()
        exactly = [each for each in self.students if wanted in (_key(each.id), _key(each.email))]
        named = (
            exactly
            or [each for each in self.students if wanted == _key(each.name)]
            or [each for each in self.students if letters and letters in _spellings(each.name)]  # as Canvas runs them
            or [each for each in self.students if number and dict(each.row).get("ID", "").strip() == number]
        )
        numbered = [each for each in named if number and number == each.id]
        return tuple(numbered if len(named) > 1 and len(numbered) == 1 else named)

    def knows(self, name: str) -> bool:
        """Whether a name is that of a student."""
        return self.find(name) in self.students


def _column(columns: list[str], names: tuple[str, ...]) -> str | None:
    known = {column.casefold().strip(): column for column in columns if column}
    return next((known[name] for name in names if name in known), None)


def _full_name(row: dict[str, str]) -> str:
    folded = {str(key).casefold().strip(): value or "" for key, value in row.items()}
    first, last = (
        next((folded[each] for each in names if each in folded), "") for names in (_FIRST_NAMES, _LAST_NAMES)
    )
    return f"{first} {last}".strip()


def _key(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _letters(text: str) -> str:
    return re.sub(r"[\W\d_]+", "", unicodedata.normalize("NFC", text).casefold())


def _spellings(name: str) -> set[str]:
    words = [_letters(word) for word in re.split(r"[\s,]+", name)]
    return {"".join(words), "".join(words[-1:] + words[:-1]), "".join(words[1:] + words[:1])}


def table_text(path: Path) -> str:
    """The text of a table.

    Raises
    ------
    ValueError
        If it is not UTF-8, or larger than a table of students is.
    """
    try:
        return limits.read_bytes(path, limits.TABLE, str(path)).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not a table in UTF-8: save it as CSV in UTF-8") from None


def table_rows(path: Path, text: str, dialect: type[csv.Dialect] | str = "excel") -> list[dict[str, Any]]:
    """The lines of a table with a header, by the names of its columns.

    Raises
    ------
    ValueError
        If it is not one.
    """
    try:
        return list(csv.DictReader(io.StringIO(text), dialect=dialect))
    except csv.Error as error:
        raise ValueError(f"{path} is not a table as CSV: {error}") from None
