"""The picture of the house on the architecture page: its floors from the source, and three walks through them.

The rooms, their sizes and who imports whom are read from the files; the walks name functions, and each has to exist.
"""

from __future__ import annotations

import ast
import importlib
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from pgtlab.picture import Picture, Shape, line, rect, text

ROOT = Path(__file__).resolve().parents[1]

#: From the top floor to the ground; the rooms of one floor, each with what it is for.
FLOORS = (
    (("notebooks", "the course, as text"), ("exercises", "tasks, solutions and checks")),
    (("pgtlab_widgets", "the views in Jupyter"),),
    (("pgtlab.cli", "the command"), ("pgtlab.plot", "charts")),
    (("pgtlab.lab", "trees, bugs, checks, the course"),),
    (
        ("pgtlab.linux", "before it runs; our views"),
        ("pgtlab.linux.kernel", "the running kernel"),
        ("pgtlab.linux.oops", "kernel logs"),
        ("pgtlab.linux.images", "memory images"),
    ),
    (("pgtlab.arch", "what Arm specifies"),),
    (("pgtlab.picture", "shapes, as values"),),
)
HEIGHT, GAP, LEFT, RIGHT = 58, 10, 6, 640


@dataclass(frozen=True)
class Way:
    """A walk through the house: its name, and the functions on it in the order in which they are entered."""

    name: str
    colour: str
    steps: tuple[str, ...]


def path_of(room: str) -> Path:
    """Return the file or the folder of a room."""
    parts = room.split(".")
    folder = ROOT / "widgets" / room if room == "pgtlab_widgets" else ROOT.joinpath(*parts)
    return folder if folder.is_dir() else folder.with_suffix(".py")


def files_of(room: str) -> list[Path]:
    """Return the Python files of a room, without those of the rooms inside it."""
    path = path_of(room)
    inner = [path_of(other) for floor in FLOORS for other, _ in floor if other.startswith(f"{room}.")]
    files = [path] if path.is_file() else sorted(path.rglob("*.py"))
    return [file for file in files if not any(folder in file.parents for folder in inner)]


def room_of(module: str) -> str | None:
    """Return the room that a module is in."""
    rooms = [room for floor in FLOORS for room, _ in floor if f"{module}.".startswith(f"{room}.")]
    return max(rooms, key=len, default=None)


def imports() -> dict[str, set[str]]:
    """Return, for each room, the other rooms that its modules import."""
    result: dict[str, set[str]] = {}
    for floor in FLOORS:
        for room, _ in floor:
            names: set[str] = set()
            for file in files_of(room):
                for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                    if isinstance(node, ast.Import):
                        names |= {alias.name for alias in node.names}
                    elif isinstance(node, ast.ImportFrom) and node.module:
                        names |= {f"{node.module}.{alias.name}" for alias in node.names}
            result[room] = {other for name in names if (other := room_of(name))} - {room}
    return result


def function(name: str) -> object:
    """Return the function or class with a dotted name.

    Raises
    ------
    ValueError
        If there is none: a walk on the page names something that has moved.
    """
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:cut]))
        except ImportError:
            continue
        try:
            for part in parts[cut:]:
                value = getattr(value, part)
        except AttributeError:
            break
        return value
    raise ValueError(f"docs/architecture.md walks through {name}, which does not exist.")


def ways(page: str) -> tuple[Way, ...]:
    """Return the walks that the page describes: a heading, and a list whose items begin with a function's name."""
    result = []
    for number, part in enumerate(re.split("^## The walk of ", page, flags=re.MULTILINE)[1:]):
        steps = re.findall(r"^\d+\. (?:and )?`([\w.]+)`", part, flags=re.MULTILINE)
        result.append(Way(part.partition("\n")[0], f"level-{number}", tuple(steps)))
    return tuple(result)


def picture(ways: tuple[Way, ...]) -> Picture:
    """Draw the floors, and the ways beside them: a dot for each step, on the floor where its function lives.

    Raises
    ------
    ValueError
        If a room imports one on a floor above it, which the picture says is not so.
    """
    shapes: list[Shape] = []
    floor_of = {room: number for number, floor in enumerate(FLOORS) for room, _ in floor}
    imported = imports()
    for room, others in imported.items():
        if above := [other for other in others if floor_of[other] < floor_of[room]]:
            raise ValueError(f"docs/house.py draws {room} below {above[0]}, which it imports.")
    middle: dict[str, float] = {}
    for number, floor in enumerate(FLOORS):
        top = 30 + number * (HEIGHT + GAP)
        width = (RIGHT - LEFT - GAP * (len(floor) - 1)) / len(floor)
        for place, (room, purpose) in enumerate(floor):
            x = LEFT + place * (width + GAP)
            files = files_of(room)
            lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)
            middle[room] = top + HEIGHT / 2
            shapes += [
                rect(
                    room,
                    x,
                    top,
                    width,
                    HEIGHT,
                    "outline",
                    hint=f"imports {', '.join(sorted(imported[room])) or 'none'}",
                ),
                text(f"{room}/name", x + 10, top + 19, room, "mono strong start small"),
                text(f"{room}/purpose", x + 10, top + 35, purpose, "start small"),
                text(
                    f"{room}/size",
                    x + 10,
                    top + 50,
                    f"{len(files)} file{'s' * (len(files) != 1)}, {lines:,} lines",
                    "start small faint",
                ),
            ]
    for number, way in enumerate(ways):
        x = RIGHT + 50 + number * 90
        shapes.append(text(way.name, x, 18, way.name, "middle strong"))
        ys: list[float] = []
        for step in way.steps:
            function(step)
            y = middle[room_of(step) or "pgtlab.linux"]
            near = sum(abs(y - other) < HEIGHT / 2 for other in ys)
            ys.append(y - 18 + 13 * (near % 4))
        points = [(x - 26 + 52 * place / max(len(ys) - 1, 1), y) for place, y in enumerate(ys)]
        for place, ((x1, y1), (x2, y2)) in enumerate(pairwise(points)):
            shapes.append(line(f"{way.name}/{place}", x1, y1, x2, y2))
        for place, (px, py) in enumerate(points, 1):
            key = f"{way.name}/{place}/dot"
            shapes += [
                Shape(key, "circle", {"cx": px, "cy": py, "r": 8, "class": way.colour}),
                text(f"{key}/n", px, py + 4, str(place), "middle small on-fill"),
            ]
    height = 30 + len(FLOORS) * (HEIGHT + GAP)
    floors = "; ".join(", ".join(room for room, _ in floor) for floor in FLOORS)
    return Picture(
        RIGHT + 280, height, "The house", f"Floors from the top, each uses those below: {floors}.", tuple(shapes)
    )
