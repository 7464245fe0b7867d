"""Harmonics and interharmonics after IEC 61000-4-7, and the quick look over four cycles."""
