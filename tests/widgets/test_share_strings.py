"""One share string for all views: each has one, and each takes those of the others."""

import pytest
from pgtlab_widgets import (
    BisectionView,
    BugLab,
    Explorer,
    FoldLab,
    OopsReader,
    PageInspector,
    TableMap,
    TLBView,
    WalkStepper,
)

from pgtlab.linux.share import Share

OF_A_KERNEL = (Explorer, WalkStepper, TableMap, FoldLab, PageInspector, BugLab, BisectionView)
ALL = (*OF_A_KERNEL, OopsReader, TLBView)


@pytest.mark.parametrize("view", ALL)
def test_every_view_has_a_share_string_that_an_explorer_takes(view):
    share, explorer = view().share, Explorer("64k", 42)
    explorer.load(share)
    assert explorer.config == Share.parse(share).config
    assert explorer.share == share or not Share.parse(share).address


@pytest.mark.parametrize("view", OF_A_KERNEL)
def test_every_view_of_a_kernel_takes_the_kernel_of_any_share_string(view):
    other = view()
    other.load("pgtlab://16k/52/no-lpa2/VMEMMAP_START")
    assert (other.config.page_size_name, other.config.va_bits, other.cpu) == ("16k", 52, "max,lpa2=off")


def test_tlb_shows_the_access_to_the_address_of_a_share_string():
    view = TLBView(page_size="64k")
    view.access = 3
    share = view.share
    other = TLBView(page_size="16k")
    other.load(share)
    assert other.page_size == "64k"
    assert other.watched.accessed.va == view.watched.accessed.va
    other.load("pgtlab://4k/48/lpa2/VMEMMAP_START")
    assert (other.page_size, other.share.split("/")[2:4]) == ("4k", ["4k", "48"])
    with pytest.raises(ValueError, match="is not a share string"):
        other.load("4k")
    assert other.page_size == "4k"
