"""The fonts that reports and plots are set in, and what they can set."""

import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib
import typst
from matplotlib.ft2font import FT2Font

from spotcheck.errors import ConfigurationError

CHINESE_FONTS = ("WenQuanYi Micro Hei", "Noto Sans CJK SC", "Source Han Sans SC")
"""Families looked for, in this order."""
NO_CHINESE_FONT = (
    "no Chinese font is installed; run: apt-get install fonts-wqy-microhei (or fonts-noto-cjk)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFonts:
    """Where the fonts of a report are."""

    chinese_family: str | None
    """Family of the Chinese font; None when there is none."""
    chinese_path: Path | None
    """Its file."""
    characters: frozenset[int]
    """Code points that can be set."""

    @property
    def folders(self) -> list[Path]:
        """Folders of the font files."""
        chinese = [self.chinese_path.parent] if self.chinese_path else []
        return [_matplotlib_fonts(), *chinese]


@cache
def report_fonts() -> ReportFonts:
    """The fonts of this machine: DejaVu from Matplotlib, and the first Chinese font found."""
    found = {font.family: font.path for font in typst.Fonts().fonts() if font.path}
    family = next((name for name in CHINESE_FONTS if name in found), None)
    path = Path(found[family]) if family else None
    files = [_matplotlib_fonts() / "DejaVuSans.ttf", *([path] if path else [])]
    characters = frozenset(code for file in files for code in FT2Font(str(file)).get_charmap())
    return ReportFonts(chinese_family=family, chinese_path=path, characters=characters)


def settable(text: str, fonts: ReportFonts) -> str:
    """`text` with what no font can set, or what would reorder it, spelled as its code point.

    Raises:
        ConfigurationError: there are Chinese characters and no Chinese font.
    """
    return "".join(_settable(char, fonts) for char in text)


def _settable(char: str, fonts: ReportFonts) -> str:
    if ord(char) in fonts.characters and unicodedata.category(char)[0] != "C":
        return char
    if fonts.chinese_family is None and unicodedata.east_asian_width(char) in "WF":
        raise ConfigurationError(NO_CHINESE_FONT)
    return " " if char in "\n\t" else f"[U+{ord(char):04X}]"


def _matplotlib_fonts() -> Path:
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf"
