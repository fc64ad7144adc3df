"""What a log tells of the whole kernel: the banner at boot, and the lines after a panic.

They are printed by `arch/arm64/kernel/setup.c`, `arch/arm64/mm/init.c` and `arch/arm64/kernel/cpufeature.c`.
"""

from __future__ import annotations

import re

from pgtlab.linux.oops.lines import Line
from pgtlab.linux.oops.report import Facts

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


class FactReader:
    """Looks at every line that passes through `seen`, and keeps what is a fact: of each kind the last.

    >>> reader = FactReader()
    >>> _ = reader.seen(Line(9, "Kernel Offset: 0x3a89bf800000 from 0xffff800080000000"))
    >>> hex(reader.facts().kaslr_offset), reader.facts().where
    ('0x3a89bf800000', {'kaslr_offset': 9, 'kernel_base': 9})
    """

    def __init__(self) -> None:
        self.found: dict[str, tuple[re.Match[str], int]] = {}

    def seen(self, line: Line) -> Line:
        """Keep the fact in a line, if there is one; the line itself."""
        if _FIRST.match(line.text):
            for name, pattern in _PATTERNS.items():
                if match := pattern.match(line.text):
                    self.found[name] = match, line.number
        return line

    @property
    def version(self) -> str:
        """The release from the banner, or empty."""
        return self.found["version"][0][1] if "version" in self.found else ""

    def facts(self, version: str = "") -> Facts:
        """The facts; `version` is the release where the log has no banner."""
        text = {name: match[1] for name, (match, _) in self.found.items()}
        where = {name: line for name, (_, line) in self.found.items()}
        offset = base = None
        if "kaslr_offset" in text:
            offset = 0 if text["kaslr_offset"] == "disabled" else int(text["kaslr_offset"], 16)
            from_address = self.found["kaslr_offset"][0][2]
            if from_address:
                base, where["kernel_base"] = int(from_address, 16), where["kaslr_offset"]
        return Facts(
            version=text.get("version", version),
            kaslr_offset=offset,
            kernel_base=base,
            phys_offset=int(text["phys_offset"], 16) if "phys_offset" in text else None,
            cpu_features=text.get("cpu_features", ""),
            memory_limit=text.get("memory_limit", "").strip(),
            command_line=text.get("command_line", ""),
            where=where,
        )
