# cython: language_level=3, wraparound=False
"""The fused pass over interleaved int32 samples, by the best code for this processor.

The sums themselves are in fused_sums.c; see slot_sums.py for what they are.
"""

from libc.stdint cimport int32_t, int64_t, uint32_t
from libc.string cimport memset


cdef extern from "fused_sums.h" nogil:
    ctypedef struct fused_variant:
        const char *name
    ctypedef struct fused_state:
        size_t filled
    const fused_variant *const *fused_variants(size_t *count)
    uint32_t fused_slots(
        const fused_variant *by, const int32_t *codes, size_t frames, size_t phases,
        size_t slot_length, int lagged, fused_state *state, int64_t *slots,
    )


def variants():
    """Names of the variants that this processor can run, the fastest first."""
    cdef size_t count
    cdef const fused_variant *const *found = fused_variants(&count)
    return [found[k].name.decode() for k in range(count)]


cdef class FusedSums:
    """What stays between blocks."""

    cdef const fused_variant *_by
    cdef fused_state _state
    cdef size_t _phases, _slot_length
    cdef bint _lagged

    def __cinit__(self, size_t variant, size_t phases, size_t slot_length, bint lagged):
        cdef size_t count
        cdef const fused_variant *const *found = fused_variants(&count)
        if variant >= count or not 1 <= phases <= 4 or slot_length < 1:
            raise IndexError("no such variant, phases or slot length")
        self._by = found[variant]
        self._phases, self._slot_length, self._lagged = phases, slot_length, lagged
        memset(&self._state, 0, sizeof(self._state))

    @property
    def filled(self):
        """Samples in the unfinished slot."""
        return self._state.filled

    def add(self, const int32_t[:, ::1] codes, int64_t[:, :, ::1] out, uint32_t largest_allowed):
        """Completed slots to `out`; the largest |code|. Beyond what is allowed nothing is kept."""
        cdef fused_state before = self._state
        cdef uint32_t largest = 0
        cdef int64_t *to = &out[0, 0, 0] if out.shape[0] else NULL
        cdef size_t completed = (self._state.filled + <size_t>codes.shape[0]) // self._slot_length
        if (
            codes.shape[1] != 2 * self._phases or out.shape[0] != completed
            or out.shape[1] != self._phases or out.shape[2] != 6
        ):
            raise IndexError("codes or slots of another shape")
        if codes.shape[0]:
            with nogil:
                largest = fused_slots(
                    self._by, &codes[0, 0], codes.shape[0], self._phases, self._slot_length,
                    self._lagged, &self._state, to,
                )
        if largest > largest_allowed:
            self._state = before
        return largest
