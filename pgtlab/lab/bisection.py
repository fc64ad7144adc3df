"""A bisection as values: what is known of each commit, which commits remain, and which one git would test next.

`git bisect` does the same in the repository that `pgtlab bisect-repo` writes; here each step can be inspected.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property

from pgtlab.lab.history import ARM64, STAGE1_LPA2, Revision, revisions
from pgtlab.lab.trees import Tree
from pgtlab.linux.boot import Boot


class Bad(Enum):
    """What counts as bad: the three choices of the thread."""

    PANICS = "it panics"
    REPORTS = "it reports anything"
    PANICS_WITH_ARM64 = "it panics once the arm64 branch is merged"

    def of(self, tree: Tree, boot: Boot) -> bool:
        """Boot a tree, run debug_vm_pgtable, and say whether that is bad."""
        if self is Bad.PANICS_WITH_ARM64:
            arm64 = _arm64().tree.commits
            tree = replace(tree, commits=(*arm64, *(commit for commit in tree.commits if commit not in arm64)))
        outcome = tree.start_kernel(boot).run().outcome
        return outcome == "panic" or (self is Bad.REPORTS and outcome == "report")


@dataclass(frozen=True)
class Bisection:
    """The state of a bisection: `tested` says whether each tested commit is bad.

    >>> from pgtlab import CPU, Config, boot
    >>> bisection = Bisection.start(boot(Config("4k", 48), CPU.named("max")), Bad.REPORTS)
    >>> while bisection.next:
    ...     bisection = bisection.test(bisection.next)
    >>> bisection.first_bad.subject, len(bisection.tested) - 2
    ('arm64: mm: Add support for folding PUDs at runtime', 5)
    """

    boot: Boot
    bad: Bad
    revisions: tuple[Revision, ...] = field(repr=False)
    tested: Mapping[int, bool]

    @classmethod
    def start(cls, boot: Boot, bad: Bad) -> Bisection:
        """`git bisect start next-20240229 base`: the two ends are not tested, as in git."""
        commits = revisions()
        return cls(boot, bad, commits, {commits[0].number: False, commits[-1].number: True})

    def test(self, revision: Revision) -> Bisection:
        """Test a commit, whether or not it can still be the first bad one."""
        return replace(self, tested={**self.tested, revision.number: self.bad.of(revision.tree, self.boot)})

    def to_the_end(self) -> Bisection:
        """Test what git would test, until the first bad commit is found."""
        return self.test(self.next).to_the_end() if self.next else self

    @cached_property
    def left(self) -> tuple[Revision, ...]:
        """The commits that can be the first bad one: ancestors of every bad commit and of no good one.

        There are none where tests contradict each other: a good commit contains a bad one.
        """
        ancestors = self._ancestors
        bad = [number for number, is_bad in self.tested.items() if is_bad]
        good = {ancestor for number, is_bad in self.tested.items() if not is_bad for ancestor in ancestors[number]}
        # As in git, only the bad commit with the fewest possible ancestors counts.
        newest = min(bad, key=lambda number: len(ancestors[number] - good))
        return tuple(revision for revision in self.revisions if revision.number in ancestors[newest] - good)

    @property
    def first_bad(self) -> Revision | None:
        """The first bad commit, once only one remains."""
        return self.left[0] if len(self.left) == 1 else None

    @property
    def verdict(self) -> str:
        """The result of the tests so far, in a sentence."""
        if len(self.left) > 1:
            return f"{len(self.left)} commits are left."
        if self.first_bad is None:
            return "A good commit contains a bad one: these tests contradict each other."
        verdict = f"The first bad commit: {self.first_bad.subject}."
        if self.first_bad == self.revisions[-1]:
            verdict += " (It was not tested: a bisection assumes that the end is bad.)"
        return verdict

    @cached_property
    def takes(self) -> tuple[str, ...]:
        """The changes that the first bad commit is bad for: without any one of them it is good.

        There are none while it is not found, and where it is the end, which is not bad in this kernel.
        """
        if self.first_bad is None or not self.bad.of(self.first_bad.tree, self.boot):
            return ()
        changes = self.first_bad.tree.commits
        without = {change.name: tuple(other for other in changes if other is not change) for change in changes}
        tree = self.first_bad.tree
        return tuple(n for n, rest in without.items() if not self.bad.of(replace(tree, commits=rest), self.boot))

    @property
    def next(self) -> Revision | None:
        """The commit that git would test next: it leaves the fewest commits in the worse case. None once it is found.

        A commit splits those that remain into its ancestors, including itself, and the others
        (`Documentation/git-rev-list.txt`, `--bisect`). Several may split equally well; this chooses one, as git does.
        """
        if len(self.left) < 2:
            return None
        numbers = {revision.number for revision in self.left}

        def fewest_left(revision: Revision) -> int:
            below = len(self._ancestors[revision.number] & numbers)
            return min(below, len(numbers) - below)

        return max((revision for revision in self.left if revision.number not in self.tested), key=fewest_left)

    @cached_property
    def _ancestors(self) -> dict[int, set[int]]:
        """The numbers of each commit's ancestors, including its own."""
        ancestors: dict[int, set[int]] = {}
        for revision in self.revisions:
            ancestors[revision.number] = {revision.number}.union(*(ancestors[number] for number in revision.parents))
        return ancestors


def why_they_differ(found: Iterable[Bisection]) -> str:
    """Why bisections with several meanings of "bad" end at different commits; empty if they do not.

    >>> from pgtlab import CPU, Config, boot
    >>> kernel = boot(Config("4k", 48), CPU.named("max"))
    >>> why_they_differ(Bisection.start(kernel, bad).to_the_end() for bad in (Bad.PANICS, Bad.REPORTS))[47:]
    '"it panics" takes fold-puds and dump-folio; "it reports anything" takes only fold-puds.'
    """
    ended = [bisection for bisection in found if bisection.first_bad]
    if len({bisection.left[0].number for bisection in ended}) < 2:
        return ""
    every = max((bisection.takes for bisection in ended), key=len)
    return f"They differ because each takes something else. {'; '.join(_takes(each, every) for each in ended)}."


def _takes(bisection: Bisection, every: tuple[str, ...]) -> str:
    if not bisection.takes:
        return f'"{bisection.bad.value}" does not happen in this kernel, and the end was not tested'
    only = "" if bisection.takes == every else "only "
    return f'"{bisection.bad.value}" takes {only}{" and ".join(bisection.takes)}'


def _arm64() -> Revision:
    """The last commit of the arm64 branch."""
    return [revision for revision in revisions() if revision.branch in (STAGE1_LPA2, ARM64)][-1]
