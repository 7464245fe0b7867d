"""Colours and sizes of the app's themes, and the style sheet made of them; no Qt in here."""

from dataclasses import dataclass

FONT_FAMILIES = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "WenQuanYi Micro Hei",
    "DejaVu Sans",
)
"""Fonts with Chinese first; the first that is installed is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """One set of colours, each "#rrggbb", with the sizes that go with it."""

    name: str
    """dark, light or sunlight."""
    background: str
    """Window behind the panels."""
    panel: str
    """Ground of views and inputs."""
    raised: str
    """Ground of buttons and of the table's heading."""
    text: str
    """Text that must be read."""
    dim_text: str
    """Axis labels, captions."""
    grid: str
    """Grid lines."""
    axis: str
    """Frames and zero lines."""
    u1: str
    """Voltage of phase A: yellow."""
    u2: str
    """Voltage of phase B: green."""
    u3: str
    """Voltage of phase C: red."""
    i1: str
    """Current of phase A: u1's hue, another shade."""
    i2: str
    """Current of phase B."""
    i3: str
    """Current of phase C."""
    limit: str
    """Maximum permissible error."""
    error_line: str
    """Running error."""
    error_band: str
    """Expanded uncertainty around the running error."""
    passed: str
    """Verdict: within limits."""
    failed: str
    """Verdict: outside limits; alarms."""
    warning: str
    """Undecided, or in need of attention."""
    stale: str
    """Values that are no longer renewed."""
    accent: str
    """Focus, selection, the main button."""
    on_accent: str
    """Text on accent, passed, failed and warning."""
    text_px: int
    """Ordinary text, logical pixels."""
    line_px: float
    """Traces, logical pixels."""

    def voltage(self, phase: int) -> str:
        """Colour of the voltage of phase 0, 1 or 2."""
        return (self.u1, self.u2, self.u3)[phase % 3]

    def current(self, phase: int) -> str:
        """Colour of the current of phase 0, 1 or 2."""
        return (self.i1, self.i2, self.i3)[phase % 3]


DARK = Theme(
    name="dark",
    background="#0d1216",
    panel="#151c22",
    raised="#222c34",
    text="#f4f7f9",
    dim_text="#a9b6c0",
    grid="#2b363f",
    axis="#566570",
    u1="#ffd21f",
    u2="#2fd17c",
    u3="#ff5b52",
    i1="#fff0a6",
    i2="#aef3cd",
    i3="#ffb5b0",
    limit="#ff9a4d",
    error_line="#5cc8ff",
    error_band="#1f4a63",
    passed="#3ddc84",
    failed="#ff6259",
    warning="#ffb627",
    stale="#74818b",
    accent="#5cc8ff",
    on_accent="#08121a",
    text_px=16,
    line_px=2.0,
)

LIGHT = Theme(
    name="light",
    background="#eef1f4",
    panel="#ffffff",
    raised="#e3e9ee",
    text="#12181d",
    dim_text="#4c5a65",
    grid="#dbe2e7",
    axis="#93a1ac",
    u1="#8f6600",
    u2="#08783b",
    u3="#c81f26",
    i1="#ad8214",
    i2="#2c9a5b",
    i3="#e2585c",
    limit="#c4560a",
    error_line="#0b66b0",
    error_band="#c3def3",
    passed="#0a7a3c",
    failed="#c81f26",
    warning="#9a5b00",
    stale="#7d8a94",
    accent="#0b66b0",
    on_accent="#ffffff",
    text_px=16,
    line_px=2.0,
)

SUNLIGHT = Theme(
    name="sunlight",
    background="#ffffff",
    panel="#ffffff",
    raised="#ffffff",
    text="#000000",
    dim_text="#1a1a1a",
    grid="#a8a8a8",
    axis="#000000",
    u1="#7a5500",
    u2="#00602a",
    u3="#b8000e",
    i1="#916700",
    i2="#007d38",
    i3="#dc1c28",
    limit="#8a2f00",
    error_line="#0038a8",
    error_band="#a9c8f5",
    passed="#00602a",
    failed="#b8000e",
    warning="#7a4300",
    stale="#5c5c5c",
    accent="#0038a8",
    on_accent="#ffffff",
    text_px=20,
    line_px=3.0,
)

THEMES: dict[str, Theme] = {theme.name: theme for theme in (DARK, LIGHT, SUNLIGHT)}

