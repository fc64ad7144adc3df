"""Write the tables of docs/instructor.md: the goals of each chapter, and the misconceptions with where they are caught.

.venv/bin/python docs/write_instructor.py
"""

from __future__ import annotations

import re
from pathlib import Path

from pgtlab.lab import chapters
from pgtlab.lab.question import draw

PAGE = Path(__file__).resolve().parent / "instructor.md"
SEEDS = 12  # draws of a question, so that each of its wrong answers comes up


def goals() -> str:
    """A row for each chapter: minutes, goals and gate."""
    rows = ["| chapter | minutes | tier | after it a student can | gate |", "|---|---|---|---|---|"]
    for plan in chapters.plans().values():
        if plan.number and plan.written:
            minutes = f"{plan.minutes}" + (f" ({plan.full_minutes})" if plan.full_minutes else "")
            heading = f"[{plan.heading}](../notebooks/{plan.stem}.py)"
            gate = plan.gate.replace("_", " ")
            rows.append(f"| {heading} | {minutes} | {plan.tier} | {'; '.join(plan.goals)} | {gate} |")
    return "\n".join(rows)


def misconceptions() -> str:
    """A row for each misconception: what is believed, and the questions whose feedback answers it."""
    rows = ["| chapter | what is believed | caught by |", "|---|---|---|"]
    for plan in chapters.plans().values():
        asked: dict[str, list[str]] = {}
        for full in chapters.names(plan.stem):
            _, make = chapters.question(full, plan.stem)
            keys = {wrong.key for seed in range(SEEDS) for wrong in draw(make, f"{seed}").wrong}
            for key in sorted(keys):
                asked.setdefault(key, []).append(full.partition("/")[2].replace("_", " "))
        for key, sentence in chapters.misconceptions(plan.stem).items():
            if key in asked:
                rows.append(f"| {plan.number} | {sentence} | {', '.join(asked[key])} |")
    return "\n".join(rows)


def written(page: str) -> str:
    """The page with its tables as they are now."""
    for name, table in {"goals": goals(), "misconceptions": misconceptions()}.items():
        text = f"<!-- {name} -->\n\n{table}\n\n<!-- end -->"
        page = re.sub(rf"<!-- {name} -->.*?<!-- end -->", lambda match, text=text: text, page, flags=re.DOTALL)
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
