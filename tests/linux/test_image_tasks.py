"""A process's tables, found by its number or name: through symbols, type information and the kernel's list of tasks.

The kernel's memory is made here, in the formats of `kernel/kallsyms.c` and `Documentation/bpf/btf.rst`.
"""

import shutil
import struct
import subprocess
import sys

import pytest
from image_files import elf, note

from pgtlab.arch.mapper import Mapper
from pgtlab.arch.registers import TTBR0_EL1
from pgtlab.cli import main
from pgtlab.linux.boot import boot
from pgtlab.linux.cpu import CPU
from pgtlab.linux.image import Image, ImageError
from pgtlab.linux.images.tasks import ImageTask, task_of
from pgtlab.linux.images.tasks.btf import BTF, BTFError
from pgtlab.linux.images.tasks.kallsyms import symbols_in
from pgtlab.linux.kconfig import Config

BOOT = boot(Config("4k", 48), CPU.named("max"))
BASE, RAM, SIZE = 0xFFFF_8000_8000_0000, 0x4000_0000, 1 << 20  # where this memory is mapped
USER = 0x40_0000
COMPILER = "aarch64-linux-gnu-gcc"
#: struct: member, its offset in bits; an empty name is a struct without one, of the number after it.
STRUCTS = {
    "list_head": [("next", 0), ("prev", 64)],
    "task_struct": [
        ("pid", 64),
        ("tgid", 96),
        ("comm", 128),
        ("mm", 256),
        ("signal", 320),
        ("tasks", 384),
        ("thread_node", 512),
    ],
    "signal_struct": [("thread_head", 64)],
    "inner": [("pgd", 128)],
    "mm_struct": [("", 64, 4)],
}


def btf(structs=STRUCTS):
    strings, types = bytearray(b"\0"), b""

    def text(name):
        strings.extend(name.encode() + b"\0")
        return len(strings) - len(name) - 1

    for name, members in structs.items():
        types += struct.pack("<III", text(name), 4 << 24 | len(members), 128)
        for member, offset, *number in members:
            types += struct.pack("<III", text(member) if member else 0, number[0] if number else 0, offset)
        types += struct.pack("<IIII", text(f"int_{name}"), 1 << 24, 4, 32)  # an INT, with four bytes after it
    numbers = {name: 2 * i + 1 for i, name in enumerate(structs)}
    types = types.replace(struct.pack("<II", 4, 64), struct.pack("<II", numbers.get("inner", 0), 64))
    return struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(types), len(types), len(strings)) + types + bytes(strings)


def kallsyms(symbols):
    """The parts of the table, by name: each letter stands for itself, and `init_` is one piece."""
    tokens = [bytes([i]) for i in range(256)]
    tokens[1] = b"init_"
    table, index = b"", []
    for token in tokens:
        index.append(len(table))
        table += token + b"\0"
    names = b""
    for name in symbols:
        packed = (b"D" + name.encode()).replace(b"init_", b"\1")
        names += (
            bytes([len(packed)]) if len(packed) < 128 else bytes([len(packed) & 127 | 128, len(packed) >> 7])
        ) + packed
    return {
        "kallsyms_names": names,
        "kallsyms_num_syms": struct.pack("<I", len(symbols)),
        "kallsyms_token_table": table,
        "kallsyms_token_index": struct.pack("<256H", *index),
        "kallsyms_offsets": b"".join(struct.pack("<I", va - BASE) for va in symbols.values()),
        "kallsyms_relative_base": struct.pack("<Q", BASE),
    }


#: pid, tgid, comm, the mm by number or None
TASKS = ((0, 0, "swapper/0", None), (1, 1, "init", 0), (7, 7, "sh", 1), (8, 7, "sh-thread", 1), (9, 9, "init", 2))


