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


def said(explorer: Explorer, **content: object) -> None:
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


def test_it_starts_where_it_is_told():
    explorer = Explorer("64k", 48, "a64fx", 0x1234, pa_bits=52)
    assert explorer.config == Config("64k", 48, 52)
    assert explorer.boot.cpu.name == "a64fx"
    assert explorer.decomposition.va == 0x1234
    assert explorer.address == "0x0000000000001234"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"page_size": "4k", "va_bits": 47}, "ARM64_VA_BITS_47 depends on PAGE_SIZE_16KB"),
        ({"page_size": "5k"}, "arm64 has 4k, 16k and 64k pages"),
        ({"page_size": "64k", "cpu": "cortex-m0"}, "'cortex-m0' is not a preset"),
        ({"page_size": "64k", "address": "NOWHERE"}, "'NOWHERE'"),
        ({"address": ""}, "''"),
        ({"address": 1 << 64}, "64-bit"),
    ],
)
def test_what_is_not_to_be_had_is_refused_from_the_start_and_later(explorer, wrong, told):
    with pytest.raises(ValueError, match=told):
        Explorer(**wrong)
    view, shown = explorer.view, repr(explorer)
    with pytest.raises(ValueError, match=told):
        explorer.choose(**wrong)
    assert explorer.view == view
    assert repr(explorer) == shown


def test_one_illegal_choice_is_refused_by_its_rule(explorer):
    with pytest.raises(ValueError, match="ARM64_VA_BITS_39 depends on PAGE_SIZE_4KB"):
        explorer.va_bits = 39
    assert explorer.va_bits == 52
    assert explorer.config == Config("16k", 52)


def test_there_are_no_other_choices(explorer):
    with pytest.raises(TraitError, match="lpa2"):
        explorer.choose(lpa2=False)


def test_choices_that_are_legal_only_together_are_made_together(explorer):
    views = drawn(explorer)
    explorer.choose(page_size="4k", va_bits=39, pa_bits=48)
    assert explorer.config == Config("4k", 39)
    assert len(views) == 1


def test_a_page_size_is_read_as_config_reads_it(explorer):
    explorer.page_size = "4K"
    assert explorer.page_size == "4k"


# What is shown


def test_lpa2_off_takes_a_level_away(explorer):
    assert "level 0" in texts(explorer)
    explorer.cpu = "max,lpa2=off"
    assert "level 0" not in texts(explorer)
    assert any(text.startswith("pud folded at run time") for text in texts(explorer))
    assert explorer.view["changes"]["groups"][0]["rows"][0] == {"name": "vabits_actual", "before": "52", "after": "47"}


def test_the_view_is_plain_data(explorer):
    explorer.cpu = "a64fx"
    assert json.loads(json.dumps(explorer.view)) == explorer.view


def test_what_changed_is_against_the_configuration_before_whatever_the_address(explorer):
    assert explorer.view["changes"]["groups"] == []
    explorer.cpu = "max,lpa2=off"
    changed = explorer.view["changes"]
    explorer.address = 0
    assert explorer.view["changes"] == changed
    explorer.va_bits = 52  # as it was
    assert explorer.view["changes"] == changed


def test_what_changes_nothing_says_so():
    explorer = Explorer("16k", 48)
    explorer.cpu = "max,lpa2=off"
    assert explorer.view["changes"]["title"].endswith("nothing changes.")
    assert explorer.view["changes"]["groups"] == []


def test_a_kernel_that_does_not_boot_shows_its_reason(explorer):
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


def test_a_name_that_only_a_boot_knows_waits_for_one(explorer):
    explorer.address = "VMALLOC_END"
    va = explorer.decomposition.va
    explorer.cpu = "cortex-a72"
    explorer.cpu = "max"
    assert explorer.address == "VMALLOC_END"
    assert explorer.decomposition.va == va


# What the browser sends


@pytest.mark.parametrize("bit", [0, 14, 63])
def test_a_flip_and_back(explorer, bit):
    va = explorer.decomposition.va
    said(explorer, flip=str(bit))
    assert explorer.decomposition.va == va ^ 1 << bit
    said(explorer, flip=str(bit))
    assert explorer.decomposition.va == va


