"""Whose images this board accepts.

The key is the demonstration key: its private half is the SHA-256 of the text
"spotcheck demonstration firmware key", so its signature proves nothing. An image that is built
for a real board freezes another `update_key.py`.
"""

VENDOR = b"spotcheck"
BOARD = b"pulse-front-end"
PUBLIC_KEY = bytes.fromhex("5742009ef6a6beae05ae049de700b78bd4ff7d75813d3a47746854cd11f3e366")