def dumped(tmp_path, *, with_kallsyms=True, types=None, tasks=TASKS, base=0, more="", relative_base=True):
    """A core dump of a kernel with these tasks: the file, and the physical address of each mm's first table."""
    mapper = Mapper.in_ram(BOOT.tcr_el1, base=RAM + SIZE + base)
    memory = mapper.mmu.memory
    mapper.map_range(BASE, RAM + SIZE + base + (16 << 20), SIZE, UXN=1, PXN=1)
    content = bytearray(SIZE)
    pgds = [RAM + SIZE + base + (17 << 20) + (i << 12) for i in range(3)]
    for i, pgd in enumerate(pgds):
        from dataclasses import replace

        user = Mapper(replace(mapper.mmu, ttbr0=TTBR0_EL1(pgd & (1 << 48) - 1 | pgd >> 48 << 2)), mapper.frames)
        user.map_range(USER, 0x9000_0000 + (i << 12), 4096, AP=1)
    mapper.map_range(BASE + SIZE, pgds[0], 3 << 12)

    def put(place, value):
        content[place : place + len(value)] = value

    def task(number):
        return BASE + 0x1000 + 0x100 * number

    leaders = [i for i, (pid, tgid, *_) in enumerate(tasks) if pid == tgid]
    for i, (pid, tgid, comm, mm) in enumerate(tasks):
        at = 0x1000 + 0x100 * i
        put(at + 8, struct.pack("<ii", pid, tgid) + comm.encode())
        put(at + 32, struct.pack("<Q", 0 if mm is None else BASE + 0x8000 + 0x100 * mm))
        leader = next(n for n in leaders if tasks[n][0] == tgid)
        put(at + 40, struct.pack("<Q", BASE + 0x6000 + 0x100 * leader))
        put(at + 48, struct.pack("<Q", task(leaders[(leaders.index(leader) + 1) % len(leaders)]) + 48))
        group = [n for n, (_, other, *_) in enumerate(tasks) if other == tgid]
        nodes = [BASE + 0x6000 + 0x100 * leader + 8, *(task(n) + 64 for n in group)]
        for node, following in zip(nodes, nodes[1:] + nodes[:1], strict=True):
            put(node - BASE, struct.pack("<Q", following))
    for i in range(3):
        put(0x8000 + 0x100 * i + 8 + 16, struct.pack("<Q", BASE + SIZE + (i << 12)))
    types = btf() if types is None else types
    put(0x20000, types)
    symbols = {
        "a" * 200: BASE,
        "init_task": BASE + 0x1000,
        "__start_BTF": BASE + 0x20000,
        "__stop_BTF": BASE + 0x20000 + len(types),
    }
    said = {}
    place = 0x40000
    for name, part in kallsyms(symbols).items():
        if not relative_base and name == "kallsyms_relative_base":
            continue
        if not relative_base and name == "kallsyms_offsets":
            part = b"".join(struct.pack("<i", va - BASE - place - 4 * i) for i, va in enumerate(symbols.values()))
        put(place, part)
        said[name] = BASE + place
        place += len(part) + 15 & ~7
    root = mapper.mmu.upper.base
    text = f"OSRELEASE=6.12.0\nPAGESIZE=4096\nNUMBER(VA_BITS)=48\nSYMBOL(swapper_pg_dir)={BASE + SIZE + 0x10000:x}\n"
    text += f"NUMBER(kimage_voffset)={BASE + SIZE + 0x10000 - root & (1 << 64) - 1:#x}\n"
    mapper.map_range(BASE + SIZE + 0x10000, root, 4096)
    text += more
    if with_kallsyms:
        text += "".join(f"SYMBOL({name})={va:x}\n" for name, va in said.items())
    pages = [(pa, memory.read(pa, 512).tobytes()) for pa in memory.pages]
    path = tmp_path / "vmcore"
    path.write_bytes(
        elf([*pages, (RAM + SIZE + base + (16 << 20), bytes(content))], note(b"VMCOREINFO", 0, text.encode()))
    )
    return path, pgds, symbols


@pytest.mark.parametrize("relative_base", [True, False], ids=["v6.0", "v7.3"])
def test_tasks_are_those_of_the_kernels_list(tmp_path, relative_base):
    path, pgds, _ = dumped(tmp_path, relative_base=relative_base)
    image = Image.open(path)
    assert image.notes == ()
    assert image.tasks() == tuple(
        ImageTask(pid, tgid, comm, None if mm is None else pgds[mm]) for pid, tgid, comm, mm in TASKS
    )


@pytest.mark.parametrize("given", [{"pid": 7}, {"pid": 8}, {"task": "sh"}, {"task": "sh-thread"}])
def test_ttbr0_is_that_of_the_process(tmp_path, given):
    path, pgds, _ = dumped(tmp_path)
    image = Image.open(path, **given)
    assert image.registers["TTBR0_EL1"] == pgds[1]
    assert image.translate(USER, el=0).outcome.pa == 0x9000_1000
    assert f"TTBR0_EL1={pgds[1]:#x}" in image.notes[-1]
    assert int(image.mappings(user=True)["size"].sum()) == 4096


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"pid": 5}, r"no task has pid 5; the processes are 1 init, 7 sh, 9 init$"),
        ({"task": "bash"}, "no task has the name 'bash'"),
        ({"task": "init"}, "2 processes have the name 'init': give one of the pids 1, 9"),
        ({"pid": 0}, "0 swapper/0 is a thread of the kernel"),
    ],
)
def test_what_is_no_process_is_said(tmp_path, given, reason):
    path, *_ = dumped(tmp_path)
    with pytest.raises(ImageError, match=reason):
        Image.open(path, **given)


