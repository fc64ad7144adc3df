"""What the tests of the Linux side share."""

from collections.abc import Iterator

import pytest
from kernels import kernel

from pgtlab.arch.fault import Fault
from pgtlab.linux.kernel import Kernel


@pytest.fixture(scope="module")
def k(request: pytest.FixtureRequest) -> Kernel:
    """The kernel of a boot, where a test is marked `every_kernel`."""
    return kernel(request.param)


@pytest.fixture(autouse=True)
def gives_the_kernel_back(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test leaves the kernel that it shares with others as it was: no test depends on which ran before it."""
    if "k" not in request.fixturenames:
        yield
        return
    k = request.getfixturevalue("k")
    if not isinstance(k, Kernel):
        yield
        return
    before = _state(k)
    yield
    assert _state(k) == before


def _state(k: Kernel) -> dict[str, object]:
    """What a test would notice that another has changed."""
    pages = range(k.memory.base, k.memory.base + k.memory.size, k.memory.size // 16)
    return {
        "pages in use": k.page_owner.owners(),
        "faults in the linear map": [isinstance(k.mmu.translate(k.__va(pa)).outcome, Fault) for pa in pages],
        "replaced functions": k.patched,
        "kinds of pageblocks": [k.get_pageblock_migratetype(k.pfn_to_page(pa >> k.PAGE_SHIFT)) for pa in pages],
    }
