"""Traces: what each kind promises, and files that are traces and that are not."""

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtlab.arch.cost import trace_file
from pgtlab.arch.cost.trace import KINDS, TraceError, chase, sequential, strided, trace, uniform, zipf
from pgtlab.arch.cost.trace_file import read_trace
from pgtlab.arch.cost.trace_lines import parse

BASE, SIZE = 0xFFFF_8000_0000_0000, 1 << 20


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 99), accesses=st.integers(0, 500), size=st.integers(1, 1 << 16))
def test_a_trace_stays_in_its_area_and_repeats(kind, seed, accesses, size):
    made = trace(kind, BASE, size, accesses, seed)
    assert made.dtype == np.uint64
    assert len(made) == accesses
    assert ((made >= BASE) & (made < BASE + size)).all()
    assert np.array_equal(made, trace(kind, BASE, size, accesses, seed))


@pytest.mark.parametrize("kind", ["uniform", "chase", "zipf"])
def test_another_seed_is_another_trace(kind):
    assert not np.array_equal(trace(kind, BASE, SIZE, 1000, 1), trace(kind, BASE, SIZE, 1000, 2))


def test_strides_begin_again_at_the_end():
    assert strided(0, 10, 7, stride=4).tolist() == [0, 4, 8, 0, 4, 8, 0]
    assert sequential(8, 16, 3).tolist() == [8, 16, 8]


def test_uniform_is_uniform():
    counts = np.bincount((uniform(0, 64 * 4096, 64_000) // 4096).astype(int), minlength=64)
    # The chi-squared statistic with 63 degrees of freedom is below 103.4 in 999 of 1000 cases.
    assert ((counts - 1000) ** 2 / 1000).sum() < 103.4


def test_a_chase_visits_each_line_once_in_a_cycle():
    lines = SIZE // 64
    made = chase(BASE, SIZE, 3 * lines).reshape(3, lines)
    assert sorted(made[0].tolist()) == list(range(BASE, BASE + SIZE, 64))
    assert (made == made[0]).all()
    # What follows what is always the same: it is a chain of pointers.
    assert len({*zip(made.flat, np.roll(made.flat, -1), strict=True)}) == lines


@pytest.mark.parametrize("exponent", [0.8, 1.0, 1.5])
def test_zipf_frequencies_fall_with_the_rank(exponent):
    accesses, places = 400_000, 256
    counts = np.unique(zipf(0, places * 4096, accesses, exponent=exponent), return_counts=True)[1]
    weight = np.arange(1, places + 1) ** -exponent
    expected = accesses * weight / weight.sum()
    assert np.sort(counts)[::-1][:20] == pytest.approx(expected[:20], rel=0.1)


def test_zipf_with_exponent_0_is_uniform():
    counts = np.unique(zipf(0, 64 * 4096, 64_000, exponent=0), return_counts=True)[1]
    assert ((counts - 1000) ** 2 / 1000).sum() < 103.4


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (
            lambda: trace("sequence", 0, 1, 1),
            "'sequence' is not a kind of trace: there are sequential, strided, uniform",
        ),
        (lambda: uniform(0, 0, 1), "size=0: it must be at least 1"),
        (lambda: strided(0, 1, -1), "accesses=-1: it must be at least 0"),
        (lambda: strided(0, 1, 1 << 40), "accesses=1099511627776: a trace is an array in memory, of 268435456"),
        (lambda: strided(0, 1, 1, stride=0), "stride=0: it must be at least 1"),
        (lambda: chase(-1, 1, 1), "-0x1 is not a 64-bit address; did you mean 0x0"),
        (lambda: uniform(1 << 63, 1 << 63 | 1, 1), "did you mean size=0x8000000000000000"),
        (lambda: zipf(0, 1, 1, exponent=-1), "exponent=-1: .* did you mean 0"),
    ],
)
def test_a_trace_that_cannot_be_made_is_refused(make, says):
    with pytest.raises(TraceError, match=says):
        make()


FORMS = ["{:#x}", "{}", "0X{:X}", " {:#018x}\t# {}"]


