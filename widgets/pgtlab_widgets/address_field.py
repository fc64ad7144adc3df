"""The fields in which an address and a share string are typed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


class AddressField:
    """A rejected text and the reason; nothing where the view's own address is shown."""

    def __init__(self) -> None:
        self._rejected: tuple[str, str] | None = None

    def enter(self, text: str, choose: Callable[[str], None]) -> bool:
        """Choose what was typed; False if `choose` raises a `ValueError`, whose message is then shown below."""
        try:
            choose(text)
        except ValueError as error:
            self._rejected = text, str(error)
            return False
        self.clear()
        return True

    def clear(self) -> None:
        """Show the view's address again."""
        self._rejected = None

    def drawn(self, address: str, meaning: str, names: Iterable[str]) -> dict[str, Any]:
        """For `field()` of `page.js`: the text, the error, what the address means, and the names to choose from."""
        text, error = self._rejected or (address, "")
        return {"text": text, "error": error, "meaning": meaning, "names": list(names)}


class ShareField(AddressField):
    """The field that shows a share string, and takes another; an error is shown until the view's own string changes."""

    def __init__(self) -> None:
        super().__init__()
        self._at = ""

    def load(self, share: str, text: str, choose: Callable[[str], None]) -> None:
        """Choose what was typed in place of `share`."""
        self._at = share
        self.enter(text, choose)

    def shown(self, share: str) -> dict[str, Any]:
        """The text and the error."""
        return self.drawn(share, "", ()) if share == self._at else {"text": share, "error": ""}


def written(address: str | int) -> str:
    """An address as it is written in the field.

    >>> written(0x1000), written("VMEMMAP_START")
    ('0x0000000000001000', 'VMEMMAP_START')
    """
    return address if isinstance(address, str) else f"{address:#018x}"
