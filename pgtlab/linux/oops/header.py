"""Who was running what: the lines that every report has (`dump_stack_print_info()`, `lib/dump_stack.c`)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pgtlab.linux.oops.lines import Line
from pgtlab.linux.oops.report import Header

_CPU = re.compile(
    r"CPU: (\d{1,5})(?: UID: (\d{1,10}))? PID: (\d{1,10}) Comm: (.{0,64}?)"
    r"(?: Kdump: loaded)? (?:Not tainted|Tainted: ([A-Z ]{1,40}?)) {1,4}(\d\S{0,120})(?: (.{0,200}))?$"
)
_BEGINNING = re.compile(r"CPU: (\d{1,5})(?: UID: (\d{1,10}))? PID: (\d{1,10}) Comm: (\S{0,64})")
_HARDWARE = re.compile(r"Hardware name: (.{1,200})")
NOT_A_TAINT = "G"  # no proprietary module


def read_header(lines: Sequence[Line], where: dict[str, int]) -> Header:
    """The header of a report; `where` gets its line.

    >>> read_header([Line(5, "CPU: 2 PID: 12170 Comm: syz Tainted: G    BU         3.18.0 #78")], {})
    Header(cpu=2, uid=None, pid=12170, comm='syz', tainted='BU', version='3.18.0', build='#78', hardware='')
    """
    header = Header()
    for line in lines:
        text = line.text[:800]
        if header.cpu is None and text.startswith("CPU: "):
            header = _with_cpu(header, text)
            if header.cpu is not None:
                where["header"] = line.number
        elif not header.hardware and (found := _HARDWARE.match(text)):
            header = replace(header, hardware=found[1])
    return header


def _with_cpu(header: Header, text: str) -> Header:
    if found := _CPU.match(text):
        cpu, uid, pid, comm, tainted, version, build = found.groups()
        letters = "".join((tainted or "").split()).replace(NOT_A_TAINT, "")
        return replace(
            header,
            cpu=int(cpu),
            uid=None if uid is None else int(uid),
            pid=int(pid),
            comm=comm,
            tainted=letters,
            version=version,
            build=(build or "").strip(),
        )
    if found := _BEGINNING.match(text):  # the line is cut off
        cpu, uid, pid, comm = found.groups()
        return replace(header, cpu=int(cpu), uid=None if uid is None else int(uid), pid=int(pid), comm=comm)
    return header
