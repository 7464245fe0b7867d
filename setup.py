"""Only compiles the kernels; everything else stands in pyproject.toml."""

from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

DSP = Path("dsp/spotcheck_dsp")
SOURCES = {
    "_energy_register": [],
    "_slot_sums": ["fused_sums.c"],
    "_mains_stream": ["waveform_kernels.c", "decimation_cascade.c"],
}

kernels = [
    Extension(
        f"spotcheck_dsp.{name}",
        [str(DSP / source) for source in [f"{name}.pyx", *sources]],
        depends=[str(header) for header in DSP.glob("*.h")],
        include_dirs=[str(DSP)],
        extra_compile_args=["-O3", "-fwrapv"],
    )
    for name, sources in SOURCES.items()
]
# Not in the sources, where they would win over those of the tests' build with bounds checks.
unchecked = {"boundscheck": False, "initializedcheck": False}
setup(ext_modules=cythonize(kernels, compiler_directives=unchecked))
