"""The task and the kernel: lines that every report has, and lines that are about the whole log.

They are printed by `lib/dump_stack.c`, `arch/arm64/kernel/setup.c`, `arch/arm64/mm/init.c` and
`arch/arm64/kernel/cpufeature.c`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pgtlab.linux.oops.reading.lines import Line, hex16

_CPU = re.compile(
    r"CPU: (\d{1,5})(?: UID: (\d{1,10}))? PID: (\d{1,10}) Comm: (.{0,64}?)"
    r"(?: Kdump: loaded)? (?:Not tainted|Tainted: ([A-Z ]{1,40}?)) {1,4}(\d\S{0,120})(?: (.{0,200}))?$"
)
_BEGINNING = re.compile(r"CPU: (\d{1,5})(?: UID: (\d{1,10}))? PID: (\d{1,10}) Comm: (\S{0,64})")
_HARDWARE = re.compile(r"Hardware name: (.{1,200})")
NOT_A_TAINT = "G"  # no proprietary module


@dataclass(frozen=True)
class ReportHeader:
    """The running task and its kernel: the lines `CPU: ... PID: ... Comm: ...` and `Hardware name: ...`.

    `tainted` holds the letters, empty for `Not tainted`; `version` is the kernel's release, `build` what follows it.
    """

    cpu: int | None = None
    uid: int | None = None
    pid: int | None = None
    comm: str = ""
    tainted: str = ""
    version: str = ""
    build: str = ""
    hardware: str = ""


def read_header(lines: Sequence[Line], where: dict[str, int]) -> ReportHeader:
    """The header of a report; its line is added to `where`.

    >>> read_header([Line(5, "CPU: 2 PID: 12170 Comm: syz Tainted: G    BU         3.18.0 #78")], {})
    ReportHeader(cpu=2, uid=None, pid=12170, comm='syz', tainted='BU', version='3.18.0', build='#78', hardware='')
    """
    header = ReportHeader()
    for line in lines:
        text = line.text[:800]
        if header.cpu is None and text.startswith("CPU: "):
            header = _with_cpu(header, text)
            if header.cpu is not None:
                where["header"] = line.number
        elif not header.hardware and (match := _HARDWARE.match(text)):
            header = replace(header, hardware=match[1])
    return header


def _with_cpu(header: ReportHeader, text: str) -> ReportHeader:
    match = _CPU.match(text) or _BEGINNING.match(text)  # the second is for a line that is cut off
    if match is None:
        return header
    cpu, uid, pid, comm, tainted, version, build = (*match.groups(), "", "", "")[:7]
    return replace(
        header,
        cpu=int(cpu),
        uid=None if uid is None else int(uid),
        pid=int(pid),
        comm=comm,
        tainted="".join((tainted or "").split()).replace(NOT_A_TAINT, ""),
        version=version,
        build=(build or "").strip(),
    )


_PATTERNS = {
    "version": re.compile(r"Linux version (\S{1,120})"),
    "kaslr_offset": re.compile(
        r"Kernel Offset: (disabled|0x[0-9a-f]{1,16})(?![0-9a-zA-Z])(?: from (0x[0-9a-f]{1,16}))?"
    ),
    "phys_offset": re.compile(r"PHYS_OFFSET: 0x([0-9a-f]{1,16})(?![0-9a-zA-Z])"),
    "cpu_features": re.compile(r"CPU features: (0x[0-9a-f]{1,16}(?:,[0-9a-f]{1,16}){1,8})"),
    "memory_limit": re.compile(r"Memory Limit: (.{1,80})"),
    "command_line": re.compile(r"Kernel command line: (.{1,4000})"),
}
_FIRST = re.compile(
    r"Linux version |Kernel Offset: |PHYS_OFFSET: |CPU features: 0x|Memory Limit: |Kernel command line: "
)


@dataclass(frozen=True)
class LogFacts:
    """Facts about the whole log, not about one report.

    Attributes
    ----------
    version : str
        The kernel's release, from the banner or from the first report that names it.
    kaslr_offset : int or None
        From `Kernel Offset:`; 0 for `disabled`.
    kernel_base : int or None
        The address that the kernel was linked at, from the same line.
    phys_offset : int or None
        PHYS_OFFSET, the physical address that the linear map begins with, as 64 bits.
    cpu_features : str
        The line of hexadecimal words.
    memory_limit : str
        As printed.
    command_line : str
        Of the kernel.
    where : mapping of str to int
        The line of each, by the name of the field.
    """

    version: str = ""
    kaslr_offset: int | None = None
    kernel_base: int | None = None
    phys_offset: int | None = None
    cpu_features: str = ""
    memory_limit: str = ""
    command_line: str = ""
    where: Mapping[str, int] = field(default_factory=dict)

    def lines_of(self, *names: str) -> tuple[int, ...]:
        """The lines of facts, by the names of their fields, in order."""
        return tuple(sorted({self.where[name] for name in names if name in self.where}))

    def as_dict(self) -> dict[str, Any]:
        """The facts as plain data."""
        return {
            "version": self.version or None,
            "kaslr_offset": None if self.kaslr_offset is None else f"{self.kaslr_offset:#x}",
            "kernel_base": hex16(self.kernel_base),
            "phys_offset": None if self.phys_offset is None else f"{self.phys_offset:#x}",
            "cpu_features": self.cpu_features or None,
            "memory_limit": self.memory_limit or None,
            "command_line": self.command_line or None,
        }


class FactReader:
    """Looks at every line that passes through `seen`, and keeps the last fact of each kind.

    >>> reader = FactReader()
    >>> _ = reader.seen(Line(9, "Kernel Offset: 0x3a89bf800000 from 0xffff800080000000"))
    >>> hex(reader.facts().kaslr_offset), reader.facts().where
    ('0x3a89bf800000', {'kaslr_offset': 9, 'kernel_base': 9})
    """

    def __init__(self) -> None:
        self._matches: dict[str, tuple[re.Match[str], int]] = {}

    def seen(self, line: Line) -> Line:
        """Keep the fact in a line, if there is one, and return the line."""
        if _FIRST.match(line.text):
            for name, pattern in _PATTERNS.items():
                if match := pattern.match(line.text):
                    self._matches[name] = match, line.number
        return line

    @property
    def version(self) -> str:
        """The release from the banner, or empty."""
        return self._matches["version"][0][1] if "version" in self._matches else ""

    def facts(self, version: str = "") -> LogFacts:
        """The facts; `version` is the release, if the log has no banner."""
        text = {name: match[1] for name, (match, _) in self._matches.items()}
        where = {name: line for name, (_, line) in self._matches.items()}
        offset = base = None
        if "kaslr_offset" in text:
            offset = 0 if text["kaslr_offset"] == "disabled" else int(text["kaslr_offset"], 16)
            from_address = self._matches["kaslr_offset"][0][2]
            if from_address:
                base, where["kernel_base"] = int(from_address, 16), where["kaslr_offset"]
        return LogFacts(
            version=text.get("version", version),
            kaslr_offset=offset,
            kernel_base=base,
            phys_offset=int(text["phys_offset"], 16) if "phys_offset" in text else None,
            cpu_features=text.get("cpu_features", ""),
            memory_limit=text.get("memory_limit", "").strip(),
            command_line=text.get("command_line", ""),
            where=where,
        )
