/* The Fourier transform of a window of mains cycles, all channels of a frame side by side: 160 values
   a cycle, ten or twelve cycles. Two values that follow each other are a complex one, and of these
   there are 160 a part, and five or six parts that take turns.

   Each part is transformed by radix 4, 5 and 8 (Stockham: no reordering), then five or six values at
   a time across the parts, and last the two halves of each complex value are told apart. */

typedef struct {
    DOUBLES re, im;
} NAMED(complexes);

#define COMPLEX NAMED(complexes)

static inline COMPLEX NAMED(plus)(COMPLEX a, COMPLEX b) { return (COMPLEX){a.re + b.re, a.im + b.im}; }
static inline COMPLEX NAMED(minus)(COMPLEX a, COMPLEX b) { return (COMPLEX){a.re - b.re, a.im - b.im}; }
/* a − i·b and a + i·b */
static inline COMPLEX NAMED(minus_i)(COMPLEX a, COMPLEX b) { return (COMPLEX){a.re + b.im, a.im - b.re}; }
static inline COMPLEX NAMED(plus_i)(COMPLEX a, COMPLEX b) { return (COMPLEX){a.re - b.im, a.im + b.re}; }
static inline COMPLEX NAMED(turned)(COMPLEX a, const double *by)
{
    return (COMPLEX){a.re * by[0] - a.im * by[1], a.re * by[1] + a.im * by[0]};
}
static inline COMPLEX NAMED(weighed)(COMPLEX a, COMPLEX b, double by_b, COMPLEX c, double by_c)
{
    return (COMPLEX){a.re + b.re * by_b + c.re * by_c, a.im + b.im * by_b + c.im * by_c};
}

static inline void NAMED(four)(const COMPLEX a[4], COMPLEX b[4])
{
    const COMPLEX even = NAMED(plus)(a[0], a[2]), odd = NAMED(plus)(a[1], a[3]);
    const COMPLEX far = NAMED(minus)(a[0], a[2]), near = NAMED(minus)(a[1], a[3]);
    b[0] = NAMED(plus)(even, odd);
    b[1] = NAMED(minus_i)(far, near);
    b[2] = NAMED(minus)(even, odd);
    b[3] = NAMED(plus_i)(far, near);
}

static inline void NAMED(eight)(const COMPLEX a[8], COMPLEX b[8])
{
    const COMPLEX evens[4] = {a[0], a[2], a[4], a[6]}, odds[4] = {a[1], a[3], a[5], a[7]};
    COMPLEX even[4], odd[4];
    NAMED(four)(evens, even);
    NAMED(four)(odds, odd);
    const COMPLEX second = {(odd[1].re + odd[1].im) * M_SQRT1_2, (odd[1].im - odd[1].re) * M_SQRT1_2};
    const COMPLEX fourth = {(odd[3].im - odd[3].re) * M_SQRT1_2, -(odd[3].re + odd[3].im) * M_SQRT1_2};
    b[0] = NAMED(plus)(even[0], odd[0]), b[4] = NAMED(minus)(even[0], odd[0]);
    b[1] = NAMED(plus)(even[1], second), b[5] = NAMED(minus)(even[1], second);
    b[2] = NAMED(minus_i)(even[2], odd[2]), b[6] = NAMED(plus_i)(even[2], odd[2]);
    b[3] = NAMED(plus)(even[3], fourth), b[7] = NAMED(minus)(even[3], fourth);
}

static inline void NAMED(three)(COMPLEX a, COMPLEX b, COMPLEX c, COMPLEX out[3])
{
    const double share = 0.86602540378443864676;
    const COMPLEX sum = NAMED(plus)(b, c), far = NAMED(minus)(b, c);
    const COMPLEX middle = {a.re - 0.5 * sum.re, a.im - 0.5 * sum.im};
    const COMPLEX across = {far.re * share, far.im * share};
    out[0] = NAMED(plus)(a, sum);
    out[1] = NAMED(minus_i)(middle, across);
    out[2] = NAMED(plus_i)(middle, across);
}

static inline void NAMED(five)(const COMPLEX *a, COMPLEX *b)
{
    const double c1 = 0.30901699437494742410, c2 = -0.80901699437494742410;
    const double s1 = 0.95105651629515357212, s2 = 0.58778525229247312917;
    const COMPLEX outer = NAMED(plus)(a[1], a[4]), inner = NAMED(plus)(a[2], a[3]);
    const COMPLEX far = NAMED(minus)(a[1], a[4]), near = NAMED(minus)(a[2], a[3]), none = {{0}, {0}};
    const COMPLEX first = NAMED(weighed)(a[0], outer, c1, inner, c2);
    const COMPLEX second = NAMED(weighed)(a[0], outer, c2, inner, c1);
    const COMPLEX across1 = NAMED(weighed)(none, far, s1, near, s2);
    const COMPLEX across2 = NAMED(weighed)(none, far, s2, near, -s1);
    b[0] = NAMED(plus)(a[0], NAMED(plus)(outer, inner));
    b[1] = NAMED(minus_i)(first, across1), b[4] = NAMED(plus_i)(first, across1);
    b[2] = NAMED(minus_i)(second, across2), b[3] = NAMED(plus_i)(second, across2);
}

