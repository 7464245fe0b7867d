/* How fast int32 can be read at all: sums in registers, nothing else. For kernel_speed.py. */
#include <stddef.h>
#include <stdint.h>

typedef int32_t wide __attribute__((vector_size(64), aligned(4), may_alias));

int32_t read_all(const int32_t *values, size_t count)
{
    wide a = {0}, b = {0}, c = {0}, d = {0};
    for (size_t k = 0; k + 64 <= count; k += 64) {
        a += *(const wide *)(values + k);
        b += *(const wide *)(values + k + 16);
        c += *(const wide *)(values + k + 32);
        d += *(const wide *)(values + k + 48);
    }
    const wide sum = (a + b) + (c + d);
    int32_t total = 0;
    for (int lane = 0; lane < 16; lane++)
        total += sum[lane];
    return total;
}
