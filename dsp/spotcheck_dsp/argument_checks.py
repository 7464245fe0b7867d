"""Refusals of arguments that the quantities and detectors share."""

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]


def refuse_unusable(name: str, values: Array | Complex, dimensions: int) -> None:
    """Refuse what is no array of finite floating-point numbers with so many dimensions.

    Args:
        name: The argument's name, for the message.
        values: The argument.
        dimensions: Dimensions that it must have.

    Raises:
        TypeError: the argument is no NumPy array, or holds no floating-point numbers.
        ValueError: wrong dimensions, or a value that is not finite.
    """
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fc":
        kind = getattr(values, "dtype", type(values).__name__)
        raise TypeError(f"{name} is {kind}; give a NumPy array of floating-point numbers")
    if values.ndim != dimensions:
        raise ValueError(f"{name} has the shape {values.shape}; {dimensions} dimensions are needed")
    if not np.all(np.isfinite(values)):
        first = tuple(int(k) for k in np.argwhere(~np.isfinite(values))[0])
        raise ValueError(f"{name} is not finite at index {first}; nothing is measured across a gap")


def refuse_not_positive(name: str, value: float) -> None:
    """Refuse a number that is not finite and above 0.

    Raises:
        ValueError: it is not.
    """
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} is {value}; a finite number above 0 is needed")


def refuse_negative(name: str, value: float) -> None:
    """Refuse a number that is not finite, or is below 0.

    Raises:
        ValueError: it is.
    """
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name} is {value}; a finite number from 0 is needed")


def refuse_no_probability(name: str, value: float) -> None:
    """Refuse what is no probability between 0 and 1/2.

    Raises:
        ValueError: it is not.
    """
    if not 0 < value < 0.5:
        raise ValueError(f"{name} is {value}; a probability above 0 and below 0.5 is needed")


def refuse_wrong_codes(name: str, codes: NDArray[np.int32], channels: int) -> None:
    """Refuse what is no block of interleaved int32 codes.

    Raises:
        TypeError: the argument is no int32 array.
        ValueError: not (n, channels).
    """
    if not isinstance(codes, np.ndarray) or codes.dtype != np.int32:
        kind = getattr(codes, "dtype", type(codes).__name__)
        raise TypeError(f"{name} is {kind}; the front end delivers int32 codes")
    if codes.ndim != 2 or codes.shape[1] != channels:
        raise ValueError(f"{name} has the shape {codes.shape}; (n, {channels}) is expected")
