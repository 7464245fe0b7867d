"""Only compiles the kernels; everything else stands in pyproject.toml."""

from Cython.Build import cythonize
from setuptools import Extension, setup

kernel = Extension(
    "spotcheck_dsp._slot_sums",
    ["dsp/spotcheck_dsp/_slot_sums.pyx", "dsp/spotcheck_dsp/fused_sums.c"],
    depends=["dsp/spotcheck_dsp/fused_sums.h", "dsp/spotcheck_dsp/fused_sums_lanes.h"],
    include_dirs=["dsp/spotcheck_dsp"],
    extra_compile_args=["-O3", "-fwrapv"],
)
setup(ext_modules=cythonize([kernel]))
