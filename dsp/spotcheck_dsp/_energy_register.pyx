# cython: language_level=3, wraparound=False
"""Loops of the energy register; energy_register.py says what it is."""

from libc.math cimport ceil, fabs, rint


def extend(const double[:, ::1] increments, double[:, ::1] kept, double[:, ::1] running):
    """Copy increments to `kept`, and add them one by one onto the first row of `running`."""
    cdef Py_ssize_t n, c
    if (
        kept.shape[0] != increments.shape[0] or running.shape[0] != increments.shape[0] + 1
        or kept.shape[1] != increments.shape[1] or running.shape[1] != increments.shape[1]
    ):
        raise IndexError("no room for the increments")
    with nogil:
        # One running sum: however the slots were cut into calls, the additions are the same.
        for n in range(increments.shape[0]):
            for c in range(increments.shape[1]):
                kept[n, c] = increments[n, c]
                running[n + 1, c] = running[n, c] + increments[n, c]


cdef inline double step(double x) noexcept nogil:
    """Integral of four boxes of one cycle, x cycles from their centre."""
    cdef double far = 2 - fabs(x), near = 1 - fabs(x), lower
    if far <= 0:
        return 1.0 if x > 0 else 0.0
    lower = far * far * far * far
    if near > 0:
        lower -= 4 * (near * near * near * near)
    lower /= 24
    return 1 - lower if x > 0 else lower


def read(
    const double[::1] samples, const double[::1] cycle_samples, double first_centre,
    double slot_length, const double[:, ::1] increments, const double[:, ::1] running,
    double[:, ::1] out,
):
    """E(t): what ran up before the edge, and the slots under it by their weights."""
    cdef Py_ssize_t n, k, c, first, last, reach, count = increments.shape[0]
    cdef double place, cycle, weight
    if (
        cycle_samples.shape[0] != samples.shape[0] or out.shape[0] != samples.shape[0]
        or out.shape[1] != increments.shape[1] or running.shape[1] != increments.shape[1]
        or running.shape[0] != count + 1
    ):
        raise IndexError("instants or slots of another shape")
    with nogil:
        for n in range(samples.shape[0]):
            place = (samples[n] - first_centre) / slot_length
            cycle = cycle_samples[n] / slot_length
            # A slot or two more than the edge reaches, which weigh 1 and 0.
            reach = <Py_ssize_t>ceil(2 * cycle) + 1
            first = min(max(<Py_ssize_t>rint(place) - reach, 0), count)
            last = min(<Py_ssize_t>rint(place) + reach + 1, count)
            for c in range(out.shape[1]):
                out[n, c] = 0.0
            for k in range(first, last):
                weight = step((samples[n] - (first_centre + k * slot_length)) / cycle_samples[n])
                for c in range(out.shape[1]):
                    out[n, c] += weight * increments[k, c]
            # The large sum last: its rounding comes once.
            for c in range(out.shape[1]):
                out[n, c] += running[first, c]
