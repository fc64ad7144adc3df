"""What the tests of the Linux side share."""

import pytest
from kernels import kernel

from pgtlab.linux.kernel import Kernel


@pytest.fixture(scope="module")
def k(request: pytest.FixtureRequest) -> Kernel:
    """The kernel of a boot, where a test is marked `every_kernel`."""
    return kernel(request.param)
