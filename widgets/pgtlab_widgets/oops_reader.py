"""The oops reader: a kernel's log, what its lines say, what follows from them, and what went wrong."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import traitlets

from pgtlab.lab.trees import Tree
from pgtlab.linux.boot import Boot, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.oops import OopsError, read
from pgtlab.linux.oops.showing.annotate import AnnotatedLog, annotate
from pgtlab.linux.oops.showing.pictures import log_picture, word_pictures
from pgtlab.linux.placement import Placement
from pgtlab.picture import Picture
from pgtlab_widgets.annotated import because, check_chosen, claim_rows, lit
from pgtlab_widgets.synced import ahead
from pgtlab_widgets.view import View, module

UNFOLDED = 100  # lines that a click on a fold shows
LONGEST = 400  # characters of a line on the page
KEPT = 1 << 16  # characters of a text without a report that stay in the field

#: Logs that the model writes: the tree, and where things are in memory in that boot.
SAMPLES: Final = {
    "The story's log": ("next-20240229", Placement(0xFFFF_F761_8000_0000, 0xFFFF_8000_8007_B950, 0x18A65D)),
    "A bad page, and no panic": ("arm64-for-next", Placement()),
}


@lru_cache
def sample(name: str) -> str:
    """A log of the model, by its name in `SAMPLES`."""
    tree, placement = SAMPLES[name]
    running = boot(Config("4k", 48), CPU.named("max"))
    assert isinstance(running, Boot)
    return "\n".join(Tree.named(tree).start_kernel(running, placement=placement).run().dmesg)


class OopsReader(View):
    """A kernel's log, line by line, with a diagnosis.

    Parameters
    ----------
    text : str
        The log, as printed by `dmesg` or a console, or quoted in a mail; by default one that the model writes.

    Examples
    --------
    >>> reader = OopsReader()
    >>> reader.annotated.diagnoses[1].text[:40]
    'a struct page on the stack was used as i'
    >>> reader.receive({"chosen": "claim 2"})
    >>> len(reader.lit) > 2
    True
    """

    _esm = module("oops_reader")
    foresees = ahead("chosen")

    #: `claim N`, counted from 0, the diagnoses first; or `line N`, counted from 1; or nothing.
    chosen = traitlets.Unicode()

    def __init__(self, text: str | None = None) -> None:
        self.annotated: AnnotatedLog | None = None
        super().__init__()
        self.read(sample(next(iter(SAMPLES))) if text is None else text)

    def read(self, text: str) -> None:
        """Show another log. If it has no report of arm64, the view says so."""
        self._wrong = ("", "")
        self.annotated = None
        self._unfolded: set[int] = set()
        try:
            self.annotated = annotate(read(text))
        except OopsError as error:
            self._wrong = text if len(text) <= KEPT else "", str(error)
        with self.hold_sync():
            self._fold()
            self.set_trait("chosen", "claim 0" if self.annotated and self.annotated.diagnoses[0].lines else "")
            self.draw()

    @property
    def lit(self) -> tuple[int, ...]:
        """The lines that the chosen claim rests on, or the chosen line."""
        return lit(self.annotated, self.chosen)

    @traitlets.validate("chosen")
    def _there(self, proposal: dict[str, Any]) -> str:
        check_chosen(self.annotated, str(proposal["value"]))
        return str(proposal["value"])

    @traitlets.observe("chosen")
    def _look(self, change: object) -> None:
        self.draw()

    def _fold(self) -> None:
        """Update the log and the claims, which stay the same while something in them is chosen."""
        log = self.annotated
        self.base_view = {
            "samples": list(SAMPLES),
            "claims": claim_rows(log),
            "rows": [] if log is None else self._rows(log),
        }

    def _rows(self, log: AnnotatedLog) -> list[dict[str, Any]]:
        """The lines to show, and between them how many are folded."""
        rows: list[dict[str, Any]] = []
        last = len(log.lines) - (not log.lines[-1])
        before = 0
        for number in (*sorted({*log.shown, *self._unfolded}), last + 1):
            if number > before + 1:
                rows.append({"from": before + 1, "text": f"{number - before - 1} more lines"})
            if number <= last:
                text = log.lines[number - 1]
                shown = text if len(text) <= LONGEST else text[:LONGEST] + " …"
                rows.append({"number": number, "text": shown, "remarks": log.remarks.get(number, ())})
            before = number
        return rows

    def drawn(self) -> dict[str, Any]:
        """All that the browser draws besides `base_view`."""
        text, error = self._wrong
        log = self.annotated
        return {
            "log": {"text": text, "error": error},
            "status": "" if log is None else _summary(log),
            "chosen": self.chosen,
            "lit": self.lit,
            "because": because(log, self.chosen),
            "pictures": [picture.spec() for picture in word_pictures(log.log, self.lit)] if log else [],
        }

    def receive(self, message: dict[str, Any]) -> None:
        """Handle a log, a sample, a claim or a line to choose, or a fold to open."""
        match message:
            case {"log": text}:
                if text.strip():
                    self.read(text)
            case {"sample": name}:
                self.read(sample(name))
            case {"chosen": chosen}:
                self.chosen = "" if chosen == self.chosen else chosen
            case {"unfold": start}:
                self._unfold(start)

    def _unfold(self, start: int) -> None:
        log = self.annotated
        if log is None:
            return
        shown = {*log.shown, *self._unfolded}
        end = min((number for number in shown if number > start), default=len(log.lines) + (log.lines[-1] != ""))
        self._unfolded.update(range(start, min(end, start + UNFOLDED)))
        self._fold()

    def picture(self) -> Picture | None:
        """The log with the lit lines marked; None if there is no report in it."""
        return log_picture(self.annotated, self.lit or None) if self.annotated else None

    def text(self) -> str:
        """What `pgtlab oops` prints."""
        return str(self.annotated.log) if self.annotated else self._wrong[1]


def _summary(log: AnnotatedLog) -> str:
    reports = log.log.reports
    kinds = ", ".join(report.kind for report in reports[:8]) + (", …" if len(reports) > 8 else "")
    left_out = "".join(f" Left out: {sentence}." for sentence in log.log.declined)
    lines = len(log.lines) - (not log.lines[-1])
    return f"{lines} lines, {len(reports)} report{'s' if len(reports) > 1 else ''}: {kinds}.{left_out}"
