import numpy as np
from numpy.typing import NDArray

def accumulate(
    codes: NDArray[np.int32],
    slot_length: int,
    filled: int,
    previous: NDArray[np.int64],
    partial: NDArray[np.int64],
    out: NDArray[np.int64],
) -> tuple[int, int, int]: ...
