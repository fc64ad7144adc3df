"""Write docs/cli.md from the parsers of the `pgtlab` command.

    .venv/bin/python docs/write_cli.py

Not what `--help` prints, since that is laid out differently from one Python to the next.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

from pgtlab.cli import GROUPS, parser

PAGE = Path(__file__).with_name("cli.md")
SCHEMAS = PAGE.with_name("schemas")
HEAD = """\
<!-- Written by docs/write_cli.py from the command's own parsers: `make docs` writes it again. -->

# The `pgtlab` command

{description} [Eight tasks](howto.md) show it at work.

{subcommands}

## What holds for all of them

`pgtlab COMMAND --help` says what is below, `pgtlab --version` which pgtlab it is.

| exit status | meaning |
|---|---|
| 0 | success |
| 1 | the answer is no: a kernel reported something or did not boot, an address is not mapped, a record disagrees |
| 2 | usage error: bad arguments, or a file that is missing or not of the right kind; one sentence says which |
| 128 | the same, or a failure of our own, where a bisection goes by the status (`--tree-file`, `--bad`): it ends |
| 130, 141 | stopped by Ctrl-C; the reader of the answer, such as `head`, has closed the pipe |

A command whose section below says nothing else exits with 0 or 2. Text is read from standard input
where FILE is `-`: a log, a tree file, a trace.

`--json` prints the answer as JSON, [described by a schema](json.md) for each command. A few words are in colour where
standard output is a terminal, unless the environment variable `NO_COLOR` is set; they say the same without.

`eval "$(pgtlab completion bash)"`, in `~/.bashrc` to keep it, lets the Tab key complete commands, options, files, and
the names of trees and CPUs.
"""


def page() -> str:
    """The whole page."""
    top = parser()
    [commands] = [action for action in top._actions if isinstance(action, argparse._SubParsersAction)]
    rows = {
        c.dest.split()[0]: f"- [`{c.dest}`](#pgtlab-{c.dest.split()[0]}): {c.help}" for c in commands._choices_actions
    }
    groups = [
        "\n".join([f"{group[0].upper()}{group[1:]}:\n", *(rows[name.replace("_", "-")] for name in names)])
        for group, names in GROUPS.items()
    ]
    parts = [HEAD.format(description=top.description, subcommands="\n\n".join(groups))]
    sections = {subparser.prog: subparser for subparser in commands.choices.values()}  # aliases once
    return "\n".join([*parts, *("\n".join(section(subparser)) for subparser in sections.values())])


def section(command: argparse.ArgumentParser) -> Iterator[str]:
    """What one subcommand does, an example, and its arguments."""
    yield f"## {command.prog}\n"
    yield f"{command.description}\n"
    yield "\n".join(["```sh", *examples(command), "```", ""])
    given = [action for action in command._actions if not isinstance(action, argparse._HelpAction)]
    arguments = [name_of(action) for action in given if not action.option_strings]
    yield f"`{' '.join([command.prog, *(['[OPTIONS]'] if len(arguments) < len(given) else []), *arguments])}`\n"
    for group in command._action_groups:
        actions = [action for action in group._group_actions if action in given]
        if actions and group.title not in ("positional arguments", "options"):
            yield f"{(group.title or '').capitalize()}{f' ({group.description})' if group.description else ''}:\n"
        if actions:
            yield "\n".join(f"- `{name_of(action)}`: {action.help}" for action in actions) + "\n"
    name = command.prog.split()[-1]
    if (SCHEMAS / f"{name}.json").exists():
        yield f"The answer as JSON: [schemas/{name}.json](schemas/{name}.json).\n"


def examples(command: argparse.ArgumentParser) -> list[str]:
    """The commands that the end of the help shows: `example: ...`, or `examples: ...; ...`."""
    shown = re.search(r"examples?: (.*)", command.epilog or "")
    return shown[1].split("; ") if shown else []


def name_of(action: argparse.Action) -> str:
    """An argument as one writes it: `--cpu NAME`, `VALUE`, `[FILE ...]`."""
    if action.nargs == 0:
        return ", ".join(action.option_strings)
    value = action.metavar or (f"{{{','.join(action.choices)}}}" if action.choices else action.dest.upper())
    if action.option_strings:
        return f"{', '.join(action.option_strings)} {value}"
    return {"?": f"[{value}]", "*": f"[{value} ...]", "+": f"{value} [{value} ...]"}.get(str(action.nargs), str(value))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
