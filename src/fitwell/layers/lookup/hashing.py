"""FarmHash's Fingerprint64: by it, Keras spreads unknown values over several ids.

The same values must get the same ids for weights that were trained there. Source: Pike
2014, FarmHash (https://github.com/google/farmhash).
"""

from __future__ import annotations

_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
_BITS = 2**64 - 1


def fingerprint(data: bytes) -> int:
    """64 bits that depend on the bytes alone: the same on every machine and in every process.

    >>> fingerprint(b"") == _K2
    True
    """
    size = len(data)
    if size <= 16:
        return _short(data, size)
    if size <= 32:
        return _medium(data, size)
    return _long(data, size) if size <= 64 else _longest(data, size)


def _word(data: bytes, place: int, width: int = 8) -> int:
    return int.from_bytes(data[place : place + width], "little")


def _turned(value: int, bits: int) -> int:
    value &= _BITS
    return value >> bits | (value << 64 - bits) & _BITS


def _folded(value: int) -> int:
    value &= _BITS
    return value ^ value >> 47


def _joined(u: int, v: int, factor: int) -> int:
    a = _folded(((u ^ v) & _BITS) * factor)
    return _folded(((v & _BITS) ^ a) * factor) * factor & _BITS


def _short(data: bytes, size: int) -> int:
    factor = _K2 + 2 * size
    if size >= 8:
        a, b = _word(data, 0) + _K2, _word(data, size - 8)
        return _joined(_turned(b, 37) * factor + a, (_turned(a, 25) + b) * factor, factor)
    if size >= 4:
        return _joined(size + (_word(data, 0, 4) << 3), _word(data, size - 4, 4), factor)
    if size:
        y = data[0] + (data[size >> 1] << 8)
        z = size + (data[size - 1] << 2)
        return _folded(y * _K2 ^ z * _K0) * _K2 & _BITS
    return _K2


def _medium(data: bytes, size: int) -> int:
    factor = _K2 + 2 * size
    a, b = _word(data, 0) * _K1, _word(data, 8)
    c, d = _word(data, size - 8) * factor, _word(data, size - 16) * _K2
    u = _turned(a + b, 43) + _turned(c, 30) + d
    return _joined(u, a + _turned(b + _K2, 18) + c, factor)


def _long(data: bytes, size: int) -> int:
    factor = _K2 + 2 * size
    a, b = _word(data, 0) * _K2, _word(data, 8)
    c, d = _word(data, size - 8) * factor, _word(data, size - 16) * _K2
    y = _turned(a + b, 43) + _turned(c, 30) + d
    z = _joined(y, a + _turned(b + _K2, 18) + c, factor)
    e, f = _word(data, 16) * factor, _word(data, 24)
    g, h = (y + _word(data, size - 32)) * factor, (z + _word(data, size - 24)) * factor
    u = _turned(e + f, 43) + _turned(g, 30) + h
    return _joined(u, e + _turned(f + a, 18) + g, factor)


def _longest(data: bytes, size: int) -> int:
    x, y = 81, 81 * _K1 + 113 & _BITS
    z = _folded(y * _K2 + 113) * _K2 & _BITS
    x = x * _K2 + _word(data, 0) & _BITS
    v, w = (0, 0), (0, 0)
    for place in range(0, (size - 1) // 64 * 64, 64):
        x, y, z, v, w = _round(data, place, _K1, 1, x, y, z, v, w)
    factor = _K1 + ((z & 0xFF) << 1)
    w = (w[0] + (size - 1 & 63), w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    x, y, z, v, w = _round(data, size - 64, factor, 9, x, y, z, v, w)
    first = _joined(v[0], w[0], factor) + _folded(y) * _K0 + z
    return _joined(first, _joined(v[1], w[1], factor) + x, factor)


def _round(
    data: bytes, place: int, factor: int, weight: int, x: int, y: int, z: int,
    v: tuple[int, int], w: tuple[int, int],
) -> tuple[int, int, int, tuple[int, int], tuple[int, int]]:  # fmt: skip
    """64 bytes; x and z change places at its end."""
    x = _turned(x + y + v[0] + _word(data, place + 8), 37) * factor
    y = _turned(y + v[1] + _word(data, place + 48), 42) * factor
    x ^= w[1] * weight
    y += v[0] * weight + _word(data, place + 40)
    z = _turned(z + w[0], 33) * factor
    v = _pair(data, place, v[1] * factor, x + w[0])
    w = _pair(data, place + 32, z + w[1], y + _word(data, place + 16))
    return z & _BITS, y & _BITS, x & _BITS, v, w


def _pair(data: bytes, place: int, a: int, b: int) -> tuple[int, int]:
    """32 bytes."""
    words = [_word(data, place + 8 * i) for i in range(4)]
    a += words[0]
    b = _turned(b + a + words[3], 21)
    c = a
    a += words[1] + words[2]
    b += _turned(a, 44)
    return a + words[3] & _BITS, b + c & _BITS
