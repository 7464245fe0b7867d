"""Only compiles the kernels; everything else stands in pyproject.toml."""

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup

kernel = Extension(
    "spotcheck_dsp._slot_sums",
    ["dsp/spotcheck_dsp/_slot_sums.pyx"],
    include_dirs=[numpy.get_include()],
    define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
    extra_compile_args=["-O3"],
)
setup(ext_modules=cythonize([kernel]))
