"""The board: clock rate of its processor, memory, limits of a process."""

import resource
from pathlib import Path

from spotcheck_device.doctor.finding import Finding, failed, ok, warning

LEAST_MEMORY_MB = 100
COMFORTABLE_MEMORY_MB = 300
LEAST_OPEN_FILES = 256
_SLOW = ("powersave", "conservative")


def check_governor(cpus: Path = Path("/sys/devices/system/cpu")) -> Finding:
    """Whether the processor may run at its full rate."""
    found = sorted(
        {path.read_text("ascii").strip() for path in cpus.glob("cpu*/cpufreq/scaling_governor")}
    )
    if not found:
        return ok("governor.none")
    slow = [name for name in found if name in _SLOW]
    if slow:
        return warning("governor.slow", governor=", ".join(slow))
    return ok("governor.good", governor=", ".join(found))


def check_memory(meminfo: Path = Path("/proc/meminfo")) -> Finding:
    """Memory that a program can still get (proc(5), MemAvailable)."""
    lines = dict(line.split(":", 1) for line in meminfo.read_text("ascii").splitlines())
    available_mb = int(lines["MemAvailable"].split()[0]) * 1024 // 1_000_000
    if available_mb < LEAST_MEMORY_MB:
        return failed("memory.none", available_mb=available_mb)
    if available_mb < COMFORTABLE_MEMORY_MB:
        return warning("memory.little", available_mb=available_mb)
    return ok("memory.good", available_mb=available_mb)


def check_limits() -> Finding:
    """Open files, and what scheduling this user may ask for."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    priority, _ = resource.getrlimit(resource.RLIMIT_RTPRIO)
    # getrlimit(2): a limit of n lets a process go down to a nice value of 20 − n.
    nice, _ = resource.getrlimit(resource.RLIMIT_NICE)
    facts = {
        "open_files": files,
        "realtime_priority": priority,
        "lowest_nice": 20 - nice if nice >= 0 else -20,
    }
    if 0 <= files < LEAST_OPEN_FILES:
        return failed("limits.files", **facts)
    return ok("limits.good", **facts)