_SHEET = """
* {{ font-family: {families}; font-size: {text_px}px; }}
QWidget {{ background: {background}; color: {text}; }}
QLabel {{ background: transparent; }}
QToolTip {{ background: {raised}; color: {text}; border: 1px solid {axis}; padding: 4px; }}
QPushButton, QToolButton {{
    background: {raised}; color: {text}; border: {border}px solid {axis};
    border-radius: 8px; min-height: {touch_px}px; padding: 0 18px; font-weight: 600;
}}
QPushButton:hover, QToolButton:hover {{ border-color: {accent}; }}
QPushButton:pressed, QToolButton:pressed, QPushButton:checked, QToolButton:checked,
QPushButton[primary="true"] {{
    background: {accent}; color: {on_accent}; border-color: {accent};
}}
QPushButton:disabled, QToolButton:disabled, QPushButton[primary="true"]:disabled {{
    color: {stale}; border-color: {grid}; background: {background};
}}
QPushButton:focus, QToolButton:focus, QLineEdit:focus, QComboBox:focus, QAbstractSpinBox:focus,
QPlainTextEdit:focus, QTextEdit:focus, QAbstractItemView:focus {{
    border: 3px solid {accent};
}}
QPushButton[primary="true"]:focus, QPushButton:checked:focus {{ border-color: {text}; }}
QLineEdit, QComboBox, QAbstractSpinBox {{
    background: {panel}; color: {text}; border: {border}px solid {axis}; border-radius: 8px;
    min-height: {touch_px}px; padding: 0 12px;
    selection-background-color: {accent}; selection-color: {on_accent};
}}
QLineEdit:disabled, QComboBox:disabled, QAbstractSpinBox:disabled {{ color: {stale}; }}
QLabel#fault {{ color: {failed}; font-weight: 600; }}
QScrollArea {{ border: none; }}
QLineEdit[invalid="true"] {{ border-color: {failed}; }}
QComboBox::drop-down {{ border: none; width: {touch_px}px; }}
QComboBox QAbstractItemView::item {{ min-height: {touch_px}px; }}
QPlainTextEdit, QTextEdit, QAbstractItemView {{
    background: {panel}; color: {text}; border: {border}px solid {axis}; border-radius: 8px;
    selection-background-color: {accent}; selection-color: {on_accent};
}}
QListView::item, QTreeView::item {{ min-height: {touch_px}px; padding: 0 8px; }}
QHeaderView::section {{
    background: {raised}; color: {dim_text}; border: none; padding: 8px; font-weight: 600;
}}
QCheckBox, QRadioButton {{ min-height: {touch_px}px; spacing: 12px; background: transparent; }}
QCheckBox:focus, QRadioButton:focus {{ color: {accent}; }}
QCheckBox::indicator, QRadioButton::indicator {{
    width: 24px; height: 24px; border: 2px solid {dim_text}; background: {panel};
}}
QCheckBox::indicator {{ border-radius: 5px; }}
QRadioButton::indicator {{ border-radius: 14px; }}
QCheckBox::indicator:checked, QRadioButton::indicator:checked {{
    background: {accent}; border-color: {accent};
}}
QTabBar::tab {{
    background: {raised}; color: {dim_text}; min-height: {touch_px}px; padding: 0 22px;
    border-bottom: 4px solid transparent;
}}
QTabBar::tab:selected {{ color: {text}; border-bottom-color: {accent}; font-weight: 600; }}
QTabBar::tab:focus {{ color: {accent}; }}
QTabWidget::pane {{ border: none; }}
QGroupBox {{
    border: {border}px solid {grid}; border-radius: 8px; margin-top: {text_px}px; padding: 12px;
}}
QGroupBox::title {{ subcontrol-origin: margin; left: 12px; color: {dim_text}; }}
QMenu {{ background: {panel}; border: 1px solid {axis}; }}
QMenu::item {{ min-height: {touch_px}px; padding: 0 24px; }}
QMenu::item:selected {{ background: {accent}; color: {on_accent}; }}
QProgressBar {{
    background: {panel}; border: {border}px solid {axis}; border-radius: 8px;
    min-height: 24px; text-align: center;
}}
QProgressBar::chunk {{ background: {accent}; border-radius: 6px; }}
QScrollBar:vertical {{ background: {background}; width: 18px; }}
QScrollBar:horizontal {{ background: {background}; height: 18px; }}
QScrollBar::handle {{
    background: {axis}; border-radius: 7px; margin: 2px; min-height: 44px; min-width: 44px;
}}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""


def stylesheet(theme: Theme) -> str:
    """Qt style sheet of the whole app: targets of at least 44 px for fingers, a focus one sees."""
    return _SHEET.format(
        families=", ".join(f'"{family}"' for family in FONT_FAMILIES),
        background=theme.background,
        panel=theme.panel,
        raised=theme.raised,
        text=theme.text,
        dim_text=theme.dim_text,
        grid=theme.grid,
        axis=theme.axis,
        accent=theme.accent,
        on_accent=theme.on_accent,
        failed=theme.failed,
        stale=theme.stale,
        text_px=theme.text_px,
        touch_px=max(44, round(theme.text_px * 2.6)),
        border=2 if theme.name == "sunlight" else 1,
    )
