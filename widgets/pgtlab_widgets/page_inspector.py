"""The page inspector: the 64 bytes of a `struct page` while kernel functions change it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Self

from pgtlab.lab.blanks import page_blanks
from pgtlab.lab.fill_in import Blank
from pgtlab.lab.trees import Tree
from pgtlab.linux.boot import Boot, NoBoot
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.page import Page
from pgtlab.linux.kernel.printk import Panic
from pgtlab.linux.page_picture import page_picture
from pgtlab.picture import Picture
from pgtlab_widgets.kernel_view import KernelView
from pgtlab_widgets.quiz import Quiz
from pgtlab_widgets.synced import ahead
from pgtlab_widgets.turns import in_turn
from pgtlab_widgets.view import module

START_OVER = "start over"
ALLOC, CTOR, DTOR = "alloc_pages(0)", "pagetable_pud_ctor(page)", "pagetable_pud_dtor(page)"
FREE, DUMP = "__free_pages(page, 0)", "dump_page(page, NULL)"
#: The actions, as the kernel writes them: each calls that kernel function.
ACTIONS = (ALLOC, CTOR, DTOR, FREE, DUMP)
_MAPCOUNT = re.compile(r"\bmapcount:(-?\d+)")


class PageInspector(Quiz, KernelView):
    """One page of a kernel, and what each action does to its `struct page`.

    Parameters
    ----------
    tree : str
        The tree to boot, as in `pgtlab trees`.
    page_size, va_bits, cpu, pa_bits
        The kernel and the CPU.
    quiz : bool
        Hide what each action changes; the reader fills it in. `quiz_answers` has what was said about the last action.

    Examples
    --------
    A page table that is freed without its destructor:

    >>> inspector = PageInspector()
    >>> for action in ("alloc_pages(0)", "pagetable_pud_ctor(page)", "__free_pages(page, 0)"):
    ...     inspector.do(action)
    >>> hex(inspector.page.page_type), inspector.kernel.reports[-1].text
    ('0xffffffff', 'nonzero mapcount')
    """

    _esm = module("page_inspector")
    foresees = ahead("choose", "do", "go")

    _borrowed = False  # whether the kernel is another view's

    def __init__(
        self,
        tree: str = "fixed",
        page_size: str = "4k",
        va_bits: int = 48,
        cpu: str = "max",
        pa_bits: int | None = None,
        quiz: bool = False,
    ) -> None:
        self._tree = Tree.named(tree)
        self.kernel: Kernel | None = None
        self.page: Page | None = None
        super().__init__(page_size, va_bits, cpu, pa_bits, quiz=quiz)

    def booted(self, before: Boot | NoBoot) -> None:
        """Start a new kernel, and show the page that it will allocate first."""
        self._done: list[str] = []
        self._start()
        self.draw()

    def _start(self) -> None:
        """Start a kernel in which nothing was done yet, and about which nothing is asked."""
        self._quiz = None
        self._at = 0  # how many of the actions are done; the others were taken back
        self._printed: tuple[str, ...] = ()
        self._stopped = False
        self.kernel = self.page = None
        if isinstance(self.boot, Boot):
            self.kernel = self._tree.start_kernel(self.boot)
            self.page = _next_page(self.kernel)
            self._words = self._was = self.page.words()

    @in_turn
    def do(self, action: str) -> None:
        """Do one of `ACTIONS`, or start over.

        Raises
        ------
        ValueError
            If there is no such action, or no running kernel.
        """
        if action == START_OVER:
            self.booted(self.boot)
            return
        if action not in ACTIONS:
            raise ValueError(f"{action!r} is not an action; choose from {', '.join(ACTIONS)}")
        if self.kernel is None or self._stopped:
            raise ValueError(f"{action}: no kernel is running; go back one step, or {START_OVER}")
        if self.hidden:
            raise ValueError(f"{action}: first fill in what the last call changed")
        self._done = [*self._done[: self._at], action]
        if self._borrowed:
            self._repeat(self._done)
        else:
            self._call(action)
        self.ask()
        self.draw()

    @in_turn
    def go(self, count: int) -> None:
        """Go back or forward in the history, to where the first `count` actions are done.

        Raises
        ------
        ValueError
            If there are fewer actions.
        """
        if not 0 <= count <= len(self._done):
            raise ValueError(f"{count} actions: the history has {len(self._done)}")
        self._repeat(self._done[:count])
        self.draw()

    def _repeat(self, actions: Iterable[str]) -> None:
        """Start a kernel that does the same again: nothing in it is left to chance."""
        self._start()
        for action in actions:
            self._call(action)

    def _twin(self) -> Self:
        """A copy that starts a kernel of its own before it calls any function of it."""
        twin = super()._twin()
        twin._borrowed = True
        return twin

    def _call(self, action: str) -> None:
        """Call the kernel's function."""
        assert self.kernel is not None
        assert self.page is not None
        lines, self._was = len(self.kernel.log.lines), self._words
        name, _, arguments = action.removesuffix(")").partition("(")
        call = getattr(self.kernel, name)
        try:
            if arguments == "0":
                self.page = call(0)
            else:
                call(self.page, *[{"0": 0, "NULL": ""}[other] for other in arguments.split(", ")[1:]])
        except Panic:
            self._stopped = True
        self._words = self.page.words()
        self._printed = tuple(self.kernel.log.lines[lines:])
        self._at += 1

    def blanks(self) -> tuple[Blank, ...]:
        """What the last action changed in the page, and the map count that the kernel printed."""
        if not self._done:
            return ()
        printed = next((int(found[1]) for line in self._printed if (found := _MAPCOUNT.search(line))), None)
        return page_blanks(_counts(self._was), _counts(self._words), printed, self._done[self._at - 1])

    def answered(self) -> None:
        """Show the value that was filled in."""
        self.draw()

    @property
    def done(self) -> tuple[str, ...]:
        """The actions that are done."""
        return tuple(self._done[: self._at])

    def next_action(self) -> tuple[str, str]:
        """An action that is worth a try now, and why; no action where it is best to go back."""
        assert self.kernel is not None
        assert self.page is not None
        if self._stopped:
            return "", "The kernel has panicked. Go back one step, or start over."
        if self.kernel.reports:
            return "", "The kernel reported a bad page. Go back one step, and call the destructor first."
        if self.page._refcount == 0:
            return ALLOC, "The page is free: it belongs to the allocator. Take it."
        if self.page.page_type != 0xFFFFFFFF:
            told = "Now free it without its destructor. What will the kernel say?"
            return FREE, f"The page is a page table. {told}"
        if DTOR in self.done:
            return FREE, "The page is no longer a page table. Give it back."
        return CTOR, "The page is yours. Make it a page table, of level pud."

    def drawn(self) -> dict[str, Any]:
        """All that the browser draws."""
        picture = self.picture()
        action, why = ("", "") if picture is None or self.hidden else self.next_action()
        return {
            "choices": self.toggles(),
            "stuck": self.stuck,
            "actions": [{"label": name, "next": name == action} for name in ACTIONS],
            "why": why,
            "history": ["free page", *self._done],
            "at": self._at,
            "stopped": self._stopped,
            "picture": picture and picture.spec(),
            "log": [] if "printed" in self.hidden else [self._line(line) for line in self._printed],
            "quiz": self.quiz_drawn(),
        }

    def _line(self, line: str) -> dict[str, str]:
        """A line of the log; the map count in it is explained."""
        found = _MAPCOUNT.search(line)
        stored = _counts(self._was)["_mapcount"]
        if found is None or int(found[1]) != stored + 1:
            return {"text": line, "remark": ""}
        return {"text": line, "remark": f"stored {stored}, printed plus one: {found[1]}"}

    def receive(self, message: dict[str, Any]) -> None:
        """Handle an answer, a choice of kernel, an action, or a place in the history."""
        match message:
            case {"blank": _}:
                self.hear(message)
            case {"choose": chosen}:
                self.choose(**chosen)
            case {"do": action}:
                self.do(action)
            case {"go": count}:
                self.go(count)

    def picture(self) -> Picture | None:
        """The bytes, with those marked that the last action changed."""
        if self.page is None:
            return None
        last = self.done[-1] if self.done else "free"
        return page_picture(self._words, self._was, f"struct page of pfn {self.page.pfn:#x}: {last}", self.hidden)

    def text(self) -> str:
        """The members as text, and what the kernel printed."""
        picture = self.picture()
        printed = () if "printed" in self.hidden else self._printed
        return self.stuck if picture is None else "\n".join([picture.title, picture.description, *printed])


def _next_page(k: Kernel) -> Page:
    """The page that a kernel will allocate next; it is free."""
    page = k.alloc_pages(0)
    assert page is not None  # the kernel has just booted
    k.__free_pages(page, 0)
    return page


def _counts(words: tuple[int, ...]) -> dict[str, int]:
    """The members that count: the two names of the same four bytes, and the four bytes after them."""
    page_type, refcount = words[6] & 0xFFFFFFFF, words[6] >> 32
    signed = {"_mapcount": page_type, "_refcount": refcount}
    return {"page_type": page_type} | {name: value - ((value >> 31) << 32) for name, value in signed.items()}
