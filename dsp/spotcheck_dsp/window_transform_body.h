/* The Fourier transform of a window of mains cycles, all channels of a frame side by side: 160 values
   a cycle, ten or twelve cycles. Two values that follow each other are a complex one, and of these
   there are 160 a part, and five or six parts that take turns.

   Each part is transformed by radix 4, 5 and 8 (Stockham: no reordering), then five or six values at
   a time across the parts, and last the two halves of each complex value are told apart. */

typedef struct {
    double8 re, im;
} NAMED(complex8);

#define C8 NAMED(complex8)

static inline C8 NAMED(plus)(C8 a, C8 b) { return (C8){a.re + b.re, a.im + b.im}; }
static inline C8 NAMED(minus)(C8 a, C8 b) { return (C8){a.re - b.re, a.im - b.im}; }
/* a − i·b and a + i·b */
static inline C8 NAMED(minus_i)(C8 a, C8 b) { return (C8){a.re + b.im, a.im - b.re}; }
static inline C8 NAMED(plus_i)(C8 a, C8 b) { return (C8){a.re - b.im, a.im + b.re}; }
static inline C8 NAMED(turned)(C8 a, const double *by)
{
    return (C8){a.re * by[0] - a.im * by[1], a.re * by[1] + a.im * by[0]};
}
static inline C8 NAMED(weighed)(C8 a, C8 b, double by_b, C8 c, double by_c)
{
    return (C8){a.re + b.re * by_b + c.re * by_c, a.im + b.im * by_b + c.im * by_c};
}

static inline void NAMED(four)(const C8 a[4], C8 b[4])
{
    const C8 even = NAMED(plus)(a[0], a[2]), odd = NAMED(plus)(a[1], a[3]);
    const C8 far = NAMED(minus)(a[0], a[2]), near = NAMED(minus)(a[1], a[3]);
    b[0] = NAMED(plus)(even, odd);
    b[1] = NAMED(minus_i)(far, near);
    b[2] = NAMED(minus)(even, odd);
    b[3] = NAMED(plus_i)(far, near);
}

static inline void NAMED(eight)(const C8 a[8], C8 b[8])
{
    const C8 evens[4] = {a[0], a[2], a[4], a[6]}, odds[4] = {a[1], a[3], a[5], a[7]};
    C8 even[4], odd[4];
    NAMED(four)(evens, even);
    NAMED(four)(odds, odd);
    const C8 second = {(odd[1].re + odd[1].im) * M_SQRT1_2, (odd[1].im - odd[1].re) * M_SQRT1_2};
    const C8 fourth = {(odd[3].im - odd[3].re) * M_SQRT1_2, -(odd[3].re + odd[3].im) * M_SQRT1_2};
    b[0] = NAMED(plus)(even[0], odd[0]), b[4] = NAMED(minus)(even[0], odd[0]);
    b[1] = NAMED(plus)(even[1], second), b[5] = NAMED(minus)(even[1], second);
    b[2] = NAMED(minus_i)(even[2], odd[2]), b[6] = NAMED(plus_i)(even[2], odd[2]);
    b[3] = NAMED(plus)(even[3], fourth), b[7] = NAMED(minus)(even[3], fourth);
}

static inline void NAMED(three)(C8 a, C8 b, C8 c, C8 out[3])
{
    const double share = 0.86602540378443864676;
    const C8 sum = NAMED(plus)(b, c), far = NAMED(minus)(b, c);
    const C8 middle = {a.re - 0.5 * sum.re, a.im - 0.5 * sum.im};
    const C8 across = {far.re * share, far.im * share};
    out[0] = NAMED(plus)(a, sum);
    out[1] = NAMED(minus_i)(middle, across);
    out[2] = NAMED(plus_i)(middle, across);
}

static inline void NAMED(five)(const C8 *a, C8 *b)
{
    const double c1 = 0.30901699437494742410, c2 = -0.80901699437494742410;
    const double s1 = 0.95105651629515357212, s2 = 0.58778525229247312917;
    const C8 outer = NAMED(plus)(a[1], a[4]), inner = NAMED(plus)(a[2], a[3]);
    const C8 far = NAMED(minus)(a[1], a[4]), near = NAMED(minus)(a[2], a[3]), none = {{0}, {0}};
    const C8 first = NAMED(weighed)(a[0], outer, c1, inner, c2);
    const C8 second = NAMED(weighed)(a[0], outer, c2, inner, c1);
    const C8 across1 = NAMED(weighed)(none, far, s1, near, s2);
    const C8 across2 = NAMED(weighed)(none, far, s2, near, -s1);
    b[0] = NAMED(plus)(a[0], NAMED(plus)(outer, inner));
    b[1] = NAMED(minus_i)(first, across1), b[4] = NAMED(plus_i)(first, across1);
    b[2] = NAMED(minus_i)(second, across2), b[3] = NAMED(plus_i)(second, across2);
}

