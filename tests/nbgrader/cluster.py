"""Grading on a Dask cluster of real processes that loses one: no answer is lost, and none is marked twice."""

import threading
import time

import psutil
from distributed import LocalCluster
from grading.a_class import HALF, RIGHT, WRONG, exercises, notebook

from pgtlab.lab.grading.classes import Kept, grade_all
from pgtlab.lab.grading.grade import GradingTask
from pgtlab.lab.grading.sandbox import Sandbox

STATES = {RIGHT: "solved", HALF: "partly", WRONG: "wrong"}


class Once(Kept):
    """Results, and how often each came."""

    def __init__(self):
        super().__init__(None)
        self.came = []

    def add(self, key, mark):
        self.came.append(key)
        super().add(key, mark)


def test_a_worker_is_lost(tmp_path):
    text = str(exercises(tmp_path) / "01_free.py")
    answers = [answer + f"\n# {n}" for n in range(10) for answer in STATES]
    tasks = [GradingTask(text, notebook(answer), "s", Sandbox.best()) for answer in answers]
    kept = Once()
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        lost = next(iter(cluster.workers.values())).pid

        def lose() -> None:
            while len(kept.came) < 5:
                time.sleep(0.05)
            psutil.Process(lost).kill()

        threading.Thread(target=lose, daemon=True).start()
        marks = grade_all(tasks, kept, dask=cluster.scheduler_address, bar=False)
        assert not psutil.pid_exists(lost) or psutil.Process(lost).status() == psutil.STATUS_ZOMBIE
    assert sorted(kept.came) == sorted(task.key for task in tasks)
    expected = [STATES[answer.partition("\n# ")[0]] for answer in answers]
    assert [marks[task.key].state for task in tasks] == expected
