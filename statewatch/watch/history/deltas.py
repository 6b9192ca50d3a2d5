"""Versions as deltas: each is compressed with the bytes of an earlier one as its dictionary.

The version at position `j` leans on the one at `j & (j - 1)`, so that any of them is at most ten steps from a keyframe,
which leans on nothing. The positions that are multiples of a power of two lean on one another alone.
"""

from typing import Final

import zstandard

KEYFRAMES: Final = 1_024
"""Every so many positions a version stands for itself."""

_LEVEL: Final = 3  # level 1 finds next to nothing in the dictionary
_WINDOWS: Final = (10, 27)
_TABLE: Final = (16, 24)
"""Bits of the table of what has been seen. An eighth of what it can name is loaded from a dictionary, and no more: with
the usual one, a document of over 1 MB would hardly find itself in the version before."""


class DeltaError(ValueError):
    """A packed version that is damaged, or does not belong to that base."""


def base_of(position: int) -> int | None:
    """Return the position that the version at *position* leans on, None for a keyframe."""
    return None if position % KEYFRAMES == 0 else position & (position - 1)


def chain_of(position: int) -> list[int]:
    """Return the positions that have to be unpacked, one upon the other, for the version at *position*."""
    chain = [position]
    while (base := base_of(chain[-1])) is not None:
        chain.append(base)
    return chain[::-1]


def packed(data: bytes, base: bytes | None) -> bytes:
    """Return *data* as a delta to *base*, or by itself where that is None. Raises DeltaError."""
    span = len(data) + len(base or b"")
    bits = span.bit_length()
    settings = zstandard.ZstdCompressionParameters.from_level(
        _LEVEL,
        source_size=max(span, 1),
        window_log=_within(_WINDOWS, bits),  # it must reach back to the dictionary's beginning
        hash_log=_within(_TABLE, bits - 4),
        chain_log=_within(_TABLE, bits - 5),
        write_checksum=True,
    )
    try:
        made = zstandard.ZstdCompressor(compression_params=settings, dict_data=_dictionary(base))
        return made.compress(data)
    except zstandard.ZstdError as error:  # as when there is no memory for it
        raise DeltaError(str(error)) from None


def unpacked(payload: bytes, base: bytes | None, size: int) -> bytes:
    """Return what `packed` was given: *size* bytes. Raises DeltaError."""
    try:
        if zstandard.frame_content_size(payload) != size:
            raise DeltaError("its size is another one")
        reader = zstandard.ZstdDecompressor(dict_data=_dictionary(base), max_window_size=1 << _WINDOWS[1])
        return reader.decompress(payload)
    except zstandard.ZstdError as error:
        raise DeltaError(str(error)) from None


def _dictionary(base: bytes | None) -> zstandard.ZstdCompressionDict | None:
    return zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT) if base else None


def _within(bounds: tuple[int, int], number: int) -> int:
    return min(max(number, bounds[0]), bounds[1])