@given(st.lists(st.tuples(st.integers(0, (1 << 64) - 1), st.sampled_from(FORMS)), min_size=1))
def test_text_is_read_as_it_was_written(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("trace") / "trace"
    path.write_text("# a trace\n\n" + "\r\n".join(form.format(va, "what") for va, form in lines))
    assert read_trace(path).tolist() == [va for va, _ in lines]


LINES = st.lists(
    st.text("0019afgX xX#\t\r-", max_size=8)
    | st.builds(str.format, st.sampled_from(FORMS), st.integers(0, 1 << 66), st.just("what"))
)


@given(LINES)
def test_text_is_read_alike_without_numba(lines):
    text = np.frombuffer("".join(f"{line}\n" for line in lines).encode(), np.uint8)
    compiled, plain = np.zeros((2, 1 + len(text)), np.uint64)
    assert parse(text, compiled) == trace_file._parse(text, plain)
    assert np.array_equal(compiled, plain)


@pytest.mark.parametrize("name", ["a.txt", "a.npy"])
@pytest.mark.parametrize("packed", [False, True])
def test_the_content_says_what_a_file_is(tmp_path, name, packed):
    made, path = uniform(BASE, SIZE, 1000), tmp_path / name
    if name == "a.npy":
        np.save(path, made)
    else:
        path.write_text("".join(f"{va:#x}\n" for va in made.tolist()))
    misnamed = tmp_path / "trace.dat"
    misnamed.write_bytes(gzip.compress(path.read_bytes()) if packed else path.read_bytes())
    assert np.array_equal(read_trace(misnamed), made)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "0x10\nffff800012345678\n",
            "line 2: 'ffff800012345678' is not an address.*; did you mean 0xffff800012345678",
        ),
        ("1\n\n# x\n-3\n", "line 4: '-3'.*; did you mean 0x0"),
        ("18446744073709551616", "line 1: .*; did you mean 0xffffffffffffffff"),
        ("0x10000000000000000 # x", "line 1: .*; did you mean 0xffffffffffffffff"),
        ("0x1000 0x2000", "line 1: '0x1000 0x2000'.*; did you mean 0x1000"),
        ("0x1 0x2\n" * 3, "line 1:"),
        ("0x\n", "line 1: '0x' is not an address.*; did you mean a comment, # 0x"),
        ("0x12g4\n", "line 1: '0x12g4'"),
        ("1e5\n", "line 1: '1e5'"),
        (
            "heap\n",
            "line 1: 'heap' is not an address: a line has one whole number of 64 bits.*; did you mean a comment",
        ),
        ("", "has no address in it: the shortest trace has one"),
        ("# nothing\n\n", "has no address in it"),
    ],
)
def test_a_bad_line_is_named(tmp_path, text, says):
    path = tmp_path / "trace.txt"
    path.write_text(text)
    with pytest.raises(TraceError, match=says) as refused:
        read_trace(path)
    assert "\n" not in str(refused.value)


def test_line_numbers_count_from_the_beginning_of_a_long_file(tmp_path, monkeypatch):
    monkeypatch.setattr(trace_file, "_BLOCK", 256)
    path = tmp_path / "trace.txt"
    path.write_text("0x1000\n" * 999 + "0xg\n" + "0x1000\n" * 500)
    with pytest.raises(TraceError, match="line 1000: '0xg'"):
        read_trace(path)
    path.write_text("0x1000\n" * 3 + "0" * 300)
    with pytest.raises(TraceError, match="line 4 has more than 256 bytes"):
        read_trace(path)
    path.write_text("".join(f"{va}\n" for va in range(5000)))
    assert read_trace(path).tolist() == [*range(5000)]


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros((2, 2), np.uint64), "array of uint64 with 2 dimensions: a trace has one"),
        (np.zeros(2), "array of float64 with 1 dimensions"),
        (np.array([1, -8]), "element 1: -8 is negative.*; did you mean 0xfffffffffffffff8"),
        (np.zeros(0, np.uint64), "no address in it"),
    ],
)
def test_an_array_that_is_no_trace_is_refused(tmp_path, array, says):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(TraceError, match=says):
        read_trace(tmp_path / "a.npy")


def test_arrays_of_other_whole_numbers_are_traces(tmp_path):
    for dtype in (np.int64, np.uint32, ">u8"):
        np.save(tmp_path / "a.npy", np.array([1, 2, 3], dtype))
        assert read_trace(tmp_path / "a.npy").tolist() == [1, 2, 3]
        assert read_trace(tmp_path / "a.npy").dtype == np.uint64


def test_damaged_files_are_refused(tmp_path):
    packed, path = gzip.compress(b"0x1000\n" * 1000), tmp_path / "trace"
    for content in (packed[:-20], packed[:30] + b"\0" * 30):
        path.write_bytes(content)
        with pytest.raises(TraceError, match="the gzip stream is damaged"):
            read_trace(path)
    path.write_bytes(b"\x93NUMPY\x01\x00\x10")
    with pytest.raises(TraceError, match=r"is not a whole \.npy file"):
        read_trace(path)
    np.save(path.with_suffix(".npy"), np.array([None]), allow_pickle=True)
    with pytest.raises(TraceError, match=r"is not a whole \.npy file of numbers"):
        read_trace(path.with_suffix(".npy"))


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_trace(tmp_path / "none")


def test_a_million_lines(tmp_path):
    path = tmp_path / "trace"
    path.write_bytes(b"0xffff800012345678\n" * 10**6)
    assert len(read_trace(path)) == 10**6
