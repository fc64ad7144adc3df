"""Spinlocks and the preemption count (`linux/spinlock.h`, `kernel/locking/spinlock_debug.c`, v6.9).

Only one CPU runs, so no lock is ever waited for. A lock that is taken twice, or released without being held, is
reported as with CONFIG_DEBUG_SPINLOCK; a lock that an initcall does not release is reported after the initcall.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pgtlab.linux.kernel.printk import panic
from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel


class Lock(Protocol):
    """Anything that can be locked, wherever it keeps its state."""

    locked: bool


@dataclass
class Spinlock:
    """A `spinlock_t` on its own."""

    locked: bool = False


@static_inline
def spin_lock(k: Kernel, lock: Lock) -> None:
    """Take a lock and disable preemption; a lock that is already held is a recursion, which hangs the CPU."""
    if lock.locked:
        k.spin_bug("recursion")
        panic(k, "softlockup: hung tasks")  # the CPU spins forever; the watchdog notices (softlockup_panic=1)
    k.preempt_count += 1
    lock.locked = True


@static_inline
def spin_unlock(k: Kernel, lock: Lock) -> None:
    """Release a lock and enable preemption; releasing a lock that is not held is reported."""
    if not lock.locked:
        k.spin_bug("already unlocked")
    k.preempt_count -= 1
    lock.locked = False


@static_inline
def assert_spin_locked(k: Kernel, lock: Lock) -> None:
    """Stop the kernel if the lock is not held."""
    k.BUG_ON(not lock.locked, "!spin_is_locked(lock)")


def spin_bug(k: Kernel, what: str) -> None:
    """Report the wrong use of a lock."""
    message = f"BUG: spinlock {what} on CPU#0, {k.current.comm}/{k.current.pid}"
    k.report("BUG", text=message)
    k.printk(message)
    k.dump_stack()


@static_inline
def check_preempt_count(k: Kernel, initcall: str, before: int) -> None:
    """Warn if an initcall left the preemption count changed, and restore it: `do_one_initcall()` (`init/main.c`)."""
    after, k.preempt_count = k.preempt_count, before
    k.WARN(after != before, f"initcall {initcall} returned with preemption imbalance ")
