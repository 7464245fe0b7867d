"""SHA-512 (FIPS 180-4), which MicroPython's hashlib lacks on this processor.

The constants are computed as the standard defines them: the first 64 bits of the fractional
parts of square and cube roots of the first primes.
"""

MASK = 0xFFFFFFFFFFFFFFFF
BLOCK_BYTES = 128


def _primes(count):
    found = [2]
    candidate = 3
    while len(found) < count:
        if all(candidate % prime for prime in found):
            found.append(candidate)
        candidate += 1
    return found


def _root_fraction(prime, power):
    # Newton's way to floor(prime^(1/power) * 2^64), from above.
    scaled = prime << (64 * power)
    root = 1 << (68 if power == 2 else 67)
    while True:
        better = ((power - 1) * root + scaled // root ** (power - 1)) // power
        if better >= root:
            return root & MASK
        root = better


_PRIMES = _primes(80)
_START = [_root_fraction(prime, 2) for prime in _PRIMES[:8]]
_ROUND = [_root_fraction(prime, 3) for prime in _PRIMES]


def sha512(message):
    """Return the 64-byte digest of `message`."""
    length = len(message)
    padding = b"\x80" + bytes((111 - length) % BLOCK_BYTES)
    padded = message + padding + (8 * length).to_bytes(16, "big")
    state = list(_START)
    for start in range(0, len(padded), BLOCK_BYTES):
        _compress(state, padded[start : start + BLOCK_BYTES])
    return b"".join([word.to_bytes(8, "big") for word in state])


def _turned(word, right):
    return ((word >> right) | (word << (64 - right))) & MASK


def _compress(state, block):
    words = [int.from_bytes(block[at : at + 8], "big") for at in range(0, BLOCK_BYTES, 8)]
    for t in range(16, 80):
        early, late = words[t - 15], words[t - 2]
        sigma0 = _turned(early, 1) ^ _turned(early, 8) ^ (early >> 7)
        sigma1 = _turned(late, 19) ^ _turned(late, 61) ^ (late >> 6)
        words.append((words[t - 16] + sigma0 + words[t - 7] + sigma1) & MASK)
    a, b, c, d, e, f, g, h = state
    for t in range(80):
        mixed1 = _turned(e, 14) ^ _turned(e, 18) ^ _turned(e, 41)
        chosen = (e & f) ^ (~e & g)
        first = (h + mixed1 + chosen + _ROUND[t] + words[t]) & MASK
        mixed0 = _turned(a, 28) ^ _turned(a, 34) ^ _turned(a, 39)
        second = mixed0 + ((a & b) ^ (a & c) ^ (b & c))
        h, g, f, e = g, f, e, (d + first) & MASK
        d, c, b, a = c, b, a, (first + second) & MASK
    for place, word in enumerate((a, b, c, d, e, f, g, h)):
        state[place] = (state[place] + word) & MASK
