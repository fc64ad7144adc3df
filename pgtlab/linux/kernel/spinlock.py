"""Spinlocks, and the count that says whether any is held (`linux/spinlock.h`, `kernel/locking/spinlock_debug.c`, v6.9).

One CPU runs, so that nobody waits for a lock; but a lock that is taken twice, or given back without being held, is
noticed, as with CONFIG_DEBUG_SPINLOCK, and one that is kept is, by the initcall's caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pgtlab.linux.kernel.printk import panic
from pgtlab.linux.kernel.symbols import static_inline

if TYPE_CHECKING:
    from pgtlab.linux.kernel import Kernel


class Lock(Protocol):
    """What can be locked, wherever it keeps its state."""

    locked: bool


@dataclass
class Spinlock:
    """`spinlock_t` by itself."""

    locked: bool = False


@static_inline
def spin_lock(k: Kernel, lock: Lock) -> None:
    """Take a lock, and do not be preempted from here on."""
    if lock.locked:
        k.spin_bug("recursion")
        panic(k, "softlockup: hung tasks")  # the CPU spins forever; the watchdog notices (softlockup_panic=1)
    k.preempt_count += 1
    lock.locked = True


@static_inline
def spin_unlock(k: Kernel, lock: Lock) -> None:
    """Give it back."""
    if not lock.locked:
        k.spin_bug("already unlocked")
    k.preempt_count -= 1
    lock.locked = False


@static_inline
def assert_spin_locked(k: Kernel, lock: Lock) -> None:
    """The caller must hold it."""
    k.BUG_ON(not lock.locked, "!spin_is_locked(lock)")


def spin_bug(k: Kernel, what: str) -> None:
    """Report a lock that is misused."""
    message = f"BUG: spinlock {what} on CPU#0, {k.current.comm}/{k.current.pid}"
    k.report("BUG", text=message)
    k.printk(message)
    k.dump_stack()


@static_inline
def check_preempt_count(k: Kernel, initcall: str, before: int) -> None:
    """An initcall must give back every lock: `do_one_initcall()` looks, and sets it right (`init/main.c`)."""
    after, k.preempt_count = k.preempt_count, before
    k.WARN(after != before, f"initcall {initcall} returned with preemption imbalance ")
