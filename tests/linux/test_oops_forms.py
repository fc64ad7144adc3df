"""Whatever a log has come through, it is read as the kernel printed it."""

import base64
import html
import json
import quopri
import re
import textwrap
from pathlib import Path

import pytest

from pgtlab.linux import oops

FIELD = Path(__file__).parents[1] / "data/oops/field"
PRINTED = (FIELD / "prefix-control.txt").read_text().splitlines()
TEXTS = [line.split("] ", 1)[1] for line in PRINTED]  # without the timestamp
TIMES = [line[1:13] for line in PRINTED]


def values(text):
    """What a log says, without the numbers of lines, and without the texts that only repeat it."""

    def plain(part):
        if isinstance(part, dict):
            return {name: plain(inner) for name, inner in part.items() if name not in ("lines", "evidence", "details")}
        return [plain(inner) for inner in part] if isinstance(part, list) else part

    return plain(oops.read(text).as_dict())


EXPECTED = values("\n".join(PRINTED))


def before(prefix, lines=TEXTS):
    """The lines behind a prefix; `{n}` is the number of a line, `{t}` its time."""
    return "\n".join(prefix.format(n=n, t=TIMES[n], s=TIMES[n].strip()) + line for n, line in enumerate(lines))


def pstore(*order):
    """The three parts in which pstore keeps a log: part 1 has the newest lines."""
    parts = {3: PRINTED[:9], 2: PRINTED[9:20], 1: PRINTED[20:]}
    return "\n".join(f"Oops#1 Part{part}\n" + "\n".join(parts[part]) for part in sorted(parts, key=order.index))


def fragments(longest=40):
    """The packets of netconsole: a line that is too long is sent in several, with the offset in the head."""
    packets = []
    for n, text in enumerate(TEXTS):
        head = f"4,{900 + n},{12345678 + n},-"
        if len(text) <= longest:
            packets.append(f"{head};{text}")
        else:
            packets += [
                f"{head},ncfrag={at}/{len(text)};{text[at : at + longest]}" for at in range(0, len(text), longest)
            ]
    return "\n".join(packets)


PREFIXES = {
    "MediaTek": "<1>[{t}]  (1)[321:worker]",
    "HiSilicon": "<1>[{t}s][2024:01:02 03:04:05][pid:321,cpu1,worker]",
    "Qualcomm": "[{t}] (CPU:1-pid:321:worker) [03:04:05.678901234] ",
    "Samsung with a worker thread": "<6>[{t}]  [1:  kworker/u16:3:  321] ",
    "LGE, shorter": "[{t} / 01-02 03:04:05.678] ",
    "Amlogic with a level": "<1>[{t}@1] ",
    "logcat -v threadtime": "01-02 03:04:05.678     0     0 E kernel  : ",
    "logcat -v time": "01-02 03:04:05.678 I/kernel  (    0): ",
    "/dev/kmsg": "4,{n},12345678,-;",
    "/dev/kmsg with a caller": "4,{n},12345678,-,caller=T321;",
    "dmesg -d": "[{t} <    0.000013>] ",
    "dmesg -x": "kern  :alert : [{t}] ",
    "dmesg -T": "[Tue Jan  2 03:04:05 2024] ",
    "dmesg --time-format iso": "2024-01-02T03:04:05,678901+00:00 ",
    "journalctl -o with-unit": "Tue 2024-01-02 03:04:05 UTC host kernel[0]: ",
    "journalctl -o short-unix": "1704164645.123456 host kernel: ",
    "journalctl -o export": "MESSAGE=",
    "journalctl -o verbose": "    MESSAGE=",
    "kubectl logs --prefix": "[pod/console-0/serial] ",
    "docker compose with times": "board-1  | 2024-01-02T03:04:05.678Z [{t}] ",
    "picocom -l with a level": "<0>[{t}] ",
    "a KernelCI page": "03:04:05.678  <1>[{t}] ",
    "two journals": "Jan  2 03:04:05 gateway board[77]: Jan  2 03:04:05 host kernel: [{t}] ",
    "netconsole, extended": "6,{n},12345678,-;",
    "a name of a person": "JD> ",
    "ttyS over a logger": "ttyS0: [{t}] ",
    "Xen": "(XEN) [{t}] ",
    "a counter": "{n:06d}: ",
    "containers of Kubernetes": "2024-01-02T03:04:05.678901234Z stdout F ",
    "grep -n": "{n}:",
    "cat -n": "    {n}\t",
    "SystemTap": "[{s}] host kernel: ",
}


