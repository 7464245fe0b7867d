import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

def variants() -> list[str]: ...

class MainsCore:
    def __init__(
        self,
        variant: int,
        channels: int,
        filters: list[tuple[list[float], int]],
        analysis_stages: int,
        analysis_kept: int,
        track_kept: int,
    ) -> None: ...
    @property
    def analysis_frames(self) -> tuple[int, int]: ...
    @property
    def track_frames(self) -> tuple[int, int]: ...
    @property
    def lost(self) -> bool: ...
    @property
    def next_frame(self) -> int: ...
    @property
    def tracked(self) -> tuple[float, float]: ...
    def add(self, codes: NDArray[np.int32]) -> None: ...
    def track_values(self, channel: int, first: int, count: int) -> Array: ...
    def lock(
        self,
        reference: int,
        cycles_per_sample: float,
        lowest: float,
        highest: float,
        from_frame: int,
    ) -> None: ...
    def follow(self) -> int: ...
    def take_phasors(self) -> tuple[Array, NDArray[np.complex128]]: ...
    def next_window(self, cycles: int) -> tuple[float, float, float] | None: ...
    def resample(
        self, start: float, step: float, bend: float, table: Array, out: Array
    ) -> None: ...
    def spectrum_bins(
        self,
        values: Array,
        turns: Array,
        per_bin: float,
        series: Array,
        highest: float,
        transformed: Array,
        out: NDArray[np.complex128],
    ) -> None: ...

def group_levels(phasors: NDArray[np.complex128], bins: int, out: Array, whole: Array) -> None: ...
