import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

def extend(increments: Array, kept: Array, running: Array) -> None: ...
def read(
    samples: Array,
    cycle_samples: Array,
    first_centre: float,
    slot_length: float,
    increments: Array,
    running: Array,
    out: Array,
) -> None: ...
