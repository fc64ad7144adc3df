"""The picture of a `struct page`: each byte, and each member beside its bytes."""

from hypothesis import given
from hypothesis import strategies as st

from pgtlab.linux.headers.mm_types import PAGE
from pgtlab.linux.page_picture import HEAD, ROW, lanes, page_picture

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
        assert box["y"] == HEAD + member.offset // 4 * ROW + 1
        assert box["height"] == member.size // 4 * ROW - 2
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
