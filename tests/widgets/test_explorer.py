"""The explorer's Python side: traits in, the view out. What the page makes of it is tested in a browser."""

import json
from xml.etree import ElementTree

import pytest
from pgtlab_widgets import Explorer
from traitlets import TraitError

from pgtlab import Config, NoBoot

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def explorer():
    return Explorer(page_size="16k", va_bits=52, address="VMEMMAP_START")


def send(explorer: Explorer, **content: object) -> None:
    """Something the browser sends."""
    explorer._on_message(explorer, content, [])


def texts(explorer: Explorer) -> list[str]:
    return [shape.get("text", "") for shape in explorer.view["picture"]["shapes"]]


def drawn(explorer: Explorer) -> list[dict]:
    """The views that will follow."""
    views: list[dict] = []
    explorer.observe(lambda change: views.append(change.new), "view")
    return views


# What is chosen


def test_explorer_arguments():
    explorer = Explorer("64k", 48, "a64fx", 0x1234, pa_bits=52)
    assert explorer.config == Config("64k", 48, 52)
    assert explorer.boot.cpu.name == "a64fx"
    assert explorer.decomposition.va == 0x1234
    assert explorer.address == "0x0000000000001234"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"page_size": "4k", "va_bits": 47}, "ARM64_VA_BITS_47 depends on PAGE_SIZE_16KB"),
        ({"page_size": "5k"}, "arm64 has 4k, 16k and 64k pages"),
        ({"page_size": "64k", "cpu": "cortex-m0"}, "unknown CPU 'cortex-m0'"),
        ({"page_size": "64k", "address": "NOWHERE"}, "'NOWHERE'"),
        ({"address": ""}, "''"),
        ({"address": 1 << 64}, "64-bit"),
    ],
)
def test_bad_option_raises_at_init_and_in_choose(explorer, wrong, message):
    with pytest.raises(ValueError, match=message):
        Explorer(**wrong)
    view, shown = explorer.view, repr(explorer)
    with pytest.raises(ValueError, match=message):
        explorer.choose(**wrong)
    assert explorer.view == view
    assert repr(explorer) == shown


def test_illegal_trait_is_refused(explorer):
    with pytest.raises(ValueError, match="ARM64_VA_BITS_39 depends on PAGE_SIZE_4KB"):
        explorer.va_bits = 39
    assert explorer.va_bits == 52
    assert explorer.config == Config("16k", 52)


def test_unknown_trait_is_refused(explorer):
    with pytest.raises(TraitError, match="lpa2"):
        explorer.choose(lpa2=False)


def test_choose_sets_traits_together(explorer):
    views = drawn(explorer)
    explorer.choose(page_size="4k", va_bits=39, pa_bits=48)
    assert explorer.config == Config("4k", 39)
    assert len(views) == 1


def test_page_size_spellings(explorer):
    explorer.page_size = "4K"
    assert explorer.page_size == "4k"


# What is shown


def test_lpa2_off_removes_a_level(explorer):
    assert "level 0" in texts(explorer)
    explorer.cpu = "max,lpa2=off"
    assert "level 0" not in texts(explorer)
    assert any(text.startswith("pud folded at run time") for text in texts(explorer))
    assert explorer.view["changes"]["groups"][0]["rows"][0] == {"name": "vabits_actual", "before": "52", "after": "47"}


def test_view_is_plain_data(explorer):
    explorer.cpu = "a64fx"
    assert json.loads(json.dumps(explorer.view)) == explorer.view


def test_changes_compare_with_the_previous_configuration(explorer):
    assert explorer.view["changes"]["groups"] == []
    explorer.cpu = "max,lpa2=off"
    changed = explorer.view["changes"]
    explorer.address = 0
    assert explorer.view["changes"] == changed
    explorer.va_bits = 52  # as it was
    assert explorer.view["changes"] == changed


def test_choice_without_effect_says_so():
    explorer = Explorer("16k", 48)
    explorer.cpu = "max,lpa2=off"
    assert explorer.view["changes"]["title"].endswith("nothing changes.")
    assert explorer.view["changes"]["groups"] == []


def test_kernel_that_does_not_boot_shows_why(explorer):
    explorer.cpu = "cortex-a72"
    assert isinstance(explorer.boot, NoBoot)
    assert explorer.decomposition is None
    assert explorer.view["picture"] is None
    assert explorer.view["stuck"] == explorer.boot.reason
    with pytest.raises(ValueError, match="no 16K granule"):
        explorer.svg()
    explorer.page_size = "4k"
    assert explorer.view["stuck"] == ""
    assert explorer.view["picture"]


def test_name_of_a_boot_constant_is_kept_until_a_kernel_boots(explorer):
    explorer.address = "VMALLOC_END"
    va = explorer.decomposition.va
    explorer.cpu = "cortex-a72"
    explorer.cpu = "max"
    assert explorer.address == "VMALLOC_END"
    assert explorer.decomposition.va == va


