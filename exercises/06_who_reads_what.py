# %% tags=["about"]
kind = "predict"
chapter = "01_two_programs"
difficulty = 2
minutes = 8
points = {"shared": 2, "moved": 2, "left_behind": 1}

# %% [markdown]
# # Exercise 6: who reads what?
#
# Four processes on one machine, with pages of 4 KiB. Follow what happens, line by line, and keep two lists on paper: which
# page is in which frame, and what is stored in which frame.

# %% tags=["seed"]
from pgtlab.lab import task

SEED = "practice"
print(task("06_who_reads_what", SEED))

# %% [markdown]
# **Your task.** Predict what each of the last reads gives: the number, or the text `"fault"` if the MMU refuses it.


# %% tags=["stub"]
answer = {
    "read 1": None,
    "read 2": None,
    "read 3": None,
    "read 4": None,
    "read 5": None,
}


# %% Where to begin [markdown] tags=["hint"]
# Make a table with a row for each frame. A write changes the frame that the page is in at that moment, and nothing else.

# %% What does moving a page do? [markdown] tags=["hint"]
# The bytes are copied into the new frame, and the list of that process is changed. The old frame still has what it had,
# until somebody writes there.

# %% tags=["call"]
from pgtlab.lab import check

check("06_who_reads_what", answer, seed=SEED)

# %% [markdown] tags=["solution"]
# The first two reads are about one frame with two names, the next two about the same address in two address spaces and
# about a page that nobody mapped. The fifth is why a kernel clears a frame before it gives it to somebody else.


# %% tags=["solution"]
frames, pages = {}, {}
answer, asked = {}, 0
for line in GIVEN["steps"]:
    what, process, *rest = line
    if what == "map":
        pages[process, rest[0]] = rest[1]
    elif what == "write":
        va, number = rest
        frames.setdefault(pages[process, va & ~0xFFF], {})[va & 0xFFF] = number
    elif what == "move":
        page, new = rest
        frames[new] = dict(frames[pages[process, page]])
        pages[process, page] = new
    else:
        va, asked = rest[0], asked + 1
        frame = pages.get((process, va & ~0xFFF))
        answer[f"read {asked}"] = "fault" if frame is None else frames[frame].get(va & 0xFFF, 0)


# %% Takes an address to name one byte for all processes tags=["wrong"] mark=0 feedback="One address, two address spaces"
bytes_at, answer, asked = {}, {}, 0
for what, process, *rest in GIVEN["steps"]:
    if what == "write":
        bytes_at[rest[0]] = rest[1]
    elif what == "read":
        asked += 1
        answer[f"read {asked}"] = bytes_at.get(rest[0], "fault")


# %% Does not see that a frame is shared tags=["wrong"] mark=0 feedback="who else has this frame"
own, answer, asked = {}, {}, 0
for what, process, *rest in GIVEN["steps"]:
    if what == "write":
        own[process, rest[0]] = rest[1]
    elif what == "read":
        asked += 1
        answer[f"read {asked}"] = own.get((process, rest[0]), "fault")


# %% Reads what is not mapped as zero tags=["wrong"] mark=2 feedback="is in no list"
frames, pages, answer, asked = {}, {}, {}, 0
for what, process, *rest in GIVEN["steps"]:
    if what == "map":
        pages[process, rest[0]] = rest[1]
    elif what == "write":
        frames[pages[process, rest[0] & ~0xFFF], rest[0] & 0xFFF] = rest[1]
    elif what == "move":
        old, pages[process, rest[0]] = pages[process, rest[0]], rest[1]
        frames |= {(rest[1], at): number for (frame, at), number in list(frames.items()) if frame == old}
    else:
        asked += 1
        answer[f"read {asked}"] = frames.get((pages.get((process, rest[0] & ~0xFFF)), rest[0] & 0xFFF), 0)


# %% Takes the frame to be empty when its page has moved tags=["wrong"] mark=4 feedback="Who cleared it"
frames, pages, answer, asked = {}, {}, {}, 0
for what, process, *rest in GIVEN["steps"]:
    if what == "map":
        pages[process, rest[0]] = rest[1]
    elif what == "write":
        frames[pages[process, rest[0] & ~0xFFF], rest[0] & 0xFFF] = rest[1]
    elif what == "move":
        old, pages[process, rest[0]] = pages[process, rest[0]], rest[1]
        frames = {(rest[1] if frame == old else frame, at): number for (frame, at), number in frames.items()}
    else:
        asked += 1
        frame = pages.get((process, rest[0] & ~0xFFF))
        answer[f"read {asked}"] = "fault" if frame is None else frames.get((frame, rest[0] & 0xFFF), 0)


# %% tags=["check"]
from dataclasses import dataclass
from random import Random

from pgtlab.arch.fault import Fault
from pgtlab.lab.expectations import expect_entries
from pgtlab.lab.machine import Machine

