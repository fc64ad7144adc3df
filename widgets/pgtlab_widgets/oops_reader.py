"""The oops reader: a kernel's log, what its lines say, what follows from them, and what went wrong."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import Any, Final

import traitlets

from pgtlab.lab.trees import Tree
from pgtlab.linux.boot import Boot, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.kconfig import Config
from pgtlab.linux.oops import OopsError, read
from pgtlab.linux.oops.inferring.inference import CONFIDENCE
from pgtlab.linux.oops.showing.annotate import AnnotatedLog, annotate
from pgtlab.linux.oops.showing.pictures import log_picture, word_pictures
from pgtlab.linux.placement import Placement
from pgtlab.picture import Picture
from pgtlab_widgets.annotated import because, check_chosen, claim_rows, lit
from pgtlab_widgets.kernel_view import on_the_page
from pgtlab_widgets.openings import Openings
from pgtlab_widgets.synced import ahead
from pgtlab_widgets.turns import in_turn
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

    The other views can open the kernel that printed it, with the address that faulted:

    >>> from pgtlab_widgets import Explorer
    >>> explorer = Explorer()
    >>> explorer.load(reader.share)
    >>> explorer.config, explorer.address
    (Config('4k', va_bits=48, pa_bits=48), '0x0000000000000008')
    """

    _esm = module("oops_reader")
    foresees = ahead("chosen", "kernel", "address")

    #: `claim N`, counted from 0, the diagnoses first; or `line N`, counted from 1; or nothing.
    chosen = traitlets.Unicode()

    def __init__(self, text: str | None = None) -> None:
        self.annotated: AnnotatedLog | None = None
        self._pieces: list[str] = []  # of a long log that is on its way
        self._size = 0
        self._early = False  # whether a report of it is shown
        super().__init__()
        self.read(sample(next(iter(SAMPLES))) if text is None else text)

    @in_turn
    def read(self, text: str) -> None:
        """Show another log. If it has no report of arm64, the view says so."""
        self._pieces = []
        log, error = None, ""
        try:
            log = annotate(read(text))
        except OopsError as reason:
            error = str(reason)
        self._show(log, text, error)

    def _show(self, log: AnnotatedLog | None, text: str, error: str = "") -> None:
        """Show a log; its text stays in the field, to be edited, unless it is long."""
        self.annotated = log
        self._openings = Openings(log.log) if log else None
        self._opened = ""  # what the other views did
        self._typed = text if len(text) <= KEPT else "", error
        self._unfolded: set[int] = set()
        with self.hold_sync():
            self._fold()
            self.set_trait("chosen", "claim 0" if self.annotated and self.annotated.diagnoses[0].lines else "")
            self.draw()

    def _take(self, piece: str, size: int) -> None:
        """Take the next piece of a log of `size` characters. Its first report is shown before all has arrived."""
        self._pieces.append(piece)
        self._size = size
        text = "".join(self._pieces)
        if len(text) >= size:
            self.read(text)
            return
        if not self._early:
            with suppress(OopsError):
                read(piece)  # which is quicker than to read the whole each time
                self._show(annotate(read(text)), text)
                self._early = True
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

    @property
    def share(self) -> str:
        """The kernel that printed the log, and an address in it, for the other views; empty if it hardly says which.

        The address is the one that faulted, until another is chosen.
        """
        return self._openings.share if self._openings else ""

    @in_turn
    def load(self, share: str) -> None:
        """Choose the kernel and the address that a share string says.

        Raises
        ------
        ValueError
            If it is not a share string, or they are not those of this log; then nothing changes.
        """
        if self._openings is None:
            raise ValueError("there is no report to which a share string could belong")
        self._choose(self._openings.parsed(share))

    @in_turn
    def open_in_views(self) -> None:
        """Show the kernel and the address of `share` in all views of a kernel that cells show.

        Raises
        ------
        ValueError
            If the log hardly says which kernel printed it.
        """
        share = self.share
        if not share:
            raise ValueError("the log hardly says which kernel printed it")
        views = on_the_page()
        for view in views:
            view.load(share)
        names = ", ".join(sorted({type(view).__name__ for view in views}))
        self._opened = f"Opened in {names}." if views else "No other view is shown: run Explorer() in a cell."
        self.draw()

    def _choose(self, openings: Openings) -> None:
        self._openings, self._opened = openings, ""
        self.draw()

    def _fold(self) -> None:
        """Update the log and the claims, which stay the same while something in them is chosen."""
        log = self.annotated
        self.base_view = {
            "samples": list(SAMPLES),
            "claims": claim_rows(log),
            "rows": [] if log is None else self._rows(log),
            "legend": list(CONFIDENCE.items()),
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
        text, error = self._typed
        log = self.annotated
        return {
            "log": {"text": text, "error": error},
            "reading": {"got": sum(map(len, self._pieces)), "of": self._size} if self._pieces else None,
            "status": "" if log is None else _summary(log),
            "chosen": self.chosen,
            "lit": self.lit,
            "because": because(log, self.chosen),
            "openings": self._openings and self._openings.drawn(),
            "opened": self._opened,
            "pictures": [picture.spec() for picture in word_pictures(log.log, self.lit)] if log else [],
        }

    def receive(self, message: dict[str, Any]) -> None:
        """Handle a log or a piece of one, a choice in it, a fold to open, or the request to open it in other views."""
        match message:
            case {"piece": piece, "of": size, "first": first}:
                if first:
                    self._pieces, self._early = [], False
                self._take(piece, size)
            case {"cancel": True}:
                self._pieces = []
                self.draw()
            case {"log": text}:
                if text.strip():
                    self.read(text)
            case {"sample": name}:
                self.read(sample(name))
            case {"chosen": chosen}:
                self.chosen = "" if chosen == self.chosen else chosen
            case {"unfold": start}:
                self._unfold(start)
            case {"kernel": number} if self._openings:
                self._choose(self._openings.of_kernel(number))
            case {"address": number} if self._openings:
                self._choose(self._openings.at(number))
            case {"open": True}:
                self.open_in_views()

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
        return str(self.annotated.log) if self.annotated else self._typed[1]


def _summary(log: AnnotatedLog) -> str:
    reports = log.log.reports
    kinds = ", ".join(report.kind for report in reports[:8]) + (", …" if len(reports) > 8 else "")
    left_out = "".join(f" Left out: {sentence}." for sentence in log.log.declined)
    lines = len(log.lines) - (not log.lines[-1])
    return f"{_counted(lines, 'line')}, {_counted(len(reports), 'report')}: {kinds}.{left_out}"


def _counted(count: int, what: str) -> str:
    """A number of things.

    >>> _counted(1, "line"), _counted(159_048, "line")
    ('1 line', '159,048 lines')
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"