# What the browser sends


@pytest.mark.parametrize("bit", [0, 14, 63])
def test_flip_twice(explorer, bit):
    va = explorer.decomposition.va
    send(explorer, flip=str(bit))
    assert explorer.decomposition.va == va ^ 1 << bit
    send(explorer, flip=str(bit))
    assert explorer.decomposition.va == va


def test_bad_address_shows_error(explorer):
    send(explorer, address="VMEMAP_START")
    assert "did you mean VMEMMAP_START?" in explorer.view["address"]["error"]
    assert explorer.view["address"]["text"] == "VMEMAP_START"
    assert explorer.address == "VMEMMAP_START"
    send(explorer, address="VMEMMAP_START")
    assert explorer.view["address"]["error"] == ""


def test_every_option_sets_its_traits(explorer):
    """Even one that is no longer on the page."""
    for choice in explorer.view["choices"]:
        for option in choice["options"]:
            send(explorer, choose=option["choose"])
            now = next(c for c in explorer.view["choices"] if c["label"] == choice["label"])
            assert [o["label"] for o in now["options"] if o["selected"]] == [option["label"]]


# Comparing, sharing, explaining


def test_pinned_kernel_is_compared(explorer):
    explorer.pin()
    explorer.cpu = "max,lpa2=off"
    pinned, picture = explorer.view["pinned"], explorer.view["picture"]
    assert pinned["title"] == "Four levels of tables: the p4d does not exist"

    def differing(spec):
        return {s["key"] for s in spec["shapes"] if "differs" in s["attributes"].get("class", "")}

    assert {"mmu-ones", "linux-pgd", "linux-pud"} <= differing(picture)
    assert "mmu-level 0" in differing(pinned)
    assert {"mmu-level 2", "linux-pmd", "bit-0"}.isdisjoint(differing(picture) | differing(pinned))
    send(explorer, flip="0")  # one address for both
    assert "0xfffff03fc0000001" in str(explorer.view["pinned"]["shapes"])
    send(explorer, pin=False)
    assert explorer.view["pinned"] is None
    assert differing(explorer.view["picture"]) == set()


def test_share_string_round_trip(explorer):
    explorer.cpu = "max,lpa2=off"
    other = Explorer()
    send(other, address=explorer.share)
    assert repr(other) == repr(explorer)
    assert other.share == explorer.view["share"]["text"] == "pgtlab://16k/52/no-lpa2/VMEMMAP_START"


@pytest.mark.parametrize("text", ["pgtlab://16k/39/lpa2/0x0", "pgtlab://4k/48/lpa2/NOWHERE", "pgtlab://"])
def test_bad_share_string_changes_nothing(explorer, text):
    before = repr(explorer)
    send(explorer, address=text)
    assert explorer.view["address"]["error"]
    assert repr(explorer) == before


def test_explained_field_frames_its_register_bits(explorer):
    send(explorer, explain="level 2")
    [row] = [row for row in explorer.view["why"] if row["pictures"]]
    assert (row["field"], row["by"]) == ("level 2", "TCR_EL1.TG1[31:30] = 0x1")
    assert row["pictures"][0]["shapes"][-1]["key"] == "mark"
    send(explorer, explain="level 2")
    assert not any(row["pictures"] for row in explorer.view["why"])


# Without a browser


def test_svg_is_the_picture_in_the_view(explorer):
    svg = ElementTree.fromstring(explorer.svg())
    shapes = explorer.view["picture"]["shapes"]
    drawn = [node.text for node in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert drawn == [shape["text"] for shape in shapes if shape["tag"] == "text"]


def test_mimebundle_without_widgets(explorer):
    data, _ = explorer._repr_mimebundle_()
    assert data["text/html"] == explorer.svg()
    assert data[WIDGET]["model_id"] == explorer.model_id
    explorer.cpu = "cortex-a72"
    data, _ = explorer._repr_mimebundle_()
    assert data["text/plain"] == explorer.boot.reason
    assert "text/html" not in data


def test_repr_round_trip(explorer):
    again = eval(repr(explorer), {"Explorer": Explorer})
    assert again.view["picture"] == explorer.view["picture"]


def test_trait_that_leaves_another_one_value_sets_both():
    explorer = Explorer("4k", 48)
    explorer.va_bits = 52
    assert explorer.config == Config("4k", 52, 52)
    explorer.va_bits = 48
    assert explorer.config == Config("4k", 48, 48)
    explorer.pa_bits = 52
    assert explorer.config == explorer.boot.config == Config("4k", 52, 52)
    with pytest.raises(ValueError, match="PA_BITS=48"):
        explorer.pa_bits = 48  # which leaves 39 and 48
    assert explorer.config == Config("4k", 52, 52)
    wide = Explorer("64k", 48)
    wide.va_bits = 52
    assert wide.config == Config("64k", 52, 48)