@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES)
def test_any_prefix(prefix):
    assert values(before(prefix)) == EXPECTED


def wrapped(width, lines=PRINTED):
    """As a mail program breaks lines: at blanks."""
    return "\n".join(
        part
        for line in lines
        for part in textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False, drop_whitespace=True)
    )


def broken(lines, width):
    """As a terminal breaks lines: after so many characters."""
    return "\n".join(line[at : at + width] for line in lines for at in range(0, len(line), width))


JOURNALED = [f"Jan  2 03:04:05 myhost kernel: {line}" for line in PRINTED]


def journal(n, text):
    return {"PRIORITY": "1", "_HOSTNAME": "host", "MESSAGE": text, "__CURSOR": f"s=1;i={n}"}


JOURNAL = [journal(n, text) for n, text in enumerate(TEXTS)]
TIMED = "\n".join(PRINTED)
DOCKER = [{"log": line + "\n", "stream": "stdout", "time": "2024-01-02T03:04:05Z"} for line in PRINTED]
HITS = {"hits": {"hits": [{"_id": n, "_source": {"message": line, "host": "h"}} for n, line in enumerate(PRINTED)]}}

FORMS = {
    "quoted three deep": "\n".join("> >> " + line for line in PRINTED),
    "quoted-printable": quopri.encodestring(TIMED.encode()).decode(),
    "quoted-printable, quoted": quopri.encodestring("\n".join("> " + line for line in PRINTED).encode()).decode(),
    "base64": "Subject: crash\nContent-Transfer-Encoding: base64\nMIME-Version: 1.0\n\n"
    + base64.encodebytes(TIMED.encode()).decode(),
    "colours as rsyslog escapes them": "\n".join(f"#033[31m{line}#033[0m" for line in PRINTED),
    "a mail that wraps at 72": wrapped(72),
    "a mail that wraps at 74, quoted": "\n".join("> " + line for line in wrapped(74).splitlines()),
    "a terminal of 80 columns with times": broken(PRINTED, 80),
    "a terminal of 100 columns": broken(PRINTED, 100),
    "a journal in a terminal of 80 columns": broken(JOURNALED, 80),
    "a journal in a mail that wraps at 72": wrapped(72, JOURNALED),
    "a terminal of 72 columns": broken(TEXTS, 72),
    "HTML": "<pre>" + html.escape(TIMED) + "</pre>",
    "HTML with a span for each line": "\n".join(f'<span class="log">{html.escape(line)}</span>' for line in PRINTED),
    "HTML in one line": "<p>" + "<br/>".join(html.escape(line) for line in PRINTED) + "</p>",
    "HTML with numeric entities": "\n".join(line.replace(" ", "&#160;").replace("[", "&#91;") for line in PRINTED),
    "colours": "\n".join(f"\x1b[32m[{t}] \x1b[0m\x1b[31m{text}\x1b[0m" for t, text in zip(TIMES, TEXTS, strict=True)),
    "colours in caret notation": "\n".join(f"^[[1;31m{line}^[[0m" for line in PRINTED),
    "colours as escapes": "\n".join(f"\\u001b[31m{line}\\u001b[39;49m" for line in PRINTED),
    "NULs between lines": "\0\0\n".join(PRINTED),
    "NULs in lines": "\n".join(line[:20] + "\0" * 3 + line[20:] for line in PRINTED),
    "carriage returns": "\r\r\n".join(PRINTED),
    "only carriage returns": "\r".join(PRINTED),
    "trailing blanks and tabs": "\n".join("\t" + line + " \t" for line in PRINTED),
    "zero-width spaces": "\n".join(line[:30] + "\u200b" + line[30:] for line in PRINTED),
    "a JSON string": json.dumps(TIMED),
    "a JSON string without its quotes": json.dumps(TIMED)[1:-1],
    "JSON with the log as a field": json.dumps({"id": 5, "title": "crash", "body": "It says:\n" + TIMED, "n": [1, 2]}),
    "JSON of a web API": json.dumps(HITS, indent=1),
    "JSON of containers": "\n".join(map(json.dumps, DOCKER)),
    "JSON of lines, as LAVA has it": "\n".join(
        '- {"dt": "2024-01-02T03:04:05.678901", "lvl": "target", "msg": ' + json.dumps(line) + "}" for line in PRINTED
    ),
    "journalctl -o json": "\n".join(map(json.dumps, JOURNAL)),
    "journalctl -o json with bytes": "\n".join(
        json.dumps(entry | {"MESSAGE": list(entry["MESSAGE"].encode())}) for entry in JOURNAL
    ),
    "journalctl -o json-pretty": "\n".join(json.dumps(entry, indent="\t") for entry in JOURNAL),
    "journalctl -o json-seq": "".join(f"\x1e{json.dumps(entry)}\n" for entry in JOURNAL),
    "journalctl -o json-sse": "".join(f"data: {json.dumps(entry)}\n\n" for entry in JOURNAL),
    "dmesg -J": json.dumps({"dmesg": [{"pri": 1, "time": 12.3, "msg": text} for text in TEXTS]}, indent=3),
    "JSON of lines after prose": "What I saw:\n" + "\n".join(map(json.dumps, JOURNAL)),
    "a table of Kibana's": '"@timestamp","message"\n'
    + "\n".join(f'"Jan 2, 2024 @ 03:04:05.678","{line}"' for line in PRINTED),
    "a quotation mark behind each line": "\n".join(f'{line}"' for line in PRINTED),
    "a quotation mark and a comma behind each line": "\n".join(f'{line}",' for line in PRINTED),
    "a list of Python's": "[\n" + "\n".join(f"    '{line}'," for line in PRINTED) + "\n]",
    "newest first": "\n".join(reversed(PRINTED)),
    "newest first without times": "\n".join(reversed(TEXTS)),
    "newest first, as JSON": "\n".join(json.dumps(entry) for entry in reversed(DOCKER)),
    "each line twice": "\n".join(line for line in PRINTED for _ in range(2)),
    "each line three times": "\n".join(line for line in PRINTED for _ in range(3)),
    "each line twice without times": "\n".join(line for line in TEXTS for _ in range(2)),
    "one console after the other": "\n".join(
        line for at in range(0, len(PRINTED), 8) for _ in range(2) for line in PRINTED[at : at + 8]
    ),
    "two consoles, one with a level": "\n".join(f"{line}\n<1>{line}" for line in PRINTED),
    "Markdown with escapes": "\n".join(re.sub(r"([][_+<>#-])", r"\\\1", line) for line in PRINTED),
    "prose around it": f"Hello,\n\nI get this on boot:\n\n{TIMED}\n\nRegards,\nX\n",
    "a table with the log in quotes": "\n".join(f'{n},"{line}"' for n, line in enumerate(PRINTED)),
    "pstore, in the order of its files": pstore(3, 2, 1),
    "pstore, in the order of its lines": pstore(1, 2, 3),
    "a line in fragments, as netconsole sends it": fragments(),
    "a pane of a terminal": "\n".join(f"\u2502{line:<150}\u2502" for line in PRINTED),
    "XML": "\n".join(f"<line n='{n}'>{html.escape(line)}</line>" for n, line in enumerate(PRINTED)),
    "a list as Python prints it": repr(PRINTED),
    "indented": textwrap.indent(TIMED, "        "),
    "in a fence": f"```\n{TIMED}\n```",
    "Markdown with escapes of brackets only": "\n".join(re.sub(r"([][])", r"\\\1", line) for line in PRINTED),
    "a table of Markdown": "\n".join(f"| {line} |" if n else f"| {line}" for n, line in enumerate(PRINTED)),
}  # fmt: skip


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_any_form(text):
    assert values(text) == EXPECTED
