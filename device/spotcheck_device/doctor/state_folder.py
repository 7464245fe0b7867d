"""The folder whose contents must survive a power cut: rights, space, disk, keys."""

import os
import shutil
import stat
import statistics
import tempfile
import time
from pathlib import Path

from spotcheck_device.doctor.finding import Finding, failed, ok, warning

VOLATILE = ("tmpfs", "ramfs", "overlay")
LEAST_FREE_MB = 100
COMFORTABLE_FREE_MB = 1000
SLOW_SYNC_MS = 100.0
SYNCS = 16
SYNCED_BYTES = 4096
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_PRIVATE_KEY = b"PRIVATE KEY"
_LARGEST_KEY_FILE = 1 << 16


def check_state_folder(folder: Path) -> list[Finding]:
    """Whether the folder is there, writable, nobody else's, lasting, with room, and quick."""
    if not folder.is_dir():
        return [failed("state.missing", path=str(folder))]
    try:
        syncs_ms = measured_syncs_ms(folder)
    except OSError as error:
        return [failed("state.not-writable", path=str(folder), text=error.strerror or str(error))]
    mode = stat.S_IMODE(folder.stat().st_mode)
    facts = {"path": str(folder), "mode": f"{mode:04o}"}
    access = warning("state.open", **facts) if mode & _OTHERS else ok("state.good", **facts)
    return [access, check_keys(folder), check_filesystem(folder), check_room(folder),
            judge_syncs(syncs_ms)]  # fmt: skip


def check_record_folder(folder: Path) -> Finding:
    """Whether recordings can be written; the recorder makes the folder where it is missing."""
    nearest = folder
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    try:
        tempfile.TemporaryFile(dir=nearest).close()
    except OSError as error:
        text = error.strerror or str(error)
        return failed("recordings.not-writable", path=str(folder), text=text)
    free_mb = shutil.disk_usage(nearest).free // 1_000_000
    return ok("recordings.good", path=str(folder), free_mb=free_mb)


def check_keys(folder: Path) -> Finding:
    """Whether only their owner can read the private keys in the folder."""
    keys = [path for path in sorted(folder.rglob("*")) if _holds_a_private_key(path)]
    for path in keys:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & _OTHERS:
            return failed("keys.open", path=str(path), mode=f"{mode:04o}")
    return ok("keys.good", keys=len(keys))


def check_filesystem(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> Finding:
    """Whether the folder lies on a disk, and not in memory or in a layer of a container."""
    kind = filesystem_of(folder.resolve(), mounts.read_text("utf-8"))
    if kind in VOLATILE:
        return failed("filesystem.volatile", path=str(folder), filesystem=kind)
    return ok("filesystem.good", filesystem=kind)


def filesystem_of(folder: Path, mounts: str) -> str:
    """Kind of the file system that is mounted nearest above a folder (proc(5), mounts)."""
    best, kind = -1, "unknown"
    for line in mounts.splitlines():
        _, point, found, *_ = line.split()
        point = point.encode().decode("unicode_escape")
        # Of two mounts on one point the later one is seen.
        if folder.is_relative_to(point) and len(point) >= best:
            best, kind = len(point), found
    return kind


def check_room(folder: Path, free_bytes: int | None = None) -> Finding:
    """Room on the disk."""
    free = shutil.disk_usage(folder).free if free_bytes is None else free_bytes
    free_mb = free // 1_000_000
    if free_mb < LEAST_FREE_MB:
        return failed("room.none", free_mb=free_mb)
    if free_mb < COMFORTABLE_FREE_MB:
        return warning("room.little", free_mb=free_mb)
    return ok("room.good", free_mb=free_mb)


def measured_syncs_ms(folder: Path) -> list[float]:
    """Times of writes of 4 KiB with `fsync`, in a file that is removed again.

    Raises:
        OSError: the folder cannot be written, or not synced.
    """
    times_ms = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(SYNCS):
            begun_s = time.perf_counter()
            file.write(bytes(SYNCED_BYTES))
            file.flush()
            os.fsync(file.fileno())
            times_ms.append(1000 * (time.perf_counter() - begun_s))
    return times_ms


def judge_syncs(times_ms: list[float]) -> Finding:
    """Whether the disk takes an outcome quickly enough; the stream does not wait for it."""
    median_ms, worst_ms = round(statistics.median(times_ms), 2), round(max(times_ms), 2)
    facts = {"median_ms": median_ms, "worst_ms": worst_ms}
    return (warning if median_ms > SLOW_SYNC_MS else ok)(
        "disk.slow" if median_ms > SLOW_SYNC_MS else "disk.good", **facts
    )


def _holds_a_private_key(path: Path) -> bool:
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST_KEY_FILE:
            return False
        return _PRIVATE_KEY in path.read_bytes()
    except OSError:
        return False  # what this user cannot read is not open to others
