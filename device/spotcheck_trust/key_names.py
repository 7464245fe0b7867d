"""Short names of public keys, and the mark by which a demonstration key is known for ever.

A demonstration key follows from a seed that anybody may know, so its signature proves nothing. It
is derived until the SHA-256 of the public key begins with `de0`; a real key never begins so.
"""

import hashlib

DEMONSTRATION_MARK = "de0"
"""First hexadecimal digits of the SHA-256 of every demonstration key's public bytes."""


def fingerprint(public: bytes) -> str:
    """SHA-256 of the public key's 32 bytes, hexadecimal."""
    return hashlib.sha256(public).hexdigest()


def is_demonstration_public_key(public: bytes) -> bool:
    """Whether a public key carries the demonstration mark."""
    return fingerprint(public).startswith(DEMONSTRATION_MARK)


def key_id(public: bytes) -> str:
    """Short name of a key: `demo:` or `key:` and the first 16 digits of its fingerprint."""
    kind = "demo" if is_demonstration_public_key(public) else "key"
    return f"{kind}:{fingerprint(public)[:16]}"
