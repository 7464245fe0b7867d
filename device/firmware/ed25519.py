"""Verification of Ed25519 signatures (RFC 8032, 5.1.7) on big integers, in steps.

Only public values are worked on, so nothing here needs constant time. A verification takes
seconds on an RP2040; it is cut into steps so that the loop goes on serving, and the watchdog
is fed by a loop that has served and by nothing else.
"""

from sha512 import sha512

P = (1 << 255) - 19
ORDER = (1 << 252) + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)
BITS_PER_STEP = 8


def verify_steps(public_key, message, signature):
    """Verify a signature; returns (through StopIteration) whether it is good.

    Yields:
        None after each few bits of the scalars.
    """
    key = _decode_point(public_key)
    yield
    scalar = int.from_bytes(signature[32:], "little")
    # A scalar beyond the order would be a second signature of the same message.
    if key is None or scalar >= ORDER:
        return False
    digest = sha512(signature[:32] + public_key + message)
    yield
    challenge = int.from_bytes(digest, "little") % ORDER
    # R = S*B - k*A, both products in one run over the bits.
    minus_key = (P - key[0], key[1], key[2], P - key[3])
    sums = (None, BASE, minus_key, _add(BASE, minus_key))
    result = NEUTRAL
    for bit in range(252, -1, -1):
        result = _add(result, result)
        which = ((scalar >> bit) & 1) | (((challenge >> bit) & 1) << 1)
        if which:
            result = _add(result, sums[which])
        if bit % BITS_PER_STEP == 0:
            yield
    return _encode_point(result) == signature[:32]


def _add(first, second):
    # Extended coordinates, RFC 8032 5.1.4; the formula is complete, so it doubles as well.
    x1, y1, z1, t1 = first
    x2, y2, z2, t2 = second
    a = (y1 - x1) * (y2 - x2) % P
    b = (y1 + x1) * (y2 + x2) % P
    c = 2 * D * t1 * t2 % P
    d = 2 * z1 * z2 % P
    e = b - a
    f = d - c
    g = d + c
    h = b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _decode_point(data):
    """Return the point, or None where the bytes are none (RFC 8032, 5.1.3)."""
    y = int.from_bytes(data, "little")
    sign = y >> 255
    y &= (1 << 255) - 1
    if y >= P:
        return None
    x = _x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def _x_of(y, sign):
    squared = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(squared, (P + 3) // 8, P)
    if (x * x - squared) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - squared) % P or (x == 0 and sign):
        return None
    return P - x if (x & 1) != sign else x


def _encode_point(point):
    x, y, z, _ = point
    inverse = pow(z, P - 2, P)
    x = x * inverse % P
    y = y * inverse % P
    return (y | ((x & 1) << 255)).to_bytes(32, "little")


BASE = _decode_point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
