"""Versions of Linux, 6.1 to 7.3, as far as arm64's page tables differ between them.

Each difference is where it belongs, as `since(k, "6.9")`, with the version that brought it. Compared with kernels were:
headers and boots of 6.1, 6.12 and 7.3; `__cpu_setup` and the type information inside Debian's kernel images of 6.12,
6.16 to 6.19 and 7.0 to 7.3. In between, and for what those do not show, a version is known from the subject of the
commit, or is given as a range.
"""

from __future__ import annotations

import difflib
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pgtlab.linux.constants import Constants, Header

VERSIONS: Final = (*(f"6.{minor}" for minor in range(1, 20)), *(f"7.{minor}" for minor in range(4)))
COMPARED: Final = ("6.1", "6.12", "6.16", "6.17", "6.18", "6.19", "7.0", "7.1", "7.2", "7.3")
HEADERS_OF_THE_MODEL: Final = "6.12"


class VersionError(ValueError):
    """A version of Linux that is not modelled."""


def version_of(text: str) -> str:
    """The version in a release, such as that of `uname -r`.

    Raises
    ------
    VersionError
        If it is none of `VERSIONS`.

    Examples
    --------
    >>> version_of("6.12.117+deb13-arm64-16k")
    '6.12'
    """
    digits = text.lower().removeprefix("v").split("-")[0].split(".")
    version = ".".join(digits[:2])
    if version not in VERSIONS:
        near = difflib.get_close_matches(version, VERSIONS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise VersionError(f"Linux {text}: the versions from {VERSIONS[0]} to {VERSIONS[-1]} are modelled{hint}")
    return version


@cache
def version_code(version: str) -> int:
    """LINUX_VERSION_CODE of a version, which sorts as versions do.

    >>> hex(version_code("6.12")), version_code("6.9") < version_code("6.12")
    ('0x60c00', True)
    """
    major, minor = version.split(".")
    return int(major) << 16 | int(minor) << 8


def since(k: Constants | Header, version: str) -> bool:
    """Whether a kernel with these constants is of `version` or later.

    >>> since({"LINUX_VERSION_CODE": version_code("7.3")}, "6.19")
    True
    """
    return k["LINUX_VERSION_CODE"] >= version_code(version)
