"""Keeps the folder of recordings within its limit: the oldest goes first, the newest never."""

import shutil
from pathlib import Path

from spotcheck_device.recording_head import HEAD_FILE


def forget_oldest(folder: Path, limit_bytes: int) -> list[str]:
    """Remove whole recordings, the oldest first, until the others fit.

    Folders that are no whole recording are neither counted nor touched.

    Args:
        folder: Folder of all recordings.
        limit_bytes: What they may hold together.

    Returns:
        Names of what was removed.

    Raises:
        OSError: a recording cannot be read or removed.
    """
    whole = [path.parent for path in folder.glob(f"*/{HEAD_FILE}")]
    # What a power cut left is no recording yet, though its head may be written.
    whole = [path for path in whole if path.suffix != ".partial"]
    whole.sort(key=lambda path: (path / HEAD_FILE).stat().st_mtime_ns)
    sizes = {path: sum(file.stat().st_size for file in path.iterdir()) for path in whole}
    total = sum(sizes.values())
    removed = []
    for path in whole[:-1]:
        if total <= limit_bytes:
            break
        # Without its head it is no recording any more, whatever happens while it is removed.
        (path / HEAD_FILE).unlink()
        shutil.rmtree(path)
        total -= sizes[path]
        removed.append(path.name)
    return removed
