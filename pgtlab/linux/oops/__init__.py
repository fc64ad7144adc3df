"""Reading the reports in an arm64 kernel's log: `read(text)`, or `pgtlab oops FILE` at the shell.

The log of `oops.read` may be anyone's: with or without timestamps, quoted in a mail, cut off, interleaved.
"""

from pgtlab.linux.oops.report import Log, OopsError, Report

__all__ = ["Log", "OopsError", "Report"]
