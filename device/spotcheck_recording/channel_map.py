"""Which channel of a recording is which voltage or current: stated by a person, never guessed."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from spotcheck.errors import RecordingChannelError
from spotcheck_recording.recording import Quantity, SourceChannel

LISTED_CHANNELS = 40
"""An error lists at most so many channels of a file."""

_NAME = re.compile(r"[ui][123]")
_PREFIXES = {"": 1.0, "k": 1e3, "m": 1e-3, "M": 1e6, "u": 1e-6, "µ": 1e-6, "μ": 1e-6}
_PHASE_LABELS = {
    label: phase
    for phase, labels in enumerate((("A", "L1", "1"), ("B", "L2", "2"), ("C", "L3", "3")), start=1)
    for label in labels
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelMap:
    """What a person said about the channels of a recording."""

    keys: tuple[tuple[str, str], ...]
    """(name such as "u1", key or number of the file's channel)."""
    scales: tuple[tuple[str, float], ...]
    """(name, factor): V or A per unit of the file; of ±1.0 full scale in WAV and FLAC."""

    def scale(self, name: str) -> float | None:
        """Return the stated scale of a name, or None."""
        return dict(self.scales).get(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedChannel:
    """A channel of the file with its place and the factor that makes it V or A."""

    source: SourceChannel
    """The channel of the file."""
    quantity: Quantity
    """Voltage or current."""
    phase: int
    """1, 2 or 3."""
    factor: float
    """V or A per unit of the file's value."""

    @property
    def name(self) -> str:
        """u1, i1, u2 and so on."""
        return f"{'u' if self.quantity is Quantity.VOLTAGE else 'i'}{self.phase}"


def parse_channel_map(maps: Sequence[str] = (), scales: Sequence[str] = ()) -> ChannelMap:
    """Read options such as "u1=220kV母线I_Ua", "i1=12", "i1=#12" and scales "u1=325.27".

    A key is the channel's name or its number; "#12" is always a number.

    Raises:
        RecordingChannelError: an option is malformed or given twice.
    """
    keys = tuple(_split(text, "--map u1=NAME") for text in maps)
    factors = tuple(_split(text, "--scale u1=325.27") for text in scales)
    for pairs, option in ((keys, "--map"), (factors, "--scale")):
        names = [name for name, _ in pairs]
        for name in names:
            if names.count(name) > 1:
                raise RecordingChannelError(f"{option} {name}=… is given twice; give it once")
    return ChannelMap(
        keys=keys, scales=tuple((name, _factor(name, text)) for name, text in factors)
    )


def unit_quantity(unit: str) -> tuple[Quantity, float] | None:
    """Return what a unit such as "kV" measures and how many V or A it is, or None."""
    text = unit.strip()
    if text[-1:] not in ("V", "A", "v", "a"):
        return None
    factor = _PREFIXES.get(text[:-1], _PREFIXES.get(text[:-1].lower()))
    return None if factor is None else (Quantity(text[-1].upper()), factor)


def resolve(
    path: Path,
    sources: Sequence[SourceChannel],
    channel_map: ChannelMap | None,
    *,
    scale_without_unit: bool,
) -> tuple[MappedChannel, ...]:
    """Find u1, i1[, u2, i2, u3, i3] among the channels of a file.

    Args:
        path: The file, for messages.
        sources: Its channels.
        channel_map: What a person stated; None if nothing.
        scale_without_unit: Whether a channel without a known unit needs a stated scale.

    Raises:
        RecordingChannelError: it is not certain which channel is which; lists the channels.
    """
    stated = channel_map or ChannelMap(keys=(), scales=())
    if stated.keys:
        found = {name: _by_key(path, sources, name, key) for name, key in stated.keys}
    else:
        found = _by_header(sources) or _by_phase(sources)
    _check_complete(path, sources, found, stated=bool(stated.keys))
    for name, _ in stated.scales:
        if name not in found:
            raise RecordingChannelError(
                f"{path}: --scale {name}=… is given, but {name} is not mapped; add --map {name}=…"
            )
    return tuple(
        _mapped(path, name, found[name], stated.scale(name), scale_without_unit)
        for name in sorted(found, key=lambda name: (name[1], name[0] == "i"))
    )


def describe_channels(sources: Sequence[SourceChannel]) -> str:
    """List channels for a message: number, key, unit and phase; at most 40."""
    lines = [
        f"  {source.number}: {source.key}"
        + (f" [{source.unit}]" if source.unit else "")
        + (f" phase {source.phase_label}" if source.phase_label else "")
        for source in sources[:LISTED_CHANNELS]
    ]
    if len(sources) > LISTED_CHANNELS:
        lines.append(f"  and {len(sources) - LISTED_CHANNELS} more")
    return "\n".join(lines)


def _split(text: str, example: str) -> tuple[str, str]:
    name, equals, rest = text.partition("=")
    name = name.strip().lower()
    if not equals or not _NAME.fullmatch(name) or not rest.strip():
        raise RecordingChannelError(
            f"{text!r} does not say a channel; write it as in {example}, with u1, i1 … u3, i3"
        )
    return name, rest.strip()


def _factor(name: str, text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = math.nan
    if not math.isfinite(factor) or factor == 0:
        raise RecordingChannelError(
            f"--scale {name}={text} is no factor; give a number other than zero, as in 325.27"
        )
    return factor


def _by_key(path: Path, sources: Sequence[SourceChannel], name: str, key: str) -> SourceChannel:
    number = key.removeprefix("#")
    by_number = [s for s in sources if number.isdecimal() and str(s.number) == number.lstrip("0")]
    by_name = [s for s in sources if s.key == key]
    matches = by_name + [s for s in by_number if s not in by_name]
    if not matches:
        raise RecordingChannelError(
            f"{path}: no channel {key!r} for {name}; the file has\n{describe_channels(sources)}\n"
            f"give one of these names or numbers, as in --map {name}={_example(sources)}"
        )
    if len(matches) > 1:
        numbers = ", ".join(f"--map {name}=#{source.number}" for source in matches)
        raise RecordingChannelError(
            f"{path}: {key!r} for {name} matches {len(matches)} channels; give one by its number: "
            f"{numbers}\n{describe_channels(matches)}"
        )
    return matches[0]


def _example(sources: Sequence[SourceChannel]) -> str:
    return sources[0].key if sources else "NAME"


def _by_header(sources: Iterable[SourceChannel]) -> dict[str, SourceChannel]:
    """Columns named u1_v, i1_a and so on say themselves what they are."""
    found: dict[str, SourceChannel] = {}
    for source in sources:
        name, _, unit = source.key.partition("_")
        if _NAME.fullmatch(name) and unit == ("v" if name[0] == "u" else "a"):
            if name in found:
                return {}
            found[name] = source
    return found


def _by_phase(sources: Iterable[SourceChannel]) -> dict[str, SourceChannel]:
    """Exactly one voltage and one current for each phase label: nothing is left to guess."""
    found: dict[str, SourceChannel] = {}
    for source in sources:
        phase = _PHASE_LABELS.get(source.phase_label.strip().upper())
        if phase is None or source.quantity is None:
            continue
        name = f"{'u' if source.quantity is Quantity.VOLTAGE else 'i'}{phase}"
        if name in found:
            return {}
        found[name] = source
    return found if _incomplete(found) is None else {}


def _incomplete(found: dict[str, SourceChannel]) -> str | None:
    phases = {name[1] for name in found} | {"1"}
    wanted = [letter + phase for phase in sorted(phases) for letter in "ui"]
    return next((name for name in wanted if name not in found), None)


def _check_complete(
    path: Path,
    sources: Sequence[SourceChannel],
    found: dict[str, SourceChannel],
    *,
    stated: bool,
) -> None:
    missing = _incomplete(found)
    if missing is not None:
        what = f"{missing} is missing" if stated or found else "which channel is which is not known"
        wanted = sorted(set(found) | {missing, "u1", "i1"}, key=lambda n: (n[1], n[0] == "i"))
        options = " ".join(f"--map {name}=NAME" for name in wanted)
        raise RecordingChannelError(
            f"{path}: {what}; the file has\n{describe_channels(sources)}\n"
            f"say it with {options} (NAME: a name or number of the list)"
        )
    numbers: dict[int, str] = {}
    for name, source in found.items():
        other = numbers.setdefault(source.number, name)
        if other != name:
            raise RecordingChannelError(
                f"{path}: channel {source.number} ({source.key}) is mapped as {other} and as "
                f"{name}; give each its own channel"
            )


def _mapped(
    path: Path, name: str, source: SourceChannel, scale: float | None, scale_without_unit: bool
) -> MappedChannel:
    quantity = Quantity.VOLTAGE if name[0] == "u" else Quantity.CURRENT
    if source.quantity not in (None, quantity):
        raise RecordingChannelError(
            f"{path}: channel {source.number} ({source.key}) is in {source.unit}, but is mapped as "
            f"{name}, which is in {quantity.value}; map a channel in {quantity.value}"
        )
    known = unit_quantity(source.unit)
    if scale is None and known is None and (scale_without_unit or source.unit):
        unit = f"is in {source.unit!r}" if source.unit else "has no unit"
        raise RecordingChannelError(
            f"{path}: channel {source.number} ({source.key}) {unit}; say how many "
            f"{quantity.value} its value 1 is with --scale {name}=FACTOR"
        )
    factor = (known[1] if known else 1.0) * (1.0 if scale is None else scale)
    return MappedChannel(source=source, quantity=quantity, phase=int(name[1]), factor=factor)
