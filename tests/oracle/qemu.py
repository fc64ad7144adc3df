"""Builds the guest, runs it in QEMU and brings back what its MMU answered."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

GUEST = Path(__file__).parent / "guest"
COMPILER, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-system-aarch64"
PACKAGES = {COMPILER: "gcc-aarch64-linux-gnu", EMULATOR: "qemu-system-arm"}

# RAM is large and sparse, so that tables can be anywhere below 2**40; the guest and its job lie above them.
RAM_START, RAM_SIZE = 1 << 30, 1 << 40
LOWEST_TABLE = RAM_START + (2 << 20)  # QEMU leaves a device tree at the start of RAM
GUEST_START = 1 << 40
JOB_START = GUEST_START + (256 << 20)
JOB_LIMIT = RAM_START + RAM_SIZE - JOB_START
MEMORY_LIMIT = 1 << 30  # of guest RAM that one run of QEMU touches


class OracleError(Exception):
    """The oracle has no answer, and its message says why."""


@dataclass(frozen=True)
class Image:
    """Registers, the table pages in memory, and what to ask: an operation on each address.

    `granules` are those of TTBR0_EL1 and TTBR1_EL1, in bytes. `words` has a row for each page, which begins at its
    address in `page_base`. Operations are 0 to 3, for S1E1R, S1E1W, S1E0R and S1E0W. `note` has bits of `Note`, for
    what is special about a case.
    """

    tcr: int
    ttbr0: int
    ttbr1: int
    mair: int
    sctlr: int
    granules: tuple[int, int]
    page_base: Words
    words: Words
    va: Words
    op: NDArray[np.uint8]
    note: NDArray[np.uint32]


@dataclass(frozen=True)
class Answers:
    """PAR_EL1 for each case of an image, or 0 where AT ended in an exception and `esr` is ESR_EL2; how long it took."""

    par: Words
    esr: Words
    seconds: float


def missing_tools() -> str | None:
    """One sentence that names the tools that are not here and their Debian packages; None where all are."""
    missing = [tool for tool in PACKAGES if not shutil.which(tool)]
    if not missing:
        return None
    packages = " ".join(PACKAGES[tool] for tool in missing)
    return f"{' and '.join(missing)} not found: install {packages} (Debian: apt-get install {packages})."


@cache
def version() -> tuple[int, ...]:
    """QEMU's version, as in (7, 2, 22)."""
    said = _run([EMULATOR, "--version"], cwd=GUEST, timeout=30)
    found = re.search(r"version (\d+)\.(\d+)\.(\d+)", said)
    if not found:
        raise OracleError(f"{EMULATOR} does not say its version: {said!r}")
    return tuple(map(int, found.groups()))


def ask(images: list[Image], *, passes: int = 1, timeout: float = 600) -> list[Answers]:
    """Let QEMU translate every address of every image.

    Parameters
    ----------
    images : list of Image
        Each finds its pages in memory, and zeros elsewhere.
    passes : int
        How often to ask; more than once only to take the time, and only without TCR_EL1.HA.
    timeout : float
        In seconds, for one run of QEMU, which is stopped after it.

    Raises
    ------
    OracleError
        Where QEMU does not come to an end by itself, or does not answer everything.
    """
    with TemporaryDirectory(prefix="oracle-") as name:
        folder = Path(name)
        _build(folder)
        return [answer for batch in _batches(images) for answer in _run_guest(folder, batch, passes, timeout)]


def _batches(images: list[Image]) -> Iterator[list[Image]]:
    """The images in as many runs of QEMU as keep its memory small: Linux may give it 2 MiB for each page it touches."""
    batch: list[Image] = []
    touched = 0
    for image in images:
        touched += len(np.unique(image.page_base >> 21))
        if batch and touched << 21 > MEMORY_LIMIT:
            yield batch
            batch, touched = [], len(np.unique(image.page_base >> 21))
        batch.append(image)
    if batch:
        yield batch


def _run_guest(folder: Path, images: list[Image], passes: int, timeout: float) -> list[Answers]:
    job = np.concatenate([np.array([len(images)], np.uint64), *(_job(image, passes) for image in images)])
    if job.nbytes > JOB_LIMIT:
        raise OracleError(f"a job of {job.nbytes} bytes: the guest has room for {JOB_LIMIT}, so ask less at once")
    job.astype("<u8").tofile(folder / "job")
    _run([EMULATOR, *_machine()], cwd=folder, timeout=timeout)
    answers = np.fromfile(folder / "answers", "<u8").astype(np.uint64).reshape(-1, 2)
    ends = np.cumsum([0, *(len(image.va) + 1 for image in images)])  # after an image's answers comes their timing
    if ends[-1] != len(answers):
        raise OracleError(f"QEMU gave {len(answers)} answers of {ends[-1]}")
    return [_answers(answers[begin:end]) for begin, end in pairwise(ends)]


def _build(folder: Path) -> None:
    options = "-O2 -std=gnu11 -Wall -Wextra -Werror -ffreestanding -fno-pie -fno-tree-loop-distribute-patterns"
    # No FP registers, which need enabling, and no unaligned access, which faults while the MMU is off.
    options += " -fno-asynchronous-unwind-tables -mgeneral-regs-only -mstrict-align"
    link = f"-nostdlib -static -no-pie -Wl,-n,--build-id=none,-Ttext={GUEST_START:#x}"
    sources = [str(GUEST / "start.S"), str(GUEST / "at.c")]
    _run(
        [COMPILER, *options.split(), f"-DJOB={JOB_START:#x}", *link.split(), "-o", "guest.elf", *sources],
        cwd=folder,
        timeout=900,
    )


def _machine() -> list[str]:
    return [
        *("-M", "virt,virtualization=on,memory-backend=ram", "-cpu", "max", "-smp", "1", "-accel", "tcg"),
        *("-m", f"{RAM_SIZE >> 30}G", "-object", f"memory-backend-ram,id=ram,size={RAM_SIZE >> 30}G,reserve=off"),
        *("-nodefaults", "-display", "none", "-serial", "none", "-monitor", "none"),
        *("-semihosting-config", "enable=on,target=native"),
        *("-device", f"loader,file=job,addr={JOB_START:#x},force-raw=on", "-device", "loader,file=guest.elf,cpu-num=0"),
    ]


def _run(command: list[str], *, cwd: Path, timeout: float) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise OracleError(missing_tools() or f"{command[0]}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise OracleError(f"{command[0]} did not end within {timeout:g} s and was stopped") from error
    if done.returncode:
        raise OracleError(f"{command[0]} ended with status {done.returncode}: {done.stderr.strip() or 'no message'}")
    return done.stdout


def _job(image: Image, passes: int) -> Words:
    """The image as the guest's `struct image` and what follows it, in 64-bit words."""
    page, index = np.nonzero(image.words)
    addresses = image.page_base[page] + np.uint64(8) * index.astype(np.uint64)
    memory = np.stack([addresses, image.words[page, index]], axis=1)
    questions = np.stack([image.va, image.op.astype(np.uint64)], axis=1)
    hardware_updates = image.tcr >> 39 & 1
    registers = [image.tcr, image.ttbr0, image.ttbr1, image.mair, image.sctlr]
    header = np.array([*registers, hardware_updates, passes, len(memory), len(questions)], np.uint64)
    return np.concatenate([header, memory.ravel(), questions.ravel()])


def _answers(rows: Words) -> Answers:
    ticks, frequency = rows[-1]
    return Answers(rows[:-1, 0], rows[:-1, 1], float(ticks) / float(frequency))
