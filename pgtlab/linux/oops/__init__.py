"""Reading the reports in an arm64 kernel's log: `read(text)`, or `pgtlab oops FILE` at the shell.

The log may be anyone's: with or without timestamps, quoted in a mail, cut off, interleaved.

>>> from pgtlab.linux import oops
>>> log = oops.read("[    0.16] Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP")
>>> log
Log(1 report: oops)
>>> [(report.kind, hex(report.esr)) for report in log.reports]
[('oops', '0x96000004')]

`print(log)` is what the command prints. A text without a report of arm64 is an `OopsError` of one sentence.
"""

from pgtlab.linux.oops.reading.printed import Report
from pgtlab.linux.oops.reading.read import Log, OopsError, read

__all__ = ["Log", "OopsError", "Report", "read"]
