"""Memory as text: the sample tables that libkdumpfile is tested with, and the rules of the format.

The words and the numbers of the samples are those of libkdumpfile's `tests/xlat-linux-aarch64-*`, "based on a sample
QEMU dump"; so is where its own reader finds the linear map.
"""

import numpy as np
import pytest

from pgtlab.linux.image import Image, ImageError

V5_8_VA48 = """
# level 0 table
@0x40f11000
000000006FFF9003
0000000000000000*255

# level 1 table
@0x6fff9000
000000006FFF8003
0000000000000000*511

# linear mapping level 2
@0x6fff8000
000000006FFF7003
0060000040200F91*510+200000
000000006FDFE003

# linear mapping level 3.0
@0x6fff7000
0068000040000F13*512+1000

# linear mapping level 3.511
@0x6fdfe000
006800007FE00F13*511+1000
006800007FFFFF12
"""
V5_8_VA39 = """
@0x40f11000
000000006FFFA003
0000000000000000*255
@0x6fffa000
000000006FFF9003
0060000040200F91*510+200000
000000006FE00003
@0x6fff9000
0068000040000F13*512+1000
@0x6fe00000
006800007FE00F13*511+1000
006800007FFFFF12
"""
V5_2_VA39 = """
@0x40b82000
0000000000000000*256
000000007FFF9003
0000000000000000*255
@0x7fff9000
000000007FFF8003
0060000040200791*510+200000
000000007FE7D003
@0x7fff8000
0068000040000713*512+1000
@0x7fe7d000
006800007FE00713*512+1000
"""
V5_16_64K = """
@0x90500000
0000000000000000*8
18000000BFFD0003
0000000000000000*23
10000000402C0003
0000000000000000*20
10000000BFFF0003
0000000000000000*9
0000000091140003
@0xbffd0000
0000000000000000*7057
18000000BFFC0003*4-10000
0000000000000000*1131
@0xbffc0000
0068000040000F07*8192+10000
@0xbffb0000
0068000060000F07*8192+10000
@0xbffa0000
0068000080000F07*8192+10000
@0xbff90000
00680000A0000F07*8192+10000
"""
SAMPLES = {  # tables, numbers in hexadecimal, page size, and the linear map: where it begins, its size, its first PA
    "5.8, 48 bits": (
        V5_8_VA48,
        {"swapper_pg_dir": "ffffd4c459111000", "VA_BITS": "30", "kimage_voffset": "ffffd4c418200000"},
        "4k",
        (0xFFFF_0000_0000_0000, 0x3FFF_F000),
    ),
    "5.8, 39 bits": (
        V5_8_VA39,
        {"swapper_pg_dir": "ffffffe1b8911000", "VA_BITS": "27", "kimage_voffset": "ffffffe177a00000"},
        None,  # with 39 bits there are only pages of 4K
        (0xFFFF_FF80_0000_0000, 0x3FFF_F000),
    ),
    "5.2, 39 bits, linear map above": (
        V5_2_VA39,
        {"swapper_pg_dir": "ffffff8010b82000", "VA_BITS": "27", "kimage_voffset": "ffffff7fd0000000"},
        None,
        (0xFFFF_FFC0_0000_0000, 0x4000_0000),
    ),
    "5.16, 64K, 52 bits on a CPU with 48": (
        V5_16_64K,
        {
            "_stext": "ffffd6d243410000",
            "swapper_pg_dir": "ffffd6d244f00000",
            "VA_BITS": "34",
            "TCR_EL1_T1SZ": "10",
            "kimage_voffset": "ffffd6d1b4a00000",
        },
        "64k",
        (0xFFFF_2372_2000_0000, 0x8000_0000),
    ),
}


def named(values):
    kinds = {True: "VALUE", False: "NUMBER"}
    return "".join(
        f"@{kinds[name in ('swapper_pg_dir', '_stext')]}({name})\n{value}\n" for name, value in values.items()
    )


