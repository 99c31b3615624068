"""What a look at one part of the installation found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. A fault has a `fix`: what exactly to do; no secret is in either text."""

    name: str
    said: str
    fix: str = ""

    @property
    def is_fault(self) -> bool:
        """Is there something to be done?"""
        return bool(self.fix)
