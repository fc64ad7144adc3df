"""The build of the wheel: exercises go in without solutions, wrong answers and hidden checks."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TARGET = "pgtlab/_course/exercises"


class StudentsExercises(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the students' form of every exercise into a wheel; an editable one reads the clone."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the texts to a temporary folder, from which they go into the wheel."""
        if self.target_name != "wheel" or version == "editable":
            return
        source = Path(self.root) / "exercises"
        self._folder = tempfile.TemporaryDirectory()
        students_text = _exercise_text(Path(self.root)).students_text
        for path in sorted(source.glob("[!_]*.py")):
            made = Path(self._folder.name) / path.name
            made.write_text(students_text(path.read_text(encoding="utf-8")), encoding="utf-8")
            build_data["force_include"][str(made)] = f"{TARGET}/{path.name}"
        build_data["force_include"][str(source / "README.md")] = f"{TARGET}/README.md"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the temporary folder."""
        if hasattr(self, "_folder"):
            self._folder.cleanup()


def _exercise_text(root: Path) -> ModuleType:
    """The module that knows the cells of an exercise, without the package, which is not installed yet."""
    spec = importlib.util.spec_from_file_location("exercise_text", root / "pgtlab" / "lab" / "exercise_text.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look it up
    spec.loader.exec_module(module)
    return module
