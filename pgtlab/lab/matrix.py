"""The outcome of a tree in every configuration on every CPU."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pgtlab.lab.matrix_picture import matrix_picture
from pgtlab.lab.trees import Tree
from pgtlab.linux.boot import Boot, NoBoot, boot
from pgtlab.linux.cpu import CPU, RECORDED
from pgtlab.linux.fold_picture import cell_key
from pgtlab.linux.kconfig import Config, configurations
from pgtlab.linux.kernel.report import Run
from pgtlab.linux.kernel.symbols import Symbol
from pgtlab.picture import Picture


@dataclass(frozen=True, repr=False)
class Matrix(Mapping[tuple[Config, CPU], Run]):
    """The `Run` of a tree for each configuration and CPU. It shows itself as a table of the outcomes.

    >>> runs = matrix("arm64-for-next")
    >>> runs
    Matrix('arm64-for-next': 67 clean, 21 report, 16 no boot)
    >>> runs[Config("16k", 52), CPU.named("max")].outcome
    'report'
    """

    tree: str
    runs: Mapping[tuple[Config, CPU], Run]

    def __getitem__(self, place: tuple[Config, CPU]) -> Run:
        return self.runs[place]

    def __iter__(self) -> Iterator[tuple[Config, CPU]]:
        return iter(self.runs)

    def __len__(self) -> int:
        return len(self.runs)

    @property
    def picture(self) -> Picture:
        """A row for each configuration, a column for each CPU."""
        outcomes = {cell_key(boot(*place)): run.outcome for place, run in self.items()}
        return matrix_picture([boot(*place) for place in self], outcomes, self.tree)

    def as_dict(self) -> dict[str, object]:
        """The outcomes as plain data; `pgtlab matrix --json` prints `runs` under the name of the tree."""
        runs = [{**config.as_dict(), "cpu": cpu.name, "outcome": run.outcome} for (config, cpu), run in self.items()]
        return {"tree": self.tree, "runs": runs}

    def __str__(self) -> str:
        """The outcomes as a table."""
        widths = {cpu: max(len(cpu.name), len("no boot")) for _, cpu in self}
        lines = [" " * 17 + "  ".join(f"{cpu.name:>{width}}" for cpu, width in widths.items())]
        for config in dict.fromkeys(config for config, _ in self):
            outcomes = "  ".join(f"{self[config, cpu].outcome:>{width}}" for cpu, width in widths.items())
            lines.append(f"{config.granule!s:>3} VA {config.va_bits} PA {config.pa_bits}  {outcomes}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        counts = Counter(run.outcome for run in self.values())
        return f"Matrix({self.tree!r}: {', '.join(f'{count} {outcome}' for outcome, count in counts.items())})"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return self.picture.mimebundle(str(self))


def boots() -> Iterator[Boot | NoBoot]:
    """Every legal configuration on every preset CPU.

    >>> len(list(boots()))
    104
    """
    return (boot(config, cpu) for config in configurations() for cpu in RECORDED)


def matrix(tree: Tree | str, **livepatch: Symbol) -> Matrix:
    """Run a tree in every configuration on every CPU, with `livepatch` applied.

    Examples
    --------
    >>> runs = matrix("fixed")
    >>> sorted({run.outcome for run in runs.values()})
    ['clean', 'no boot']
    """
    tree = Tree.named(tree) if isinstance(tree, str) else tree
    return Matrix(tree.name, {(b.config, b.cpu): _run(tree, b, livepatch) for b in boots()})


def _run(tree: Tree, booted: Boot | NoBoot, livepatch: dict[str, Symbol]) -> Run:
    if isinstance(booted, NoBoot):
        return Run("no boot")
    kernel = tree.start_kernel(booted)
    kernel.livepatch(**livepatch)
    return kernel.run()
