"""How windows lie over an input: sizes, strides, dilation and padding of each axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

Padding: TypeAlias = str | Sequence[tuple[int, int]]
"""`"valid"`, `"same"`, `"causal"`, or numbers before and after each axis."""


class Window(NamedTuple):
    """A window that moves along one axis.

    Attributes:
        size: of the input.
        kernel: number of taps.
        stride: from one position to the next.
        dilation: from one tap to the next.
        before: zeros in front of the input; negative numbers cut it.
        after: zeros behind it.
    """

    size: int
    kernel: int
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0

    @property
    def extent(self) -> int:
        """From the first tap to the last.

        >>> Window(10, kernel=3, dilation=2).extent
        5
        """
        return (self.kernel - 1) * self.dilation + 1

    @property
    def positions(self) -> int:
        """Size of the output; 0 if the window does not fit.

        >>> Window(10, kernel=3, stride=2).positions
        4
        """
        return max((self.size + self.before + self.after - self.extent) // self.stride + 1, 0)


def windows(
    sizes: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    padding: Padding,
    dilation: Sequence[int],
) -> tuple[Window, ...]:
    """One Window per axis.

    "valid" pads nothing; "same" so that the output has ceil(size / stride) entries, the odd zero
    behind; "causal" in front only, so that no output looks ahead.

    >>> windows([5], [3], [2], "same", [1])
    (Window(size=5, kernel=3, stride=2, dilation=1, before=1, after=1),)
    """
    found = []
    given = [] if isinstance(padding, str) else padding
    for i, (size, taps, stride, gap) in enumerate(
        zip(sizes, kernel, strides, dilation, strict=True)
    ):
        plain = Window(size, taps, stride, gap)
        if padding == "valid":
            before, after = 0, 0
        elif padding == "same":
            total = max((-(-size // stride) - 1) * stride + plain.extent - size, 0)
            before, after = total // 2, total - total // 2
        elif padding == "causal":
            before, after = plain.extent - 1, 0
        else:
            before, after = given[i]
        found.append(plain._replace(before=before, after=after))
    return tuple(found)


def transposed_windows(
    positions: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    padding: str,
    dilation: Sequence[int],
    output_padding: Sequence[int] | None = None,
) -> tuple[Window, ...]:
    """The windows whose number of positions is given: those of a transposed convolution.

    Its output has `size` entries: "valid" (positions - 1) * stride + max(extent, stride),
    "same" positions * stride. With output_padding p they are (positions - 1) * stride + extent + p,
    and for "same" (positions - 1) * stride + extent % 2 + p.

    >>> transposed_windows([4], [3], [2], "same", [1])[0].size
    8
    """
    found = []
    for i, (count, taps, stride, gap) in enumerate(
        zip(positions, kernel, strides, dilation, strict=True)
    ):
        extent = Window(0, taps, 1, gap).extent
        given = None if output_padding is None else output_padding[i]
        if padding == "valid":
            extra = max(stride - extent, 0) if given is None else given
            left, right = extent - 1, extent - 1 + extra
        else:
            total = stride + extent - 2 if given is None else extent + extent % 2 - 2 + given
            left = min(total - total // 2, extent - 1)
            right = total - left
        size = (count - 1) * stride + 2 + left + right - extent
        found.append(Window(size, taps, stride, gap, extent - 1 - left, extent - 1 - right))
    return tuple(found)
