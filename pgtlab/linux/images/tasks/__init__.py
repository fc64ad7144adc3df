"""The processes in an image: found from `init_task`, with the layout of structures that the kernel's own BTF states.

Where `init_task` and the BTF are, the kernel's own table of symbols says, which VMCOREINFO points to since v6.0
(`kallsyms_names` and what follows it); or a list of symbols as `/proc/kallsyms` or System.map has it. A vmlinux with
debug information says all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pgtlab.arch.mmu import MMU
from pgtlab.arch.word import MASK64
from pgtlab.linux.images.contents import ImageError
from pgtlab.linux.images.tasks import debug_info as debug_info_of
from pgtlab.linux.images.tasks import kallsyms
from pgtlab.linux.images.tasks.btf import BTF, BTFError
from pgtlab.linux.images.tasks.virtual import Virtual

MOST: Final = 1 << 22  # tasks: PID_MAX_LIMIT
SYMBOLS: Final = frozenset(("init_task", "__start_BTF", "__stop_BTF"))
MEMBERS: Final = (
    *("task_struct.tasks", "task_struct.pid", "task_struct.tgid", "task_struct.comm", "task_struct.mm"),
    *("task_struct.signal", "task_struct.thread_node", "signal_struct.thread_head", "mm_struct.pgd"),
)


@dataclass(frozen=True)
class ImageTask:
    """A thread of a process, or of the kernel.

    Attributes
    ----------
    pid, tgid : int
        Its own number, and that of its process.
    comm : str
        Its name.
    pgd : int or None
        The physical address of the process's first table; None for a thread of the kernel.
    """

    pid: int
    tgid: int
    comm: str
    pgd: int | None

    def __str__(self) -> str:
        tables = "a kernel thread" if self.pgd is None else f"pgd {self.pgd:#x}"
        return f"{self.pid} {self.comm}: {tables}"


def tasks(
    mmu: MMU, symbols: Mapping[str, int], *, debug_info: Path | None = None, offset: int = 0
) -> Iterator[ImageTask]:
    """All tasks: each process's threads after its first one.

    Parameters
    ----------
    mmu : MMU
        What reads the kernel's memory.
    symbols : mapping of str to int
        The symbols that are known.
    debug_info : path, optional
        A vmlinux with debug information, in place of the kernel's own BTF; drgn reads it.
    offset : int
        How far KASLR moved the kernel from where that was linked to be.

    Raises
    ------
    ImageError
        Where the image does not have what is needed, which the message names.
    """
    memory = Virtual(mmu)
    if debug_info is not None:
        layout, linked = debug_info_of.read(debug_info, MEMBERS)
        return _walk(memory, symbols.get("init_task", linked + offset & MASK64), layout)
    where = dict(symbols)
    if not where.keys() >= SYMBOLS:
        where |= kallsyms.read(memory, symbols, SYMBOLS)
    missing = sorted(SYMBOLS - where.keys(), reverse=True)
    if missing:
        raise ImageError(
            f"the image does not say where {missing[0]} is: the kernel needs {_needs(missing[0])}; or give the list of "
            "its symbols (--symbols System.map), its debug information (--debug-info vmlinux), or TTBR0_EL1 (--ttbr0)"
        )
    try:
        btf = BTF(memory.read(where["__start_BTF"], where["__stop_BTF"] - where["__start_BTF"]))
        layout = {name: btf.offset(*name.split(".")) for name in MEMBERS}
    except BTFError as error:
        raise ImageError(f"the kernel's type information (BTF) cannot be read: {error}") from None
    return _walk(memory, where["init_task"], layout)


def task_of(all_tasks: Iterable[ImageTask], *, pid: int | None = None, name: str | None = None) -> ImageTask:
    """The one task with that number, or with that name and tables of its own.

    Raises
    ------
    ImageError
        Where there is none, where several processes have the name, or where it is a thread of the kernel.

    Examples
    --------
    >>> task_of([ImageTask(1, 1, "init", 0x8000), ImageTask(7, 7, "sh", 0x9000)], name="sh").pid
    7
    """
    known = list(all_tasks)
    found = [task for task in known if (task.pid == pid if pid is not None else task.comm == name)]
    what = f"pid {pid}" if pid is not None else f"the name {name!r}"
    if not found:
        users = ", ".join(f"{task.pid} {task.comm}" for task in known if task.pgd is not None and task.pid == task.tgid)
        raise ImageError(f"no task has {what}; the processes are {_shortened(users) or 'none'}")
    with_tables = {task.pgd: task for task in found if task.pgd is not None}
    if not with_tables:
        raise ImageError(f"{found[0].pid} {found[0].comm} is a thread of the kernel, which has no tables of its own")
    if len(with_tables) > 1:
        pids = ", ".join(str(task.pid) for task in with_tables.values())
        raise ImageError(f"{len(with_tables)} processes have {what}: give one of the pids {_shortened(pids)}")
    return next(iter(with_tables.values()))


def _shortened(text: str) -> str:
    return text if len(text) <= 300 else text[:300] + "..."


def _needs(symbol: str) -> str:
    return "CONFIG_KALLSYMS_ALL and v6.0 or later" if symbol == "init_task" else "CONFIG_DEBUG_INFO_BTF"


def _walk(memory: Virtual, init_task: int, layout: Mapping[str, int]) -> Iterator[ImageTask]:
    seen: set[int] = set()
    leader = init_task
    while leader not in seen and len(seen) < MOST:
        seen.add(leader)
        yield _task(memory, leader, layout)
        head = memory.word(leader + layout["task_struct.signal"]) + layout["signal_struct.thread_head"]
        node = memory.word(head)
        while node != head and len(seen) < MOST:
            thread = node - layout["task_struct.thread_node"]
            if thread != leader:
                if thread in seen:
                    break
                seen.add(thread)
                yield _task(memory, thread, layout)
            node = memory.word(node)
        leader = memory.word(leader + layout["task_struct.tasks"]) - layout["task_struct.tasks"]


def _task(memory: Virtual, task: int, layout: Mapping[str, int]) -> ImageTask:
    mm = memory.word(task + layout["task_struct.mm"])
    pgd = None if not mm else memory.physical(memory.word(mm + layout["mm_struct.pgd"]))
    comm = memory.read(task + layout["task_struct.comm"], 16).split(b"\0")[0].decode("utf-8", "replace")
    pid, tgid = (memory.int32(task + layout[f"task_struct.{name}"]) for name in ("pid", "tgid"))
    return ImageTask(pid, tgid, comm, pgd)
