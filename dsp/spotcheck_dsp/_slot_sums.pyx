# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The fused pass over interleaved int32 samples: exact int64 sums per slot. See slot_sums.py."""

from libc.stdint cimport int32_t, int64_t


def accumulate(
    const int32_t[:, ::1] codes,
    Py_ssize_t slot_length,
    Py_ssize_t filled,
    int64_t[::1] previous,
    int64_t[:, ::1] partial,
    int64_t[:, :, ::1] out,
):
    """Adds `codes` to `partial`, moving every completed slot to `out`.

    Returns (completed slots, samples in the partial slot, largest |code|). `previous` and
    `partial` are updated in place.
    """
    cdef Py_ssize_t n, p, s, slot = 0
    cdef Py_ssize_t samples = codes.shape[0]
    cdef Py_ssize_t phases = codes.shape[1] // 2
    cdef int64_t u, i, u_before, i_before, largest = 0
    with nogil:
        for n in range(samples):
            for p in range(phases):
                u = codes[n, 2 * p]
                i = codes[n, 2 * p + 1]
                u_before = previous[2 * p]
                i_before = previous[2 * p + 1]
                partial[p, 0] += u * i
                partial[p, 1] += u * i_before - u_before * i
                partial[p, 2] += u * u
                partial[p, 3] += i * i
                partial[p, 4] += u
                partial[p, 5] += i
                previous[2 * p] = u
                previous[2 * p + 1] = i
                if u > largest: largest = u
                elif -u > largest: largest = -u
                if i > largest: largest = i
                elif -i > largest: largest = -i
            filled += 1
            if filled == slot_length:
                for p in range(phases):
                    for s in range(6):
                        out[slot, p, s] = partial[p, s]
                        partial[p, s] = 0
                slot += 1
                filled = 0
    return slot, filled, largest