def test_a_bad_address_is_named_and_the_last_one_stays(explorer):
    said(explorer, address="VMEMAP_START")
    assert "did you mean VMEMMAP_START?" in explorer.view["address"]["error"]
    assert explorer.view["address"]["text"] == "VMEMAP_START"
    assert explorer.address == "VMEMMAP_START"
    said(explorer, address="VMEMMAP_START")
    assert explorer.view["address"]["error"] == ""


def test_every_option_does_what_it_says(explorer):
    """Even one that is no longer on the page."""
    for choice in explorer.view["choices"]:
        for option in choice["options"]:
            said(explorer, choose=option["choose"])
            now = next(c for c in explorer.view["choices"] if c["label"] == choice["label"])
            assert [o["label"] for o in now["options"] if o["selected"]] == [option["label"]]


# Comparing, sharing, explaining


def test_a_pinned_kernel_stays_while_others_are_chosen_and_shows_what_differs(explorer):
    explorer.pin()
    explorer.cpu = "max,lpa2=off"
    pinned, picture = explorer.view["pinned"], explorer.view["picture"]
    assert pinned["title"].startswith("0xfffff03fc0000000: 16K pages, VA_BITS=52 on max. 52 bits")

    def differing(spec):
        return {s["key"] for s in spec["shapes"] if "differs" in s["attributes"].get("class", "")}

    assert {"mmu-ones", "linux-pgd", "linux-pud"} <= differing(picture)
    assert "mmu-level 0" in differing(pinned)
    assert {"mmu-level 2", "linux-pmd", "bit-0"}.isdisjoint(differing(picture) | differing(pinned))
    said(explorer, flip="0")  # one address for both
    assert explorer.view["pinned"]["title"].startswith("0xfffff03fc0000001")
    said(explorer, pin=False)
    assert explorer.view["pinned"] is None
    assert differing(explorer.view["picture"]) == set()


def test_the_share_string_brings_everything_back(explorer):
    explorer.cpu = "max,lpa2=off"
    other = Explorer()
    said(other, address=explorer.share)
    assert repr(other) == repr(explorer)
    assert other.view["share"] == explorer.view["share"] == "pgtlab://16k/52/no-lpa2/VMEMMAP_START"


@pytest.mark.parametrize("text", ["pgtlab://16k/39/lpa2/0x0", "pgtlab://4k/48/lpa2/NOWHERE", "pgtlab://"])
def test_a_share_string_that_says_what_cannot_be_changes_nothing(explorer, text):
    before = repr(explorer)
    said(explorer, address=text)
    assert explorer.view["address"]["error"]
    assert repr(explorer) == before


def test_a_field_is_explained_with_its_register_bits_framed(explorer):
    said(explorer, explain="level 2")
    [row] = [row for row in explorer.view["why"] if row["pictures"]]
    assert (row["field"], row["by"]) == ("level 2", "TCR_EL1.TG1[31:30] = 0x1")
    assert row["pictures"][0]["shapes"][-1]["key"] == "mark"
    said(explorer, explain="level 2")
    assert not any(row["pictures"] for row in explorer.view["why"])


# Without a browser


def test_the_static_picture_is_the_one_in_the_view(explorer):
    svg = ElementTree.fromstring(explorer.svg())
    shapes = explorer.view["picture"]["shapes"]
    drawn = [node.text for node in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert drawn == [shape["text"] for shape in shapes if shape["tag"] == "text"]


def test_a_page_without_widgets_gets_the_picture_or_the_reason(explorer):
    data, _ = explorer._repr_mimebundle_()
    assert data["text/html"] == explorer.svg()
    assert data[WIDGET]["model_id"] == explorer.model_id
    explorer.cpu = "cortex-a72"
    data, _ = explorer._repr_mimebundle_()
    assert data["text/plain"] == explorer.boot.reason
    assert "text/html" not in data


def test_its_repr_makes_it_again(explorer):
    again = eval(repr(explorer), {"Explorer": Explorer})
    assert again.view["picture"] == explorer.view["picture"]


def test_a_trait_that_leaves_another_one_value_sets_both():
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
