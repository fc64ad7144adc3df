"""The task and the kernel: lines that every report has, and lines that are about the whole log.

They are printed by `lib/dump_stack.c`, `arch/arm64/kernel/setup.c`, `arch/arm64/mm/init.c` and
`arch/arm64/kernel/cpufeature.c`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pgtlab.linux.oops.reading.lines import Line, hex16

Version = tuple[int, int]

_CPU = re.compile(
    r"CPU: (\d{1,5})(?: UID: (\d{1,10}))? PID: (\d{1,10}) Comm: (.{0,64}?)"
    r"(?: Kdump: loaded)? (?:Not tainted|Tainted: ([A-Z ]{1,40}?)) {1,4}(\d\S{0,120}) (#\S.{0,200})$"
)
_BEGINNING = re.compile(r"CPU: (\d{1,5})(?: UID: (\d{1,10}))? PID: (\d{1,10}) Comm: (?:(\S{1,64}) )?")
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
        comm=comm or "",
        tainted="".join((tainted or "").split()).replace(NOT_A_TAINT, ""),
        version=version,
        build=(build or "").strip(),
    )


_PATTERNS = {
    "version": re.compile(r"Linux version (\S{1,120}) \("),
    "kaslr_offset": re.compile(  # the second number shows that the first is whole
        r"Kernel Offset: (disabled|0x[0-9a-f]{1,16}(?= from 0x[0-9a-f]{16}(?![0-9a-zA-Z])))(?: from (0x[0-9a-f]{16}))?"
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
    """Facts about one boot, not about one report.

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
    """Looks at every line that passes through `seen`, and keeps the last fact of each kind, for each boot.

    A boot begins with its first message, or where the time goes back.

    >>> reader = FactReader()
    >>> reader.seen(Line(9, "Kernel Offset: 0x3a89bf800000 from 0xffff800080000000"))
    False
    >>> hex(reader.facts(0).kaslr_offset), reader.facts(0).where
    ('0x3a89bf800000', {'kaslr_offset': 9, 'kernel_base': 9})
    """

    def __init__(self) -> None:
        self._boots: list[dict[str, tuple[re.Match[str], int]]] = [{}]
        self.first_lines = [1]
        self._time = 0.0
        self._fresh = True  # whether nothing of this boot was seen yet

    def spans(self, backwards: bool = False) -> list[tuple[int, int]]:
        """For each boot the number of its first line, and of the first line after it."""
        first = self.first_lines
        if backwards:
            return [
                (end + 1, start + 1) for start, end in zip([sys.maxsize - 1, *first[1:]], [*first[1:], 0], strict=True)
            ]
        return list(zip(first, [*first[1:], sys.maxsize], strict=True))

    @property
    def boot(self) -> int:
        """The number of the boot that the last line was of, from 0."""
        return len(self._boots) - 1

    def seen(self, line: Line) -> bool:
        """Keep the fact in a line, if there is one; whether a boot begins with the line."""
        text = line.text
        begins = line.time is not None and line.time < self._time - GOES_BACK
        if _PART.match(text):
            self._time, begins = 0.0, False
        if _BOOT.match(text):
            begins = begins or not self._fresh
        elif text.startswith("Linux version "):
            begins = begins or "version" in self._boots[-1]
        if begins:
            self._boots.append({})
            self.first_lines.append(line.number)
        self._fresh = (self._fresh or begins) and (not text or _BOOT.match(text) is not None)
        if line.time is not None:
            self._time = line.time if begins else max(self._time, line.time)
        elif begins:
            self._time = 0.0
        if _FIRST.match(text):
            for name, pattern in _PATTERNS.items():
                if match := pattern.match(text):
                    self._boots[-1][name] = match, line.number
        return begins

    def facts(self, boot: int, version: str = "", where: int | None = None) -> LogFacts:
        """The facts of a boot; `version` is the release, if there is no banner, and `where` its line."""
        matches = self._boots[boot]
        text = {name: match[1] for name, (match, _) in matches.items()}
        lines = {name: line for name, (_, line) in matches.items()}
        if version and where is not None:
            lines.setdefault("version", where)
        offset = base = memstart = None
        if "kaslr_offset" in text:
            offset = 0 if text["kaslr_offset"] == "disabled" else int(text["kaslr_offset"], 16)
            from_address = matches["kaslr_offset"][0][2]
            if from_address:
                base, lines["kernel_base"] = int(from_address, 16), lines["kaslr_offset"]
        if "phys_offset" in text:
            memstart = int(text["phys_offset"], 16)
            if memstart % MEMSTART_ALIGN:  # a number that is cut off
                memstart, _ = None, lines.pop("phys_offset")
        return LogFacts(
            version=text.get("version", version),
            kaslr_offset=offset,
            kernel_base=base,
            phys_offset=memstart,
            cpu_features=text.get("cpu_features", ""),
            memory_limit=text.get("memory_limit", "").strip(),
            command_line=text.get("command_line", ""),
            where=lines,
        )


GOES_BACK = 1.0  # seconds: lines of two CPUs are out of order by less
MEMSTART_ALIGN = 1 << 27  # the smallest ARM64_MEMSTART_ALIGN
_PART = re.compile(r"(?:Panic|Oops)#\d{1,9} Part\d")  # pstore keeps a log in parts, the last one first
_BOOT = re.compile(r"Booting Linux on physical CPU|-- (?:Boot [0-9a-f]{8,32}|Reboot) ?--")


def kernel_version(release: str) -> Version | None:
    """The major and minor number of a release; `None` if it does not begin with them.

    >>> kernel_version("6.8.0-rc6-00966-gde701dc1f7f8")
    (6, 8)
    """
    match = re.match(r"(\d{1,3})\.(\d{1,3})(?!\d)", release)
    return (int(match[1]), int(match[2])) if match else None
