"""Names of code as the kernel prints them: frames of a call trace, `pc :` and `lr :` (`lib/vsprintf.c`, `%pS`)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pgtlab.linux.oops.lines import Line
from pgtlab.linux.oops.report import Symbol

LONGEST = 400  # characters: a Rust name fits
_SYMBOL = re.compile(
    r"(?:\[<(?:0x)?([0-9a-f]{8,16})>\] )?(\? )?([^\s+()\[\]<>]{1,250})\+0x([0-9a-f]{1,8})/0x([0-9a-f]{1,8})"
    r"(?: \[([^\]\s]{1,80})(?: [0-9a-f]{1,64})?\])?(?: \(([A-Z]{1,4})\))?(?: (\S{1,200}:\d{1,7}))?(?: \[inline\])?"
)
_INLINED = re.compile(r"([\w.$]{1,200}) (\S{1,200}:\d{1,7}) \[inline\]")
_LOCATED = re.compile(  # decode_stacktrace.sh writes the place over the offset
    r"(\? )?([\w.$]{1,200}) \(([^()\s]{1,200}:\d{1,7})[^()]{0,200}(?:\(discriminator \d{1,9}\))?[^()]{0,200}\)"
    r"(?: \[?([\w-]{1,80})\]?)?"
)
_BARE = re.compile(r"(?:\[<(?:0x)?([0-9a-f]{8,16})>\])?(?: ?\(?0x([0-9a-f]{8,16})\)?)?|([0-9a-f]{16})")
_NAME = re.compile(r"[A-Za-z_][\w.$]{0,199}")
CALL_TRACE = "Call trace:"
_AFTER_TRACE = re.compile(
    r"(?:Code: |---\[ |Modules linked in:|Kernel panic|Kernel Offset|SMP: stopping|page last |page_owner |"
    r"Allocated by|Freed by|Last potentially|The buggy address|CPU: \d|Call trace:|Mem abort info|Disabling lock|"
    r"Memory state around|={30})"
)
_LAST_REGISTERS = re.compile(r"x1 +: [0-9a-f]{16} +x0 +: [0-9a-f]{16}$")


def read_symbol(text: str, line: int = 0) -> Symbol | None:
    """A frame or a pointer to code; `None` where the text is none.

    >>> read_symbol("? ext4_iget+0x3c/0x68 [ext4]")
    Symbol(function='ext4_iget', offset=60, size=104, module='ext4', address=None, reliable=False, mark='', source='',
    line=0)
    """
    if len(text) > LONGEST or not text:
        return None
    if "+0x" in text and (found := _SYMBOL.fullmatch(text)):
        address, unsure, name, offset, size, module, mark, source = found.groups()
        return Symbol(
            name,
            int(offset, 16),
            int(size, 16),
            module or "",
            int(address, 16) if address else None,
            not unsure,
            mark or "",
            source or "",
            line,
        )
    if found := _INLINED.fullmatch(text):
        return Symbol(found[1], source=found[2], line=line)
    if found := _LOCATED.fullmatch(text):
        return Symbol(found[2], module=found[4] or "", reliable=not found[1], source=found[3], line=line)
    if found := _BARE.fullmatch(text):
        number = found[1] or found[2] or found[3]
        return Symbol("", address=int(number, 16), line=line) if number else None
    return None


def is_bare_name(text: str) -> bool:
    """Whether a line is a name and nothing else, as frames are in the logs of pgtlab's own kernel.

    >>> is_bare_name("destroy_args"), is_bare_name("eth0: up")
    (True, False)
    """
    return _NAME.fullmatch(text) is not None


def read_trace(lines: Sequence[Line]) -> tuple[Symbol, ...]:
    """The frames after `Call trace:`, innermost first.

    Lines of others in between are passed over. Where the heading is lost, what follows the registers is the trace.

    >>> [str(frame) for frame in read_trace([Line(1, "Call trace:"), Line(2, "f+0x8/0x10"), Line(3, "eth0: up")])]
    ['f+0x8/0x10']
    """
    start = next((at for at, line in enumerate(lines) if line.text == CALL_TRACE), None)
    if start is None:
        start = next((at for at, line in enumerate(lines) if _LAST_REGISTERS.search(line.text)), None)
    return read_frames(lines[start + 1 :]) if start is not None else ()


def read_frames(lines: Sequence[Line]) -> tuple[Symbol, ...]:
    """The frames up to the line with which something else begins."""
    frames: list[Symbol] = []
    bare = True  # as long as every line is a name and nothing else
    for line in lines:
        if _AFTER_TRACE.match(line.text):
            break
        symbol = read_symbol(line.text, line.number)
        bare = bare and is_bare_name(line.text)
        if symbol is not None:
            frames.append(symbol)
        elif bare:
            frames.append(Symbol(line.text, line=line.number))
    return tuple(frames)
