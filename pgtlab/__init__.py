"""A workbench for arm64 page tables: the same memory, seen by Linux and by the MMU.

>>> from pgtlab import CPU, Config, boot
>>> boot(Config("16k", 52), CPU.named("max")).vabits_actual
52
"""

from pgtlab.linux.boot import Boot, Fold, NoBoot, boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.decompose import decompose
from pgtlab.linux.kconfig import Config, configurations

__all__ = ["CPU", "Boot", "Config", "Fold", "NoBoot", "boot", "configurations", "decompose"]
