"""ESR_EL1 decoded: why an exception was taken, every bit by its name (Arm ARM D24.2, ESR_EL1).

>>> from pgtlab.arch import esr
>>> print(esr.decode(0x96000004).summary)
Data Abort taken without a change in Exception level: Translation fault, level 0, reading
"""

from pgtlab.arch.esr.syndrome import BRK64, EXCEPTION_CLASSES, Syndrome, decode

__all__ = ["BRK64", "EXCEPTION_CLASSES", "Syndrome", "decode"]
