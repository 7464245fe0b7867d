"""Where configuration and data of a COMTRADE recording lie: .cfg and .dat, or one .cff.

IEC 60255-24:2013, single file format: a .cff holds sections under lines `--- file type: CFG ---`,
`--- file type: DAT ASCII ---` and `--- file type: DAT BINARY: 1234 ---`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from spotcheck.errors import RecordingError
from spotcheck_recording.comtrade_cfg import Configuration, DataType, parse_configuration

LARGEST_CONFIGURATION_BYTES = 32 << 20
"""More is no configuration: 32 MiB hold some 300,000 channels."""

_SECTION = re.compile(
    rb"\s*-+\s*file\s*type\s*:\s*(CFG|INF|HDR|DAT)\s*([A-Z0-9]*)\s*(?::\s*([0-9]{1,18}))?\s*-*\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComtradeFiles:
    """A configuration and the place of its data."""

    path: Path
    """The file that was named."""
    configuration: Configuration
    """What the configuration says."""
    data_path: Path
    """The file with the data."""
    data_offset: int
    """Where the data begin in it, bytes."""
    data_bytes: int
    """Length of the data."""
    first_line: int
    """Line of the file on which ASCII data begin, from 1."""


def find_files(path: Path) -> ComtradeFiles:
    """Find and read the configuration, and find the data.

    Args:
        path: A .cfg, .dat or .cff file; the sibling of a .cfg or .dat may differ in case.

    Raises:
        RecordingError: a file is missing, ambiguous or malformed.
    """
    try:
        if path.suffix.lower() == ".cff":
            return _single_file(path)
        cfg_path = _sibling(path, ".cfg")
        configuration = read_configuration(cfg_path)
        data_path = _sibling(path, ".dat")
        size = data_path.stat().st_size
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error}; check the file") from error
    return ComtradeFiles(
        path=path,
        configuration=configuration,
        data_path=data_path,
        data_offset=0,
        data_bytes=size,
        first_line=1,
    )


def read_configuration(path: Path) -> Configuration:
    """Read the configuration that belongs to a .cfg, .dat or .cff file.

    Raises:
        RecordingError: it is missing or malformed.
    """
    try:
        if path.suffix.lower() == ".cff":
            return _single_file(path).configuration
        cfg_path = _sibling(path, ".cfg")
        size = cfg_path.stat().st_size
        if size > LARGEST_CONFIGURATION_BYTES:
            raise RecordingError(
                f"{cfg_path}: {size} bytes are no COMTRADE configuration; name the .cfg file"
            )
        return parse_configuration(cfg_path, cfg_path.read_bytes())
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error}; check the file") from error


def _sibling(path: Path, suffix: str) -> Path:
    if path.suffix.lower() == suffix:
        return path
    cased = suffix.upper() if path.suffix.isupper() else suffix
    if path.with_suffix(cased).exists():
        return path.with_suffix(cased)
    wanted = path.with_suffix(suffix).name.lower()
    found = sorted(other for other in path.parent.iterdir() if other.name.lower() == wanted)
    if len(found) != 1:
        what = f"{len(found)} files" if found else "no file"
        raise RecordingError(
            f"{path}: {what} {path.with_suffix(suffix).name} beside it; "
            f"put exactly one there, of the same name"
        )
    return found[0]


def _single_file(path: Path) -> ComtradeFiles:
    configuration: Configuration | None = None
    with path.open("rb") as file:
        line_number, section = 1, _SECTION.fullmatch(file.readline(4096))
        if section is None:
            raise RecordingError(
                f"{path}, line 1: no section line such as '--- file type: CFG ---'; "
                f"this is no .cff file, copy it again"
            )
        while section is not None and section[1].upper() != b"DAT":
            lines, following = _section_lines(path, file)
            if section[1].upper() == b"CFG":
                data = b"".join(lines)
                configuration = parse_configuration(path, data, first_line=line_number + 1)
            line_number += len(lines) + 1
            section = following
        if section is None or configuration is None:
            part = "DAT" if configuration else "CFG before the section DAT"
            raise RecordingError(
                f"{path}: ends without a section {part}; the file was cut, copy it again"
            )
        return _data_section(path, file, section, configuration, line_number + 1)


def _section_lines(path: Path, file: BinaryIO) -> tuple[list[bytes], re.Match[bytes] | None]:
    lines: list[bytes] = []
    size = 0
    while line := file.readline(1 << 20):
        match = _SECTION.fullmatch(line) if len(line) < 4096 else None
        if match is not None:
            return lines, match
        size += len(line)
        if size > LARGEST_CONFIGURATION_BYTES:
            raise RecordingError(
                f"{path}, byte {file.tell()}: a section before the data is longer than "
                f"{LARGEST_CONFIGURATION_BYTES} bytes; this is no .cff file, copy it again"
            )
        lines.append(line)
    return lines, None


def _data_section(
    path: Path,
    file: BinaryIO,
    section: re.Match[bytes],
    configuration: Configuration,
    first_line: int,
) -> ComtradeFiles:
    offset = file.tell()
    remaining = file.seek(0, 2) - offset
    kind = section[2].decode("ascii").upper() or "ASCII"
    stated = configuration.data_type
    if (kind == "ASCII") != (stated is DataType.ASCII):
        raise RecordingError(
            f"{path}, line {first_line - 1}: the data section is {kind}, the configuration says "
            f"{stated.value}; correct the one that is wrong"
        )
    if kind != "ASCII" and section[3] is not None:
        promised = int(section[3])
        file.seek(offset + min(promised, remaining))
        if promised > remaining or file.read(64).strip(b"\r\n\x1a"):
            raise RecordingError(
                f"{path}, line {first_line - 1}: promises {promised} bytes of data, but "
                f"{remaining} follow; copy the file again"
            )
        remaining = promised
    return ComtradeFiles(
        path=path,
        configuration=configuration,
        data_path=path,
        data_offset=offset,
        data_bytes=remaining,
        first_line=first_line,
    )
