"""Gives the integer codes back from what the device recorded, whatever the format."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spotcheck.errors import RecordingError
from spotcheck_recording.channel_map import ChannelMap
from spotcheck_recording.code_scale import ChannelScale, unscaled
from spotcheck_recording.opening import FileFormat, detect_format, open_recording


def read_codes(path: Path, scales: tuple[ChannelScale, ...]) -> Iterator[NDArray[np.int32]]:
    """Stream the codes of a recording of the device.

    Args:
        path: The recording.
        scales: Its channels, u1, i1[, u2, i2, u3, i3], by the correction set that was in use.

    Yields:
        Codes, shape (samples, channels), in the order of the scales. WAV and FLAC hold the codes
        themselves, of which nothing can say whether they belong to this correction set.

    Raises:
        RecordingError: the file is malformed, or its values are not codes scaled by these scales.
    """
    if detect_format(path) is FileFormat.AUDIO:
        yield from _audio_codes(path, scales)
        return
    comtrade = detect_format(path) is FileFormat.COMTRADE
    keys = tuple((scale.name, scale.name if comtrade else scale.column) for scale in scales)
    with open_recording(path, channel_map=ChannelMap(keys=keys, scales=())) as recording:
        order = [
            [channel.name for channel in recording.channels].index(scale.name) for scale in scales
        ]
        for block in recording.blocks():
            yield unscaled(path, block.first_sample, block.values[:, order], scales)


def _audio_codes(path: Path, scales: tuple[ChannelScale, ...]) -> Iterator[NDArray[np.int32]]:
    from spotcheck_recording.audio import read_audio_codes  # noqa: PLC0415

    for codes in read_audio_codes(path):
        if codes.shape[1] != len(scales):
            raise RecordingError(
                f"{path}: has {codes.shape[1]} channels, the correction set {len(scales)}; "
                f"use the correction set with which it was recorded"
            )
        yield codes