static inline void NAMED(six)(const COMPLEX *a, COMPLEX *b)
{
    static const double sixth[2] = {0.5, -0.86602540378443864676};
    static const double third[2] = {-0.5, -0.86602540378443864676};
    COMPLEX even[3], odd[3];
    NAMED(three)(a[0], a[2], a[4], even);
    NAMED(three)(a[1], a[3], a[5], odd);
    odd[1] = NAMED(turned)(odd[1], sixth);
    odd[2] = NAMED(turned)(odd[2], third);
    for (size_t k = 0; k < 3; k++) {
        b[k] = NAMED(plus)(even[k], odd[k]);
        b[k + 3] = NAMED(minus)(even[k], odd[k]);
    }
}

/* A complex value of the transform, as it lies in memory: the real parts of a frame, the imaginary
   ones behind them. */
static inline COMPLEX NAMED(bin)(const double *at)
{
    return (COMPLEX){*(const DOUBLES *)at, *(const DOUBLES *)(at + FRAME)};
}
static inline void NAMED(keep_bin)(double *at, COMPLEX value)
{
    *(DOUBLES *)at = value.re;
    *(DOUBLES *)(at + FRAME) = value.im;
}

/* PART complex values, of which every `parts`-th of the frames' pairs is one. */
static void NAMED(transform_part)(const double *values, size_t parts, const double *turns,
                                  double *out)
{
    __attribute__((aligned(64))) COMPLEX first[PART], second[PART];
    COMPLEX a[8], b[8];
    for (size_t p = 0; p < 40; p++) {
        for (size_t j = 0; j < 4; j++) {
            a[j] = NAMED(bin)(values + 2 * FRAME * parts * (p + 40 * j));
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
            NAMED(keep_bin)(out + 2 * FRAME * (q + 20 * j), b[j]);
    }
}

static void NAMED(transform_group)(const double *values, size_t parts, const double *turns,
                                   double *out)
{
    for (size_t r = 0; r < parts; r++)
        NAMED(transform_part)(values + 2 * FRAME * r, parts, turns, out + 2 * FRAME * PART * r);
    for (size_t k = 0; k < PART; k++) {
        COMPLEX a[6], b[6];
        a[0] = NAMED(bin)(out + 2 * FRAME * k);
        for (size_t r = 1; r < parts; r++)
            a[r] = NAMED(turned)(NAMED(bin)(out + 2 * FRAME * (PART * r + k)), turns + 4 * r * k);
        if (parts == 5)
            NAMED(five)(a, b);
        else
            NAMED(six)(a, b);
        for (size_t r = 0; r < parts; r++)
            NAMED(keep_bin)(out + 2 * FRAME * (PART * r + k), b[r]);
    }
}

static void NAMED(transform)(const double *values, size_t channels, size_t parts,
                             const double *turns, double *out)
{
    EACH_GROUP (at, WIDTH)
        NAMED(transform_group)(values + at, parts, turns, out + at);
}

/* Bin k of the real values from the complex bins k and −k. */
static void NAMED(unfold)(const double *transformed, size_t channels, size_t parts,
                          const double *turns, const double *scale, size_t count, double *out)
{
    const size_t all = PART * parts;
    for (size_t k = 0; k < count; k++)
        EACH_GROUP (at, WIDTH) {
            const COMPLEX a = NAMED(bin)(transformed + 2 * FRAME * k + at);
            const COMPLEX b = NAMED(bin)(transformed + 2 * FRAME * (k ? all - k : 0) + at);
            const double half = 0.5 * scale[k];
            const COMPLEX even = {(a.re + b.re) * half, (a.im - b.im) * half};
            const COMPLEX odd = {(a.im + b.im) * half, (b.re - a.re) * half};
            const COMPLEX found = NAMED(plus)(even, NAMED(turned)(odd, turns + 2 * k));
            for (size_t lane = 0; lane < WIDTH && at + lane < channels; lane++) {
                out[2 * ((at + lane) * count + k)] = found.re[lane];
                out[2 * ((at + lane) * count + k) + 1] = found.im[lane];
            }
        }
}

#undef COMPLEX
