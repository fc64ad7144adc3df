"""Questions of chapter 5: tasks, the end of the kernel, and the processor's state."""

from random import Random

from pgtlab.lab.question import Number, Question, Words, Wrong, multiple_choice


def which_swapper(draw: Random) -> Question:
    right = "no: one is a task, the other an address space"
    return multiple_choice(
        text="Line 19 says `PID: 1 Comm: swapper/0`, and line 16 `active_mm is swapper`. Do the two speak of the same thing?",
        right=right,
        wrong={
            "yes: the address space of the process swapper/0 was in use": (
                "two-swappers: This task has no address space of its own, and no process has run before it. Line 16 "
                "calls the *kernel's* tables swapper, after the first table that Linux ever had. Line 19 calls a "
                "*task* so: it still has the name of the one that started it."
            ),
            "yes: both say that memory was being swapped to disk": (
                "swapper-swaps: Nothing has been swapped. Both are old names that nobody changed."
            ),
        },
        truth="**They are two things.** swapper/0 is the name of the idle task of CPU 0, which PID 1 has inherited; swapper is the "
        "address space of the kernel itself, with its tables swapper_pg_dir.",
        lines=(16, 19),
    )


def exit_code(draw: Random) -> Question:
    return Question(
        text="Line 53: `Attempted to kill init! exitcode=0x0000000b`. The low seven bits of an exit code are the number of the signal "
        "that ended the task. What is the number of that signal?",
        answer=Number(0x0000000B & 0x7F),
        wrong=(
            Wrong(0, "exit-code-means-no-error", "0 would be a task that ended by itself. Look at the last digit."),
            Wrong(13, "hex-counts-in-tens", "`b` is the digit for eleven."),
            Wrong(
                9,
                "kill-is-a-signal",
                "9 is SIGKILL, and the line has the word *kill* in it; but it is about the task that ended, init. By what, the exit code says: read the number.",
            ),
            Wrong(1, "pid-is-the-signal", "1 is the number of the task, its PID. The signal is in the exit code."),
            Wrong(8, "the-address-is-the-signal", "8 is the address that was read. The signal is in the exit code."),
        ),
        steps=("The last digit of the exit code is `b`, and `a` stands for ten.",),
        truth=f"`0xb` = **{0xB}**: SIGSEGV, the signal for an access to memory that is not there. The kernel ends the task that failed "
        "as it would end a program.",
        lines=(53,),
    )


def why_it_stopped(draw: Random) -> Question:
    right = "the task that died was PID 1"
    return multiple_choice(
        text="Many kernels print an oops and go on. Why did this one stop?",
        right=right,
        wrong={
            "after an oops no kernel can go on": (
                "oops-is-panic: An oops usually ends the *task* in which it happened, and the kernel goes on without "
                "it. A panic is the kernel's decision not to go on."
            ),
            "the page tables had been destroyed": (
                "panic-is-damage: Nothing says so: the kernel went on to print thirty more lines, so its own half of "
                "the addresses was mapped."
            ),
            "all CPUs had failed, see line 54": (
                "smp-means-all-failed: Line 54 says that the *others* were stopped, afterwards and on purpose."
            ),
        },
        truth="**PID 1 died.** It is the first task, which becomes init, the parent of all programs. A kernel that loses it panics.",
        lines=(53, 54),
    )


def exception_level(draw: Random) -> Question:
    pstate = 0x2140_0005
    return Question(
        text="Line 21: `pstate: 21400005`. Its lowest four bits are the mode: bits 3:2 are the exception level. Which number has "
        "the one that the processor was at?",
        answer=Number(pstate >> 2 & 3),
        wrong=(
            Wrong(
                pstate & 0xF,
                "the-mode-is-the-level",
                "5 is the whole mode, 0b0101. The exception level is its upper two bits.",
            ),
            Wrong(0, "an-oops-is-a-program-s", "0 would be a program. Write 5 as four bits: 0101."),
            Wrong(
                pstate & 0xC,
                "a-field-stays-in-place",
                "Those are the right bits, still in their places: 0100. Shifted down to bit 0, which number are they?",
            ),
            Wrong(
                pstate >> 1 & 3,
                "bits-are-counted-from-1",
                "2 are bits 2:1. Bits are counted from 0, on the right: 3:2 are the two on the left of 0101.",
            ),
        ),
        steps=("Write the last digit, 5, as four bits. Which are its bits 3:2?",),
        truth=f"0b{pstate & 0xF:04b}: **EL{pstate >> 2 & 3}**, the kernel. It agrees with EC = 0x25, *current EL*.",
        lines=(21,),
    )


def in_your_words(draw: Random) -> Question:
    return Question(
        text="Say in two or three sentences what lines 5 to 17 of the log tell you, to somebody who has not read this chapter.",
        answer=Words(),
        truth="The kernel itself read from address 8, where nothing is mapped. No program was involved: the task has no memory of its "
        "own, and so the walk ended at its first read, at level 0. What the kernel was looking for at address 8, and why, these "
        "lines do not say. Did you say who read, at which address, at which level and why, and what is not known?",
        lines=(5, 17),
    )
