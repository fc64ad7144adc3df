"""Reading the reports in an arm64 kernel's log: `read(text)`, or `pgtlab oops FILE` at the shell.

The log may be anyone's: with or without timestamps, quoted in a mail, cut off, interleaved.

>>> from pgtlab.linux import oops
>>> log = oops.read("Unable to handle kernel NULL pointer dereference at virtual address 0000000000000008\\n"
...     "Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP")
>>> log
OopsLog(1 report: oops)
>>> [(report.kind, hex(report.esr)) for report in log.reports]
[('oops', '0x96000004')]
>>> log.diagnosis
a NULL pointer plus 0x8 was used; the log does not show which register was NULL (likely)
  the reported address is 0x8 (line 1)

`print(log)` is what the command prints. A text without a report of arm64 is an `OopsError` of one sentence.

The package has four wings, each of which imports only those before it: `reading` (the text, to values), `inferring`
(what follows about the kernel), `diagnosis` (what went wrong), `showing` (text, JSON, lines, pictures).
"""

from pgtlab.linux.oops.reading import OopsError
from pgtlab.linux.oops.showing import OopsLog, OopsReport, read

__all__ = ["OopsError", "OopsLog", "OopsReport", "read"]
