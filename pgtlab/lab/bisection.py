"""Bisection as values: what is known of each commit, what is left, and what git would test next.

`git bisect` does the same in the repository that `pgtlab bisect-repo` writes; here every step can be looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property

from pgtlab.lab.history import ARM64, STAGE1_LPA2, Revision, revisions
from pgtlab.lab.trees import Tree
from pgtlab.linux.boot import Boot


class Bad(Enum):
    """What a bisection may be asked for: the three of the thread."""

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
    """A bisection so far: `tested` says of each commit that was tested whether it is bad.

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
        """`git bisect start next-20240229 base`: the ends are taken at their word, as git takes them."""
        all_of_them = revisions()
        return cls(boot, bad, all_of_them, {all_of_them[0].number: False, all_of_them[-1].number: True})

    def test(self, revision: Revision) -> Bisection:
        """Test a commit, whether or not it is one that is left."""
        return replace(self, tested={**self.tested, revision.number: self.bad.of(revision.tree, self.boot)})

    @cached_property
    def left(self) -> tuple[Revision, ...]:
        """The commits of which one is the first bad one, so far as the tests tell: in all that is bad, in nothing good.

        Where tests contradict each other there are none: a good commit has a bad one in it.
        """
        of = self._ancestors
        bad = [number for number, is_bad in self.tested.items() if is_bad]
        good = {ancestor for number, is_bad in self.tested.items() if not is_bad for ancestor in of[number]}
        # As in git, the latest word on what is bad counts: the one of which all others are children.
        newest = min(bad, key=lambda number: len(of[number] - good))
        return tuple(revision for revision in self.revisions if revision.number in of[newest] - good)

    @property
    def first_bad(self) -> Revision | None:
        """The first bad commit, once one alone is left."""
        return self.left[0] if len(self.left) == 1 else None

    @property
    def verdict(self) -> str:
        """What the tests have come to, in a sentence."""
        if len(self.left) > 1:
            return f"{len(self.left)} commits are left."
        if self.first_bad is None:
            return "A good commit has a bad one in it: these tests say nothing."
        told = f"The first bad commit: {self.first_bad.subject}."
        if self.first_bad == self.revisions[-1]:
            told += " (Nobody tested it: that the end is bad was taken for granted.)"
        return told

    @property
    def next(self) -> Revision | None:
        """What git would test next: the commit that leaves the fewest in the worse case; None when it is found.

        A commit splits those that are left into its own ancestors, itself among them, and the rest
        (`Documentation/git-rev-list.txt`, `--bisect`). Of several that split alike git takes one, and so does this.
        """
        if len(self.left) < 2:
            return None
        numbers = {revision.number for revision in self.left}

        def kept(revision: Revision) -> int:
            below = len(self._ancestors[revision.number] & numbers)
            return min(below, len(numbers) - below)

        return max((revision for revision in self.left if revision.number not in self.tested), key=kept)

    @cached_property
    def _ancestors(self) -> dict[int, set[int]]:
        """For each commit, all that is in it, itself too."""
        found: dict[int, set[int]] = {}
        for revision in self.revisions:
            found[revision.number] = {revision.number}.union(*(found[parent] for parent in revision.parents))
        return found


def _arm64() -> Revision:
    """The last commit of the arm64 branch."""
    return [revision for revision in revisions() if revision.branch in (STAGE1_LPA2, ARM64)][-1]
