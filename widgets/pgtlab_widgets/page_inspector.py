"""The page inspector: the 64 bytes of a `struct page` while kernel functions change it."""

from __future__ import annotations

from typing import Any

from pgtlab.lab.trees import Tree
from pgtlab.linux.boot import Boot, NoBoot
from pgtlab.linux.kernel import Kernel
from pgtlab.linux.kernel.page import Page
from pgtlab.linux.kernel.printk import Panic
from pgtlab.linux.page_picture import page_picture
from pgtlab.picture import Picture
from pgtlab_widgets.kernel_view import KernelView
from pgtlab_widgets.view import module

START_OVER = "start over"
#: The actions, as the kernel writes them: each calls that kernel function.
ACTIONS = (
    "alloc_pages(0)",
    "pagetable_pud_ctor(page)",
    "pagetable_pud_dtor(page)",
    "__free_pages(page, 0)",
    "dump_page(page, NULL)",
)


class PageInspector(KernelView):
    """One page of a kernel, and what each action does to its `struct page`.

    Parameters
    ----------
    tree : str
        The tree to boot, as in `pgtlab trees`.
    page_size, va_bits, cpu, pa_bits
        The kernel and the CPU.

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

    def __init__(
        self,
        tree: str = "fixed",
        page_size: str = "4k",
        va_bits: int = 48,
        cpu: str = "max",
        pa_bits: int | None = None,
    ) -> None:
        self._tree = Tree.named(tree)
        self.kernel: Kernel | None = None
        self.page: Page | None = None
        super().__init__(page_size, va_bits, cpu, pa_bits)

    def booted(self, before: Boot | NoBoot) -> None:
        """Start a new kernel, and show the page that it will allocate first."""
        self._done: list[str] = []
        self._printed: tuple[str, ...] = ()
        self._stopped = False
        self.kernel = self.page = None
        if isinstance(self.boot, Boot):
            self.kernel = self._tree.start_kernel(self.boot)
            self.page = _next_page(self.kernel)
            self._words = self._was = self.page.words()
        self.draw()

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
        if self.kernel is None or self.page is None or self._stopped:
            raise ValueError(f"{action}: no kernel is running; {START_OVER}")
        lines, self._was = len(self.kernel.log.lines), self._words
        function, arguments = action.rstrip(")").split("(")
        call = getattr(self.kernel, function)
        try:
            if arguments == "0":
                self.page = call(0)
            else:
                call(self.page, *[{"0": 0, "NULL": ""}[other] for other in arguments.split(", ")[1:]])
        except Panic:
            self._stopped = True
        self._words = self.page.words()
        self._printed = tuple(self.kernel.log.lines[lines:])
        self._done.append(action)
        self.draw()

    @property
    def done(self) -> str:
        """The actions so far, and whether the kernel still runs."""
        done = " → ".join(self._done) or "The page is free: it belongs to the allocator."
        return f"{done}: the kernel has panicked; {START_OVER} to go on." if self._stopped else done

    def drawn(self) -> dict[str, Any]:
        """All that the browser draws."""
        picture = self.picture()
        return {
            "choices": self.toggles(),
            "stuck": self.stuck,
            "actions": [*ACTIONS, START_OVER],
            "stopped": self._stopped,
            "done": self.done,
            "picture": picture and picture.spec(),
            "log": "\n".join(self._printed),
        }

    def receive(self, message: dict[str, Any]) -> None:
        """Handle a choice of kernel, or an action."""
        match message:
            case {"choose": chosen}:
                self.choose(**chosen)
            case {"do": action}:
                self.do(action)

    def picture(self) -> Picture | None:
        """The bytes, with those marked that the last action changed."""
        if self.page is None:
            return None
        last = self._done[-1] if self._done else "free"
        return page_picture(self._words, self._was, f"struct page of pfn {self.page.pfn:#x}: {last}")

    def text(self) -> str:
        """The members as text, and what the kernel printed."""
        picture = self.picture()
        return self.stuck if picture is None else "\n".join([picture.title, picture.description, *self._printed])


def _next_page(k: Kernel) -> Page:
    """The page that a kernel will allocate next; it is free."""
    page = k.alloc_pages(0)
    assert page is not None  # the kernel has just booted
    k.__free_pages(page, 0)
    return page
