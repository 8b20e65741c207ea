"""Chance that can be asked for at any place in any order: the same numbers in give the same fraction out."""

from typing import Final

MASK: Final = (1 << 64) - 1
STEP: Final = 0x9E37_79B9_7F4A_7C15
"""The increment and the mixing below are those of SplitMix64 (Steele, Lea, Flood 2014)."""


def fraction(*numbers: int) -> float:
    """Return a number in [0, 1) that looks drawn at random but depends on nothing but `numbers`."""
    state = 0
    for number in numbers:
        state = (state ^ (number & MASK)) + STEP & MASK
        state = (state ^ (state >> 30)) * 0xBF58_476D_1CE4_E5B9 & MASK
        state = (state ^ (state >> 27)) * 0x94D0_49BB_1331_11EB & MASK
        state ^= state >> 31
    return state / 2**64


def between(low: float, high: float, *numbers: int) -> float:
    """Return a number in [low, high) as `fraction` draws it."""
    return low + (high - low) * fraction(*numbers)


def key_of(*numbers: int) -> int:
    """Return a 32-bit key for these numbers, to tell one thing's chance from another's."""
    return int(fraction(*numbers) * 2**32)
