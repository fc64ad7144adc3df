"""Questions of chapter 11: commits, merges, bisection, what "bad" means, and the two fixes."""

from functools import cache
from random import Random

from pgtlab.lab.bisection import Bad, Bisection
from pgtlab.lab.question import Choice, Number, Question, Wrong, multiple_choice, recall
from pgtlab.lab.trees import ADD_DUMP_FOLIO, FOLD_PUDS_AT_RUNTIME, Tree
from pgtlab.linux.boot import running
from pgtlab.linux.kconfig import Config

BOOT = running(Config("4k", 48))


@cache
def culprit(bad: Bad) -> str:
    """The subject of the first bad commit."""
    bisection = Bisection.start(BOOT, bad)
    while bisection.next:
        bisection = bisection.test(bisection.next)
    assert bisection.first_bad
    return bisection.first_bad.subject


@cache
def outcome(tree: str) -> str:
    """The outcome of a tree: clean, report or panic."""
    return Tree.named(tree).start_kernel(BOOT).run().outcome


@cache
def log_of(tree: str) -> tuple[str, ...]:
    """The messages of a tree's run, without their times."""
    return tuple(line.split("] ", 1)[1] for line in Tree.named(tree).start_kernel(BOOT).run().dmesg)


@recall
def tests_needed(draw: Random) -> Question:
    commits = draw.randrange(9, 400)
    tests = (commits - 1).bit_length()
    return Question(
        text=f"One of {commits} commits in a row made the kernel bad. You test a commit, and each test tells you whether it is good or bad. How many tests "
        "are enough, if you always test the middle of what is left?",
        answer=Number(tests),
        wrong=(
            Wrong(
                commits - 1,
                "bisection-tries-all",
                "That is one after the other. A test in the middle rules out half of them at once.",
            ),
            Wrong(commits // 2, "bisection-halves-once", "You halved once. Halve again, until one is left."),
            Wrong(
                commits.bit_length() - 1,
                "bisection-rounds-down",
                f"So many tests tell {1 << (commits.bit_length() - 1)} commits apart. There are {commits}.",
            ),
        ),
        truth=f"2**{tests} = {1 << tests} is at least {commits}: **{tests}**.",
    )


@recall
def by_hand(draw: Random) -> Question:
    count = draw.randrange(9, 14)
    first = draw.randrange(3, count)
    tested = sorted({0, count, first - 1, first, *draw.sample(range(1, count), 3)})
    shown = ", ".join(f"{number} {'bad' if number >= first else 'good'}" for number in tested)
    return Question(
        text=f"Commits 0 to {count}, one after the other. These were tested: {shown}. Which is the first bad one?",
        answer=Number(first),
        wrong=(
            Wrong(first - 1, "the-last-good-is-bad", "That one is good. The first bad one comes after it."),
            Wrong(count, "the-newest-is-bad", "The newest is bad, as everything after the first bad one is."),
            *(
                Wrong(number, "the-newest-is-bad", f"That one is bad, but so is {first}, which is older.")
                for number in tested
                if first < number < count
            ),
        ),
        truth=f"**{first}**: it is bad, and the one before it is good.",
    )


def what_bad_finds(draw: Random) -> Question:
    right = culprit(Bad.PANICS)
    others = (FOLD_PUDS_AT_RUNTIME.subject, ADD_DUMP_FOLIO.subject)
    return Question(
        text="You bisect the real history with the question *does it panic?* The panic needs both changes: the new `pud_free()`, which came on the arm64 "
        "branch, and the copy on the stack, which came on the mm branch. Which commit will be the first bad one?",
        answer=Choice(right, others),
        reasons=Choice(
            "it is the first kernel that has both",
            ("it is the one that has the mistake", "bisection finds the larger change"),
        ),
        wrong=(
            *(
                Wrong(
                    subject,
                    "first-bad-is-cause",
                    "On its own branch that commit is good: the other half of the trouble is not there. The first kernel that panics is the first that has *both*, "
                    "and no developer wrote a line in it.",
                )
                for subject in others
            ),
            Wrong(
                "it is the one that has the mistake",
                "first-bad-is-cause",
                "Two commits have a mistake each, and each of them runs without a panic on its own branch. Where do they meet?",
            ),
            Wrong(
                "bisection finds the larger change",
                "first-bad-is-cause",
                "Bisection does not look at what a commit changes. It asks of each kernel that it tries: does it panic?",
            ),
        ),
        truth=f"**{right}**: a merge, which changes no line by itself. The bisection is right: it answers what it was asked.",
    )


def what_reports_finds(draw: Random) -> Question:
    right = culprit(Bad.REPORTS)
    return multiple_choice(
        text="Now the question is *does it report anything wrong?* Which commit is the first bad one?",
        right=right,
        wrong={
            culprit(Bad.PANICS): (
                "first-bad-is-cause: That was the answer to another question. Does the arm64 branch report anything "
                "by itself?"
            ),
            ADD_DUMP_FOLIO.subject: (
                "clean-branch-is-innocent: That branch has nothing to report: nothing calls the function that it "
                "changed."
            ),
        },
        truth=f"**{right}**. In a kernel with the same checks the report was there on that branch all the time. The kernel went on, and those who tried it were looking for a panic.",
    )


def is_mm_innocent(draw: Random) -> Question:
    clean = outcome("mm-unstable")
    assert clean == "clean"
    right = "no: without it there would have been no panic"
    return multiple_choice(
        text="The mm branch by itself ran clean: no report, no panic, in any configuration. Is it innocent of the panic?",
        right=right,
        wrong={
            "yes: a clean run shows that nothing is wrong with it": (
                "clean-branch-is-innocent: A clean run shows that nothing wrong was *met*. On that branch no page is "
                "ever bad, so `dump_page()` is never called, and its mistake is never reached."
            ),
            "yes: the bad page came from arm64, and so did the panic": (
                "last-message-is-cause: The bad page did. The panic did not: look at what arm64's branch alone does "
                "with the same bad page."
            ),
        },
        truth=f"arm64 alone: **{outcome('arm64-for-next')}**. mm alone: **{clean}**. Both: **{outcome('next-20240229')}**.",
    )


def first_fix_only(draw: Random) -> Question:
    right = outcome("next+fix-pud-free")
    return Question(
        text="Only `pud_free()` is fixed; the copy on the stack stays as it is. What does the run of the test give?",
        answer=Choice(right, tuple(sorted({"clean", "report", "panic"} - {right}))),
        wrong=(
            Wrong(
                "report",
                "both-fixes-are-needed-for-each",
                "A report of what? With the destructor called, no page is bad.",
            ),
            Wrong(
                "panic",
                "both-fixes-are-needed-for-each",
                "The panic happened inside the report of a bad page. There is no bad page.",
            ),
        ),
        truth=f"**{right}**.",
    )


def second_fix_only(draw: Random) -> Question:
    right = outcome("next+fix-dump-page")
    return Question(
        text="The other way round: `__dump_folio()` uses the right pfn, and `pud_free()` is still wrong. What does the run give?",
        answer=Choice(right, tuple(sorted({"clean", "report", "panic"} - {right}))),
        wrong=(
            Wrong(
                "clean",
                "the-report-is-the-bug",
                "The report works now. What it reports is still so: the page is freed as a page table.",
            ),
            Wrong(
                "panic", "both-fixes-are-needed-for-each", "The report can be printed to its end now. What could panic?"
            ),
        ),
        truth=f"**{right}**: the bad page, with all of its lines, and the kernel goes on.",
    )


def lines_that_go(draw: Random) -> Question:
    before, after = log_of("next-20240229"), log_of("next+fix-dump-page")
    right = "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000008"
    kept = [line for line in before if line in after][1:4]
    assert right in before
    assert right not in after
    return Question(
        text="With the second fix only: which of these lines is *not* in the log any more?",
        answer=Choice(right, tuple(kept)),
        wrong=tuple(
            Wrong(line, "the-report-is-the-bug", "That line belongs to the bad page, which is still there.")
            for line in kept
        ),
        truth=f"Everything from line 5 on that is about the fault goes, and {len(set(after) - set(before))} lines come that the panic had cut off.",
    )


def is_it_fixed(draw: Random) -> Question:
    right = "no: the next bad page panics again"
    return multiple_choice(
        text="With the first fix only, the kernel runs clean in every configuration. A colleague says: *no report, so it is fixed; leave dump_page alone*. Is it "
        "fixed?",
        right=right,
        wrong={
            "yes: a clean run in every configuration is proof": (
                "no-report-is-fixed: It is proof that the test does not reach the mistake any more. The next cell "
                "gives that kernel a page that is bad for another reason."
            ),
            "yes: dump_page() is only for debugging": (
                "no-report-is-fixed: It runs in every kernel whenever a page is found to be bad. It turned a warning "
                "into a dead machine."
            ),
        },
        truth="**No.** Two mistakes, two fixes; each is needed.",
    )
