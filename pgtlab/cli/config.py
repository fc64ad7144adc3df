"""``pgtlab config``: a configuration on a CPU, what booting it gives, and every constant of it."""

from __future__ import annotations

import argparse

from pgtlab.cli.options import add_kernel_options, booted, numbers, print_json
from pgtlab.linux.boot import Boot, NoBoot


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``pgtlab config`` to the command."""
    parser = subparsers.add_parser(
        "config",
        help="what a kernel configuration becomes on a CPU",
        description="What booting a kernel configuration on a CPU gives: bits of virtual address, the levels that are "
        "real and the levels that are folded, TCR_EL1, and the kernel's constants.",
        epilog="example: pgtlab config --page-size 16k --va-bits 52 --cpu neoverse-n1",
        allow_abbrev=False,
    )
    add_kernel_options(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Print the configuration."""
    result = booted(args)
    if args.json:
        print_json(as_dict(result))
    else:
        print(as_text(result))
    return 0


def as_dict(result: Boot | NoBoot) -> dict[str, object]:
    """The answer as plain data; `runtime` is None where the kernel does not boot, and `reason` says why."""
    config = result.config
    answer: dict[str, object] = {
        "page_size": config.page_size,
        "va_bits": config.va_bits,
        "pa_bits": config.pa_bits,
        "cpu": result.cpu.name,
        "constants": numbers(config.constants),
    }
    if isinstance(result, NoBoot):
        return answer | {"runtime": None, "reason": result.reason}
    return answer | {
        "runtime": {
            "vabits_actual": result.vabits_actual,
            "tcr_el1": f"{result.tcr_el1.value:#x}",
            "start_level": result.start_level,
            "folded": {name: fold.value for name, fold in result.folded.items()},
            **numbers(result.constants),
        }
    }


def as_text(result: Boot | NoBoot) -> str:
    """The answer as a few lines, with the constants below."""
    config = result.config
    lines = [f"{config.granule} pages, VA_BITS={config.va_bits}, PA_BITS={config.pa_bits} on {result.cpu.name}"]
    constants = dict(config.constants)
    if isinstance(result, NoBoot):
        lines.append(f"does not boot: {result.reason}")
    else:
        lines.append(f"vabits_actual {result.vabits_actual}, the walk starts at level {result.start_level}")
        lines += [f"{name} {fold.value}" for name, fold in result.folded.items()]
        lines.append(repr(result.tcr_el1))
        constants |= result.constants
    width = max(map(len, constants))
    return "\n".join([*lines, "", *(f"{name:{width}}  {value:#x}" for name, value in constants.items())])