static inline void NAMED(six)(const C8 *a, C8 *b)
{
    static const double sixth[2] = {0.5, -0.86602540378443864676};
    static const double third[2] = {-0.5, -0.86602540378443864676};
    C8 even[3], odd[3];
    NAMED(three)(a[0], a[2], a[4], even);
    NAMED(three)(a[1], a[3], a[5], odd);
    odd[1] = NAMED(turned)(odd[1], sixth);
    odd[2] = NAMED(turned)(odd[2], third);
    for (size_t k = 0; k < 3; k++) {
        b[k] = NAMED(plus)(even[k], odd[k]);
        b[k + 3] = NAMED(minus)(even[k], odd[k]);
    }
}

/* PART complex values, of which every `parts`-th of the frames' pairs is one. */
static void NAMED(transform_part)(const double8 *values, size_t parts, const double *turns, C8 *out)
{
    __attribute__((aligned(64))) C8 first[PART], second[PART];
    C8 a[8], b[8];
    for (size_t p = 0; p < 40; p++) {
        for (size_t j = 0; j < 4; j++) {
            const double8 *pair = values + 2 * parts * (p + 40 * j);
            a[j] = (C8){pair[0], pair[1]};
        }
        NAMED(four)(a, b);
        first[4 * p] = b[0];
        for (size_t j = 1; j < 4; j++)
            first[4 * p + j] = NAMED(turned)(b[j], turns + 4 * parts * p * j);
    }
    for (size_t p = 0; p < 8; p++)
        for (size_t q = 0; q < 4; q++) {
            for (size_t j = 0; j < 5; j++)
                a[j] = first[q + 4 * (p + 8 * j)];
            NAMED(five)(a, b);
            second[q + 20 * p] = b[0];
            for (size_t j = 1; j < 5; j++)
                second[q + 20 * p + 4 * j] = NAMED(turned)(b[j], turns + 16 * parts * p * j);
        }
    for (size_t q = 0; q < 20; q++) {
        for (size_t j = 0; j < 8; j++)
            a[j] = second[q + 20 * j];
        NAMED(eight)(a, b);
        for (size_t j = 0; j < 8; j++)
            out[q + 20 * j] = b[j];
    }
}

static void NAMED(transform)(const double *values, size_t parts, const double *turns, double *out)
{
    C8 *const bins = (C8 *)out;
    for (size_t r = 0; r < parts; r++)
        NAMED(transform_part)((const double8 *)values + 2 * r, parts, turns, bins + PART * r);
    for (size_t k = 0; k < PART; k++) {
        C8 a[6], b[6];
        a[0] = bins[k];
        for (size_t r = 1; r < parts; r++)
            a[r] = NAMED(turned)(bins[PART * r + k], turns + 4 * r * k);
        if (parts == 5)
            NAMED(five)(a, b);
        else
            NAMED(six)(a, b);
        for (size_t r = 0; r < parts; r++)
            bins[PART * r + k] = b[r];
    }
}

/* Bin k of the real values from the complex bins k and −k. */
static void NAMED(unfold)(const double *transformed, size_t parts, const double *turns,
                          const double *scale, size_t channels, size_t count, double *out)
{
    const C8 *const bins = (const C8 *)transformed;
    const size_t all = PART * parts;
    for (size_t k = 0; k < count; k++) {
        const C8 a = bins[k], b = bins[k ? all - k : 0];
        const double half = 0.5 * scale[k];
        const C8 even = {(a.re + b.re) * half, (a.im - b.im) * half};
        const C8 odd = {(a.im + b.im) * half, (b.re - a.re) * half};
        const C8 found = NAMED(plus)(even, NAMED(turned)(odd, turns + 2 * k));
        for (size_t channel = 0; channel < channels; channel++) {
            out[2 * (channel * count + k)] = found.re[channel];
            out[2 * (channel * count + k) + 1] = found.im[channel];
        }
    }
}

#undef C8
