"""The picture of a `struct page`: each byte, and each member beside its bytes."""

from hypothesis import given
from hypothesis import strategies as st

from pgtlab.linux.headers.mm_types import PAGE
from pgtlab.linux.page_picture import TOPS, lanes, page_picture

WORDS = st.lists(st.integers(0, (1 << 64) - 1), min_size=8, max_size=8)


@given(words=WORDS, before=WORDS)
def test_bytes_and_changed_bytes(words, before):
    shapes = {shape.key: shape for shape in page_picture(words, before).shapes}
    now, was = (b"".join(word.to_bytes(8, "little") for word in each) for each in (words, before))
    assert bytes.fromhex("".join(shapes[f"hex {offset}"].text for offset in range(64))) == now
    marked = [offset for offset in range(64) if "changed" in shapes[f"byte {offset}"].attributes["class"]]
    assert marked == [offset for offset in range(64) if now[offset] != was[offset]]


def test_member_positions():
    shapes = {shape.key: shape.attributes for shape in page_picture([0] * 8).shapes}
    for member in PAGE.members:
        box = shapes[f"member {member.name}"]
        first, end = member.offset // 4, (member.offset + member.size) // 4
        assert box["y"] == TOPS[first] + 1
        assert box["y"] + box["height"] == TOPS[end] - 1
    assert shapes["member page_type"]["y"] == shapes["member _mapcount"]["y"]
    assert shapes["member page_type"]["x"] < shapes["member _mapcount"]["x"]
    in_lane = list(lanes(PAGE.members))
    for member, lane in in_lane:
        for other, other_lane in in_lane:
            apart = member.offset + member.size <= other.offset or other.offset + other.size <= member.offset
            assert member is other or lane != other_lane or apart


def test_description_of_page_type_change():
    lines = page_picture([0] * 6 + [0xFFFFFDFF, 0], [0] * 6 + [0xFFFFFFFF, 0]).description.splitlines()
    assert "0x30 page_type = 0xfffffdff  table  (was 0xffffffff)" in lines
    assert "0x30 _mapcount = -513  (was -1)" in lines


def test_two_names_of_the_same_bytes_are_framed_from_the_start():
    shapes = {shape.key: shape.attributes for shape in page_picture([0] * 8).shapes}
    frame = shapes["two names"]
    for key in ("byte 48", "byte 51", "member page_type", "member _mapcount"):
        box = shapes[key]
        assert frame["x"] <= box["x"]
        assert box["x"] + box["width"] <= frame["x"] + frame["width"]
        assert frame["y"] <= box["y"] <= box["y"] + box["height"] <= frame["y"] + frame["height"]
    assert frame["y"] + frame["height"] < shapes["byte 52"]["y"] + 5


def test_hidden_members():
    """Their bytes are hidden too, unless the other name of the bytes is shown."""
    words = [0] * 6 + [0xFFFFFDFF, 0]
    both, one = (
        {shape.key: shape.text for shape in page_picture(words, hidden=hidden).shapes}
        for hidden in (("page_type", "_mapcount"), ("_mapcount",))
    )
    assert [both[f"hex {offset}"] for offset in range(47, 53)] == ["00", "??", "??", "??", "??", "00"]
    assert both["value page_type"] == "page_type = ?"
    assert "note _mapcount" not in both
    assert [one[f"hex {offset}"] for offset in range(48, 52)] == ["ff", "fd", "ff", "ff"]
    assert one["value _mapcount"] == "_mapcount = ?"
    assert "-513" not in page_picture(words, hidden=("_mapcount",)).description