def test_symbols_may_come_from_a_list(tmp_path, capsys):
    """A kernel before v6.0 does not say where its table of symbols is."""
    path, pgds, symbols = dumped(tmp_path, with_kallsyms=False)
    with pytest.raises(ImageError, match=r"does not say where init_task is: .* give the list of its symbols"):
        Image.open(path, pid=7)
    listed = tmp_path / "System.map"
    listed.write_text("".join(f"{va:016x} D {name}\n" for name, va in symbols.items()))
    assert symbols_in(listed.read_text()) == symbols
    for command in (["translate", str(path), hex(USER)], ["ptdump", str(path)], ["tables", str(path)]):
        assert main([*command, "--pid", "7", "--symbols", str(listed)]) == 0
        out, err = capsys.readouterr()
        assert f"TTBR0_EL1={pgds[1]:#x}: 7 sh" in err
        assert "User space start" in out or "0x90001000" in out


VMLINUX = """
struct list_head { struct list_head *next, *prev; };
struct mm_struct { struct { long before[3]; void *pgd; }; };
struct signal_struct { long before; struct list_head thread_head; };
struct task_struct {
    long before; int pid, tgid; char comm[16]; struct mm_struct *mm; struct signal_struct *signal;
    struct list_head tasks, thread_node;
};
struct task_struct init_task = { .pid = 0 };
"""


@pytest.mark.skipif(not shutil.which(COMPILER), reason=f"{COMPILER} not found: install gcc-aarch64-linux-gnu")
@pytest.mark.skipif(sys.platform != "linux", reason="drgn runs on Linux")
def test_debug_information_says_all_of_it(tmp_path):
    """A kernel without BTF and without its table of symbols, moved by KASLR: drgn reads its vmlinux."""
    path, pgds, _ = dumped(tmp_path, with_kallsyms=False, types=b"\0", more="KERNELOFFSET=200000\n")
    (tmp_path / "vmlinux.c").write_text(VMLINUX)
    linked = ["-g", "-nostdlib", "-static", "-Wl,-e0", f"-Wl,--section-start=.bss={BASE + 0x1000 - 0x20_0000:#x}"]
    compile = [COMPILER, *linked, "-o", tmp_path / "vmlinux", tmp_path / "vmlinux.c"]
    subprocess.run(compile, check=True, capture_output=True)
    image = Image.open(path, pid=7, debug_info=tmp_path / "vmlinux")
    assert image.registers["TTBR0_EL1"] == pgds[1]
    with pytest.raises(ImageError, match="has no debug information of a kernel that drgn reads"):
        Image.open(path, pid=7, debug_info=path)
    with pytest.raises(ImageError, match="there is no file"):
        Image.open(path, pid=7, debug_info=tmp_path / "none")


@pytest.mark.parametrize(
    "types",
    [
        b"",
        b"\x9f\xeb\1",
        bytes(100),
        btf()[:60],
        btf({"list_head": STRUCTS["list_head"]}),
        btf()[:24] + b"\xff" * 100 + btf()[124:],
    ],
)
def test_damaged_type_information_is_a_sentence(tmp_path, types):
    path, *_ = dumped(tmp_path, types=types)
    with pytest.raises(ImageError, match=r"the kernel's type information \(BTF\) cannot be read"):
        Image.open(path, pid=7)


def test_a_list_that_leads_back_to_itself_ends(tmp_path):
    path, *_ = dumped(tmp_path)
    content = bytearray(path.read_bytes())
    at = content.index(b"sh\0\0\0\0\0\0") - 16
    content[at + 48 : at + 56] = struct.pack("<Q", BASE + 0x1000 + 0x200 + 48)  # sh is followed by sh
    path.write_bytes(content)
    assert len(Image.open(path).tasks()) == 4


def test_members_of_structures_without_a_name_are_found():
    types = BTF(btf())
    assert types.offset("mm_struct", "pgd") == 24
    with pytest.raises(BTFError, match="struct mm_struct has no member mmap"):
        types.offset("mm_struct", "mmap")


def test_a_pointer_that_is_signed_is_named(tmp_path, capsys):
    path, *_ = dumped(tmp_path)
    image = Image.open(path)
    assert image.pointer(0x35BF_8000_8000_1000) == BASE + 0x1000
    assert image.pointer(0x0035_0000_0040_0000) == USER
    assert image.pointer(0xAA00_0000_0040_0000) is None  # a tag, which the MMU ignores
    assert image.pointer(BASE) is None
    main(["translate", str(path), "0x35bf800080001000"])
    assert "(PAC) does: the address in it is 0xffff800080001000" in capsys.readouterr().err


def test_one_of_several_threads_is_the_process():
    assert task_of([ImageTask(7, 7, "sh", 1), ImageTask(8, 7, "sh", 1)], name="sh").pid in (7, 8)