SAYS = {
    "map": "{0} maps page {1:#x} to frame {2:#x}",
    "write": "{0} writes {2} at {1:#x}",
    "move": "the kernel moves page {1:#x} of {0} to frame {2:#x}",
    "read": "{0} reads at {1:#x}",
}


@dataclass(frozen=True)
class Story:
    """What four processes do."""

    steps: list

    def __str__(self):
        lines, asked = [], 0
        for what, *rest in self.steps:
            if what == "read" and not asked:
                lines.append("")
            asked += what == "read"
            lines.append(f"read {asked}: " * (what == "read") + SAYS[what].format(*rest))
        return "\n".join(lines)


def given(seed):
    """A student's story: two frames with their sharers, one of which is moved, and five reads."""
    draw = Random(f"story {seed}")
    a, b, c, d = draw.sample("pqrstuvw", 4)
    same, shared, later = (draw.randrange(0x400, 0x8000) << 12 for _ in range(3))
    frames = [frame << 12 for frame in draw.sample(range(0x8_0000, 0x8_8000), 3)]
    offset, other = (8 * n for n in draw.sample(range(1, 512), 2))
    x, y, z, w = draw.sample(range(11, 99), 4)
    setting = [
        ("map", a, same, frames[0]),
        ("map", b, same, frames[1]),
        ("map", c, shared, frames[0]),
    ]
    draw.shuffle(setting)
    return Story(
        [
            *setting,
            ("write", a, same + offset, x),
            ("write", b, same + offset, y),
            ("write", c, shared + offset, z),
            ("write", c, shared + other, w),
            ("move", b, same, frames[2]),
            ("map", d, later, frames[1]),
            ("read", a, same + offset),  # z, through the other name of the frame
            ("read", a, same + other),  # w
            ("read", b, same + offset),  # y, in its new frame
            ("read", a, shared + offset),  # not mapped for this process
            ("read", d, later + offset),  # y, left in the old frame
        ]
    )


def run(steps):
    """What the reads give on the model's machine."""
    machine = Machine()
    processes, reads = {}, []
    for what, name, at, *rest in steps:
        process = processes.setdefault(name, machine.process(name))
        if what == "map":
            process.map(at, rest[0])
        elif what == "write":
            process.write(at, rest[0])
        elif what == "move":
            words = [process.read(at + place) for place in range(0, 4096, 8)]
            process.unmap(at)
            process.map(at, rest[0])
            for place, word in enumerate(words):
                if word:
                    process.write(at + 8 * place, word)
        else:
            got = process.read(at)
            reads.append("fault" if isinstance(got, Fault) else got)
    return reads


def entries(seed):
    """Each read with what is right, what wrong rules give, and what to say otherwise."""
    story = given(seed)
    reads = run(story.steps)
    x, y, z, _ = (rest[1] for what, _, *rest in story.steps if what == "write")
    first = "Which frame is the page in, and who else has this frame?"
    moved = "Which frame is that page in now, and what is stored there?"
    rules = (
        [
            (x, "", f"Here {x} was written, and later? Find out who else has this frame."),
            (
                y,
                "va-is-pa",
                "That was written by another process. One address, two address spaces: which frame is it here?",
            ),
        ],
        [
            ("fault", "", "The page is mapped. So who else has this frame?"),
            (0, "unmapped-reads-zero", "Somebody wrote there: who else has this frame?"),
        ],
        [
            (x, "va-is-pa", "That was written by another process, at the same address: which frame is it here?"),
            ("fault", "page-moves", "A page that was moved is still mapped: what did the kernel change?"),
            (0, "page-moves", "What became of the bytes when the page was moved?"),
        ],
        [
            (z, "va-is-pa", "Another process has that page. For this one it is in no list."),
            (0, "unmapped-reads-zero", "The page is in no list of this process: what does the MMU say?"),
        ],
        [
            (0, "", "This frame was used before. Who cleared it?"),
            ("fault", "", "The page is mapped, to a frame that was used before. Who cleared it?"),
            (x, "", "That was written to another frame."),
        ],
    )
    words = (
        first,
        first,
        moved,
        "Is that page mapped for this process?",
        "Which frame is that, and what was in it before?",
    )
    return {f"read {n}": entry for n, entry in enumerate(zip(reads, rules, words, strict=True), 1)}


def check_shared(answer, seed):
    """You see what is written through the other name of a frame."""
    expect_entries(answer, {name: entry for name, entry in entries(seed).items() if name in ("read 1", "read 2")})


def check_moved(answer, seed):
    """You know what moves with a page, and what is not mapped."""
    expect_entries(answer, {name: entry for name, entry in entries(seed).items() if name in ("read 3", "read 4")})


# %% tags=["hidden"]
def check_left_behind(answer, seed):
    """You know what is left in a frame."""
    expect_entries(answer, {name: entry for name, entry in entries(seed).items() if name == "read 5"})
