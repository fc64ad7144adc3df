"""Grading a class: all cores, or a cluster, and every result kept at once, so that a run goes on where one ended."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from pgtlab.extras import needed_by
from pgtlab.lab.grading.grade import GradingTask, Mark, from_dict, grade
from pgtlab.progress_bar import tqdm

TRIES = 3  # of an answer with which a process of the grader itself died


class Kept:
    """The results so far, in a file with a line for each. A line that is cut off does not count.

    Parameters
    ----------
    path : Path or None
        The file; None keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.marks: dict[str, Mark] = {}
        if path is not None and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    entry = json.loads(line)
                    self.marks[entry["key"]] = from_dict(entry["mark"])
                except (ValueError, KeyError, TypeError):
                    continue

    def add(self, key: str, mark: Mark) -> None:
        """Write a result down."""
        self.marks[key] = mark
        if self._path is not None:
            line = json.dumps({"key": key, "mark": mark.as_dict()}) + "\n"
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line)
                file.flush()


def grade_all(
    tasks: Iterable[GradingTask], kept: Kept, jobs: int = 0, dask: str = "", bar: bool = True
) -> dict[str, Mark]:
    """Judge answers in parallel; those that are known already, or are there twice, once.

    Parameters
    ----------
    tasks : iterable of GradingTask
        The answers.
    kept : Kept
        Where results are kept.
    jobs : int
        Processes; 0 for one for each core.
    dask : str
        The address of a Dask scheduler, instead of processes here.
    bar : bool
        Whether to show the progress.

    Returns
    -------
    dict
        The mark for each task's key.
    """
    wanted = {task.key: task for task in tasks}
    todo = {key: task for key, task in wanted.items() if key not in kept.marks}
    with tqdm(total=len(wanted), initial=len(wanted) - len(todo), unit=" answers", disable=not bar or None) as progress:
        died: Counter[str] = Counter()
        while todo:
            with _executor(jobs, dask) as executor:
                for key, mark in _results(executor, todo, died):
                    kept.add(key, mark)
                    del todo[key]
                    progress.update()
            for key in [key for key in todo if died[key] >= TRIES]:
                kept.add(key, _not_graded(todo.pop(key)))
                progress.update()
    return {key: kept.marks[key] for key in wanted}


def _results(executor: Executor, todo: dict[str, GradingTask], died: Counter[str]) -> Iterator[tuple[str, Mark]]:
    """Results as they come; a broken pool ends them early, and counts against the answers that were not done."""
    alone = any(died.values())  # then one after another, so that only the guilty one is counted
    waiting = list(todo.items())
    batches = [[each] for each in waiting] if alone else [waiting]
    for batch in batches:
        try:
            futures = {executor.submit(grade, task): key for key, task in batch}
            for future in as_completed(futures):
                key = futures[future]
                try:
                    yield key, future.result()
                except BrokenExecutor:
                    raise
                except Exception as error:  # a mistake of the grader's must not stop the others
                    died[key] += TRIES
                    errors[key] = f"{type(error).__name__}: {error}"
        except BrokenExecutor:
            died.update({key: 1 for key, _ in batch if key in todo})
            return


errors: dict[str, str] = {}


def _begin(folder: str) -> None:
    """Begin a process of the grader, with the folder of its answers where one that dies leaves nothing behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process hears Ctrl-C, and ends the others
    tempfile.tempdir = folder


def _not_graded(task: GradingTask) -> Mark:
    why = errors.get(task.key, "the process of the grader died with it")
    return Mark(0, 0, "not graded", "", note=f"The grader could not judge this answer ({why}): look at it by hand.")


@contextmanager
def _executor(jobs: int, dask: str) -> Iterator[Executor]:
    if dask:
        with needed_by("`--dask`"):
            from distributed import Client
        with Client(dask, set_as_default=False) as client:
            yield client.get_executor(retries=TRIES, pure=False)
        return
    spawn = multiprocessing.get_context("spawn")  # without what this process has loaded and opened
    with (
        tempfile.TemporaryDirectory(prefix="pgtlab-answers-", ignore_cleanup_errors=True) as folder,
        ProcessPoolExecutor(jobs or os.cpu_count() or 1, spawn, _begin, (folder,)) as pool,
    ):
        os.chmod(folder, 0o711)  # also for answers that run as another user
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
