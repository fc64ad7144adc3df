"""Bisection as values, beside git's own."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtlab import CPU, Config, boot
from pgtlab.lab.bisection import Bad, Bisection
from pgtlab.lab.history import revisions, write_repo

KERNEL = boot(Config("4k", 48), CPU.named("max"))
ALL = revisions()


@pytest.mark.parametrize(
    ("bad", "subject"),
    [
        (Bad.PANICS, "Merge branch 'for-next/core'"),
        (Bad.REPORTS, "arm64: mm: Add support for folding PUDs at runtime"),
        (Bad.PANICS_WITH_ARM64, "mm: add __dump_folio()"),
    ],
)
def test_each_bisection_finds_the_commit_of_the_thread(bad, subject):
    assert Bisection.start(KERNEL, bad).to_the_end().first_bad.subject == subject


@pytest.fixture(scope="module")
def repo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("history") / "repo"
    write_repo(folder)

    def git(*args):
        return subprocess.run(["git", "-C", folder, *args], check=True, capture_output=True, text=True).stdout

    git.subject = {
        line.split(" ", 1)[0]: line.split(" ", 1)[1] for line in git("log", "--all", "--format=%H %s").splitlines()
    }
    return git


def test_history_matches_the_repository(repo):
    assert sorted(repo.subject.values()) == sorted(revision.subject for revision in ALL)
    by_subject = {subject: number for number, subject in repo.subject.items()}
    for revision in ALL:
        parents = repo("log", "-1", "--format=%P", by_subject[revision.subject]).split()
        assert [repo.subject[p] for p in parents] == [ALL[p - 1].subject for p in revision.parents]


@given(good=st.sets(st.sampled_from([r.number for r in ALL[1:-1]]), max_size=4))
def test_left_and_next_match_git(repo, good):
    bisection = Bisection(KERNEL, Bad.PANICS, ALL, {1: False, ALL[-1].number: True} | dict.fromkeys(good, False))
    ids = {subject: sha for sha, subject in repo.subject.items()}
    goods = [f"^{ids[ALL[number - 1].subject]}" for number in (1, *good)]
    left = repo("rev-list", ids[ALL[-1].subject], *goods).split()
    assert {repo.subject[sha] for sha in left} == {revision.subject for revision in bisection.left}
    if len(left) < 2:
        assert bisection.next is None
        return
    values = dict(
        line.split("=") for line in repo("rev-list", "--bisect-vars", ids[ALL[-1].subject], *goods).splitlines()
    )
    numbers = {revision.number for revision in bisection.left}
    below = len(bisection._ancestors[bisection.next.number] & numbers)
    worse = max(below, len(numbers) - below) - 1
    assert worse == max(int(values["bisect_good"]), int(values["bisect_bad"]))


def test_contradicting_tests():
    bisection = Bisection(KERNEL, Bad.PANICS, ALL, {1: False, ALL[-1].number: True, ALL[-1].number - 1: False})
    assert [revision.number for revision in bisection.left] == [ALL[-1].number]
    assert bisection.next is None
