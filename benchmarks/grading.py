"""How long a class takes to grade: measured here, and by simulation on 1, 8 and 64 processes.

    .venv/bin/python benchmarks/grading.py [STUDENTS]

STUDENTS (4) made-up students answer every exercise: with its solution, a typical wrong answer, or not at all. The
simulation gives the answers of a class of 300 to whichever process is free, with the times measured here for one answer
at a time.
"""

from __future__ import annotations

import heapq
import os
import sys
import tempfile
import time
from pathlib import Path
from random import Random

import nbformat

from pgtlab.lab.exercise import Exercise, learner_notebook, paths, read
from pgtlab.lab.grading.classes import Kept, grade_all
from pgtlab.lab.grading.grade import GradingTask, grade
from pgtlab.lab.grading.sandbox import Sandbox
from pgtlab.lab.judge import prelude
from pgtlab.lab.variants import COURSE, seed_of

CLASS, EXERCISES = 300, 30
START = 1.0  # seconds until a process of the grader takes its first answer


def answer(exercise: Exercise, number: int, seed: str) -> str:
    """Half of them solve it, one in eight hands in what was handed out, the others are wrong in a typical way."""
    if number % 8 == 7:
        return exercise.code("stub")
    wrong = exercise.tagged("wrong")
    code = exercise.code("solution") if number % 2 == 0 else wrong[number // 2 % len(wrong)].source
    return f"{prelude(exercise, seed)}\n{code}"


def submissions(students: int) -> list[GradingTask]:
    """Every exercise of every student."""
    sandbox, tasks = Sandbox.best(), []
    for number in range(students):
        seed = seed_of(COURSE, f"student {number}")
        for at, source in enumerate(paths().values()):
            made = learner_notebook(source, seed)
            [cell] = [cell for cell in made.cells if "stub" in cell.metadata.get("tags", [])]
            cell.source = answer(read(source), number + at, seed)
            tasks.append(GradingTask(str(source), nbformat.writes(made).encode(), seed, sandbox))
    return tasks


def simulated(seconds: list[float], processes: int) -> float:
    """When the last of the answers is done."""
    free = [START] * processes
    for each in seconds:
        heapq.heapreplace(free, free[0] + each)
    return max(free)


def main(students: int) -> None:
    """Measure, simulate, and print."""
    tasks = submissions(students)
    print(f"{len(tasks)} answers of {students} students; sandbox: {tasks[0].sandbox.kind}; {os.cpu_count()} cores")
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        grade_all(tasks, Kept(Path(folder, "kept")), bar=False)
    together = time.perf_counter() - start
    print(f"all cores: {together:.1f} s, {60 * len(tasks) / together:.0f} answers a minute")
    times = []
    for task in tasks:
        start = time.perf_counter()
        grade(task)
        times.append(time.perf_counter() - start)
    times.sort()
    print(f"one at a time: {sum(times):.1f} s; median {times[len(times) // 2]:.2f} s, longest {times[-1]:.2f} s")
    drawn = Random(1).choices(times, k=CLASS * EXERCISES)
    for processes in (1, 8, 64):
        print(
            f"{CLASS} students x {EXERCISES} exercises on {processes}: {simulated(drawn, processes) / 60:.1f} minutes"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4)
