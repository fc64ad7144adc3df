"""Where the command begins: ``pgtlab``, or ``python -m pgtlab`` where the script is not on the PATH.

Ctrl-C ends the command silently from here on, also while Python loads the rest of it and while it ends. That is why
this module imports nothing of it at the top.
"""

from __future__ import annotations

import os
import sys

INTERRUPTED = 130  # what a shell reports for a program that SIGINT ended

try:
    import signal  # and a dozen modules of Python's with it
except KeyboardInterrupt:
    os._exit(INTERRUPTED)


def main() -> int:
    """Run the command and return its exit status; 130 for Ctrl-C, whenever it comes."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        from pgtlab.cli import main as run

        return run()  # Ctrl-C is ignored, as in what a shell starts in the background

    signal.signal(signal.SIGINT, _leave)  # nothing has begun that would need an end
    from pgtlab.cli import main as run

    interrupted = False

    def interrupt(*_: object) -> None:
        nonlocal interrupted
        interrupted = True
        raise KeyboardInterrupt

    try:
        sys.unraisablehook = _leave_or_tell
        signal.signal(signal.SIGINT, interrupt)
        return run()
    except BaseException:
        if not interrupted:
            raise
        return INTERRUPTED  # a library may have made another exception of it
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the answer is complete


def _leave(*_: object) -> None:
    os._exit(INTERRUPTED)


def _leave_or_tell(unraisable: sys.UnraisableHookArgs) -> None:
    """End the command for a Ctrl-C that came where Python cannot raise an exception, such as in a destructor."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        _leave()
    sys.__unraisablehook__(unraisable)


if __name__ == "__main__":
    sys.exit(main())
