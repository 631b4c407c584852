"""Pooling, and what makes an image larger or smaller."""

from __future__ import annotations

from typing import Any

from layer_rows.row import Row

WIDE = (16, 16, 64)
SHAPES = {1: (128, 64), 2: WIDE, 3: (8, 8, 8, 32)}


def pooling(kind: str, rank: int, *, overlap: bool = False) -> Row:
    """Windows of 2 that touch, or of 3 with stride 2 and padding "same"."""
    size, padding = (3, "same") if overlap else (2, "valid")
    short = {"Max": "Max", "Average": "Avg"}[kind]
    more = {"count_include_pad": False} if short == "Avg" else {}
    return Row(
        SHAPES[rank],
        lambda L: [getattr(L, f"{kind}Pooling{rank}D")(size, 2, padding)],
        lambda nn: [getattr(nn, f"{short}Pool{rank}d")(size, 2, int(overlap), **more)],
    )


def whole(kind: str, rank: int) -> Row:
    """Everything to one number for each channel."""
    short = {"Max": "Max", "Average": "Avg"}[kind]
    return Row(
        SHAPES[rank],
        lambda L: [getattr(L, f"Global{kind}Pooling{rank}D")(keepdims=True)],
        lambda nn: [getattr(nn, f"Adaptive{short}Pool{rank}d")(1)],
    )


def adaptive(kind: str, rank: int, size: int) -> Row:
    short = {"Max": "Max", "Average": "Avg"}[kind]
    return Row(
        SHAPES[rank],
        lambda L: [getattr(L, f"Adaptive{kind}Pooling{rank}D")(size)],
        lambda nn: [getattr(nn, f"Adaptive{short}Pool{rank}d")(size)],
    )


def upsampling(rank: int, *, bilinear: bool = False) -> Row:
    shape = {1: (64, 64), 2: (8, 8, 64), 3: (4, 4, 4, 32)}[rank]
    ours = {"interpolation": "bilinear"} if bilinear else {}
    return Row(
        shape,
        lambda L: [getattr(L, f"UpSampling{rank}D")(2, **ours)],
        lambda nn: [nn.Upsample(scale_factor=2, mode="bilinear" if bilinear else "nearest")],
    )


def padding(rank: int) -> Row:
    return Row(
        SHAPES[rank],
        lambda L: [getattr(L, f"ZeroPadding{rank}D")(1)],
        lambda nn: [getattr(nn, f"ZeroPad{rank}d")(1)],
    )


def cropping(rank: int) -> Row:
    def theirs(_: Any) -> list[Any]:
        from layer_rows.modules import Crop

        return [Crop(rank)]

    return Row(SHAPES[rank], lambda L: [getattr(L, f"Cropping{rank}D")(1)], theirs)


RANKS = (1, 2, 3)

ROWS = {
    **{f"max_pooling{n}d": pooling("Max", n) for n in RANKS},
    **{f"max_pooling{n}d_overlap": pooling("Max", n, overlap=True) for n in RANKS},
    **{f"average_pooling{n}d": pooling("Average", n) for n in RANKS},
    **{f"average_pooling{n}d_overlap": pooling("Average", n, overlap=True) for n in RANKS},
    **{f"global_max_pooling{n}d": whole("Max", n) for n in RANKS},
    **{f"global_average_pooling{n}d": whole("Average", n) for n in RANKS},
    "adaptive_max_pooling1d": adaptive("Max", 1, 12),
    "adaptive_max_pooling2d": adaptive("Max", 2, 7),
    "adaptive_max_pooling2d_even": adaptive("Max", 2, 4),
    "adaptive_max_pooling3d": adaptive("Max", 3, 3),
    "adaptive_average_pooling1d": adaptive("Average", 1, 12),
    "adaptive_average_pooling2d": adaptive("Average", 2, 7),
    "adaptive_average_pooling2d_even": adaptive("Average", 2, 4),
    "adaptive_average_pooling3d": adaptive("Average", 3, 3),
    **{f"upsampling{n}d": upsampling(n) for n in RANKS},
    "upsampling2d_bilinear": upsampling(2, bilinear=True),
    **{f"zero_padding{n}d": padding(n) for n in RANKS},
    **{f"cropping{n}d": cropping(n) for n in RANKS},
}
