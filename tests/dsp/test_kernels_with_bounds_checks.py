"""The slots and the stream again, by kernels with bounds checks and under the sanitizers.

The package is copied, its kernels are compiled in the copy with every check on, and the tests of
both run on it in a process of their own. The package as installed has none of these checks.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "dsp/spotcheck_dsp"
SOURCES = {
    "_slot_sums": ["fused_sums.c"],
    "_mains_stream": ["waveform_kernels.c", "decimation_cascade.c"],
}
TESTS = ["test_slot_sums.py", "test_mains_stream.py", "test_mains_core.py"]
CHECKS = ["-X", "boundscheck=True", "-X", "initializedcheck=True"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
PROBE = """\
# cython: language_level=3, wraparound=False
def checked(const double[::1] values, Py_ssize_t place):
    return values[place]

def unchecked(const double[::1] values, Py_ssize_t place):
    cdef const double *first = &values[0]
    return first[place]
"""


def runtime_of_sanitizer() -> str | None:
    """The libraries that must be loaded before the interpreter, where there are any."""
    found = [
        subprocess.run(
            ["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True
        ).stdout.strip()
        for name in ("libasan.so", "libstdc++.so")
    ]
    return " ".join(found) if all(Path(path).is_absolute() for path in found) else None


def compile_checked(folder: Path, name: str, *sources: str) -> None:
    """Cython and C of spotcheck_dsp.`name` in `folder`, every access checked."""
    package = folder / "spotcheck_dsp"
    subprocess.run(
        [sys.executable, "-m", "cython", *CHECKS, "--no-docstrings", str(package / f"{name}.pyx")],
        check=True,
        capture_output=True,
    )
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    # Machine-made C would take four times as long with optimization.
    subprocess.run(
        [
            *("gcc", "-O0", "-g1", "-shared", "-fPIC", "-fwrapv", *SANITIZERS),
            *("-I", sysconfig.get_paths()["include"], "-I", str(package)),
            *(str(package / source) for source in (f"{name}.c", *sources)),
            *("-lm", "-o", str(package / f"{name}{suffix}")),
        ],
        check=True,
    )


@pytest.fixture(scope="module")
def checked_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that, before all others on the path, gives the package with checked kernels."""
    folder = tmp_path_factory.mktemp("checked")
    leave = shutil.ignore_patterns("*.so", "_*.c", "__pycache__")
    shutil.copytree(PACKAGE, folder / "spotcheck_dsp", ignore=leave)
    (folder / "spotcheck_dsp/_probe.pyx").write_text(PROBE)
    (folder / "pytest.ini").write_text("[pytest]\n")
    with ThreadPoolExecutor() as pool:
        builds = [pool.submit(compile_checked, folder, name, *SOURCES[name]) for name in SOURCES]
        builds.append(pool.submit(compile_checked, folder, "_probe"))
        for build in builds:
            build.result()
    return folder


def run(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Python's answer to `code`, with the checked package and the sanitizers."""
    preload = runtime_of_sanitizer()
    assert preload is not None
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ
        | {
            "LD_PRELOAD": preload,
            # The interpreter leaks at its end; what is found goes where pytest does not catch it.
            "ASAN_OPTIONS": f"detect_leaks=0:log_path={folder / 'found'}",
            "UBSAN_OPTIONS": f"print_stacktrace=1:log_path={folder / 'found'}",
            "PYTHONPATH": str(folder),
            # Hypothesis then sets no deadlines, which a checked build would miss.
            "CI": "true",
        },
        capture_output=True,
        text=True,
        check=False,
    )


needs_sanitizer = pytest.mark.skipif(
    runtime_of_sanitizer() is None, reason="needs GCC's libasan, of Debian's libgcc-dev"
)


@needs_sanitizer
def test_streams_and_slots_stay_within_their_arrays(checked_package: Path) -> None:
    options = ["-c", str(checked_package / "pytest.ini"), "--rootdir", str(ROOT), "-q"]
    options += [
        "--import-mode=importlib",
        "-Werror",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:pytest-qt",
    ]
    # 200 kS/s goes through the same code as 50 kS/s, and takes its time here.
    options += ["-k", "not 200000"]
    tests = [str(Path(__file__).with_name(name)) for name in TESTS]
    ran = run(
        checked_package,
        f"""
import sys
import pytest
from spotcheck_dsp import _mains_stream, _slot_sums
for module in (_mains_stream, _slot_sums):
    assert module.__file__.startswith({str(checked_package)!r}), module.__file__
sys.exit(pytest.main({options + tests!r}))
""",
    )
    found = "".join(path.read_text() for path in checked_package.glob("found.*"))
    assert ran.returncode == 0, ran.stdout + ran.stderr + found
    assert found == ""


@needs_sanitizer
@pytest.mark.parametrize("place", [3, -1])
def test_access_beyond_an_array_is_an_index_error_in_this_build(
    place: int, checked_package: Path
) -> None:
    ran = run(
        checked_package,
        "import array; from spotcheck_dsp._probe import checked; "
        f"checked(array.array('d', [1, 2, 3]), {place})",
    )
    assert "IndexError: Out of bounds on buffer access" in ran.stderr


@needs_sanitizer
def test_access_by_pointer_beyond_an_array_ends_this_build(checked_package: Path) -> None:
    ran = run(
        checked_package,
        "import numpy; from spotcheck_dsp._probe import unchecked; unchecked(numpy.ones(300), 300)",
    )
    assert ran.returncode != 0
    found = [path.read_text() for path in checked_package.glob("found.*")]
    for path in checked_package.glob("found.*"):
        path.unlink()
    assert any("heap-buffer-overflow" in report for report in found)


@pytest.mark.parametrize("name", SOURCES)
def test_kernels_as_installed_are_built_without_bounds_checks(name: str) -> None:
    """What the checks of this file cost must not be paid by the instrument."""
    generated = PACKAGE / f"{name}.c"
    if not generated.exists():
        pytest.skip("the package was not built here")
    assert "__Pyx_RaiseBufferIndexError" not in generated.read_text()