@pytest.mark.parametrize("beside", [False, True], ids=["in the file", "in a file beside"])
@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_of_libkdumpfile_has_its_linear_map(tmp_path, sample, beside):
    tables, values, page_size, (va, size) = SAMPLES[sample]
    (tmp_path / "dump.data").write_text(tables + ("" if beside else named(values)))
    if beside:
        (tmp_path / "dump.sym").write_text(named(values))
    image = Image.open(tmp_path / "dump.data", page_size=page_size)
    found = image.mappings()
    assert (found["va"][0], found["pa"][0], found["size"].sum()) == (va, 0x4000_0000, size)
    assert np.array_equal(found["va"][1:] - found["va"][:-1], found["size"][:-1])
    vas = np.linspace(0, size - 1, 1000).astype(np.uint64) + np.uint64(va)
    assert np.array_equal(image.translate_many(vas).pa, vas - np.uint64(va - 0x4000_0000))
    found_type = image.translate(va).outcome.attributes.memory_type
    assert found_type == "Normal WB RWA"  # by the old order of MAIR_EL1 or by today's


def test_the_page_size_is_asked_for_where_it_is_not_known(tmp_path):
    tables, values, _, _ = SAMPLES["5.8, 48 bits"]
    (tmp_path / "dump.data").write_text(tables + named(values))
    with pytest.raises(ImageError, match=r"give page_size \(--page-size 4k, 16k or 64k\)"):
        Image.open(tmp_path / "dump.data")


def words(tmp_path, text, at, count):
    """Words of the memory that `text` spells."""
    path = tmp_path / "memory.txt"
    path.write_text(text)
    return Image.open(path, TCR_EL1=0).memory.read(at, count).tolist()


def test_words_are_hexadecimal_numbers_repeated_and_stepped(tmp_path):
    text = "@1000 # hexadecimal\n 0000000000000001 0x2*2 \n0x10*3+8 0x10*2-0x8\n\n0000000000000000*65"
    assert words(tmp_path, text, 0x1000, 8 + 65) == [1, 2, 2, 0x10, 0x18, 0x20, 0x10, 8, *[0] * 65]
    assert words(tmp_path, "@0x8\n0xffffffffffffffff*2+1", 8, 2) == [(1 << 64) - 1, 0]


def test_shorter_numbers_are_bytes_lowest_first(tmp_path):
    text = "@0x1000 raw\n01 02 0403 08070605\nff*8 dead*4"
    assert words(tmp_path, text, 0x1000, 3) == [0x0807060504030201, (1 << 64) - 1, 0xDEADDEADDEADDEAD]


def test_registers_may_be_in_the_text(tmp_path):
    (tmp_path / "a").write_text(
        "@REG(TCR_EL1)\n10001b5b5503510\n@REG(TTBR1_EL1)\n1000\n@1000\n0x2003 0*511\n".replace(" 0*", " 0x0*")
    )
    walk = Image.open(tmp_path / "a").translate(0xFFFF_0000_0000_0000)
    assert [step.address for step in walk.steps] == [0x1000, 0x2000]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("@zz", r"line 1: @zz is not an @address in hexadecimal, @VALUE\(name\)"),
        ("@0x1000\n\n123", "line 3: '123' is not a word: 16 hexadecimal digits, or any number of them after 0x"),
        ("@0x1000\n0x12*", "line 2: '0x12\\*' is not a word"),
        ("@0x1000\n0x1*999999999", "line 2: 7999999992 bytes more: an image as text has 128 MiB"),
        ("@0x1000\n01 02", "2 bytes at 0x1000 are not whole words"),
        ("@0x1004\n0x1", "8 bytes at 0x1004 are not whole words"),
        ("@0x1000\n0x1*2\n@0x1008\n0x1", "says twice what is at 0x1008"),
        ("@0xfffffffffffffff8\n0x1", "words are at multiples of 8, below 2"),
        ("@VALUE(swapper_pg_dir)\n-1", "line 2: '-1' is not a value of swapper_pg_dir"),
        ("@REG(X0)\n1", "line 2: X0 is not a register of an image"),
        ("@0x1000\n0x1\n@NUMBER(VA_BITS)\n28", "VA_BITS=40"),
    ],
)
def test_what_is_not_in_the_format_is_refused_with_its_line(tmp_path, text, reason):
    (tmp_path / "a").write_text(text)
    with pytest.raises(ImageError, match=reason):
        Image.open(tmp_path / "a", page_size="4k")
