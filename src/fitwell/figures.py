"""How pictures look, and how they reach a notebook or a file."""

from __future__ import annotations

import functools
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from fitwell.errors import InvalidArgument, InvalidFile

if TYPE_CHECKING:
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

__all__ = ["NEGATIVE", "POSITIVE", "TRAINING", "VALIDATION", "check_path", "diverging", "finish"]

# Told apart with any kind of colour vision; the first two are of Okabe and Ito's palette.
TRAINING, VALIDATION = "#0072B2", "#D55E00"
POSITIVE, NEGATIVE = "#00755F", "#D5400A"
_NEUTRAL = "#F2F2F2"

_SUFFIXES = (".svg", ".png", ".pdf")
_DOTS_PER_INCH = 110


@functools.cache
def diverging() -> Colormap:
    """Colours of signed numbers from -1 to 1: red below zero, green above, nearly white at zero."""
    from matplotlib.colors import LinearSegmentedColormap

    colours = ["#A32B00", NEGATIVE, _NEUTRAL, POSITIVE, "#004D45"]
    places = [0.0, 0.25, 0.5, 0.75, 1.0]
    return LinearSegmentedColormap.from_list("signed", list(zip(places, colours, strict=True)))


def check_path(path: str | os.PathLike[str] | None) -> None:
    """Raises InvalidArgument unless the path, if there is one, names a format of pictures."""
    if path is None:
        return
    if not isinstance(path, str | os.PathLike) or Path(path).suffix.lower() not in _SUFFIXES:
        raise InvalidArgument(
            "plot",
            "path= to be a file name that ends in .svg, .png or .pdf",
            f"path={str(path)!r}",
            "Write path='network.svg', or leave it out and use the Figure that is returned.",
        )


def finish(figure: Figure, path: str | os.PathLike[str] | None = None) -> Figure:
    """The figure, written to `path` if there is one, in a form that notebooks show.

    Args:
        path: the suffix chooses the format: .svg (its text can be searched), .png or .pdf. Equal
            figures give equal files.

    Raises:
        InvalidArgument: another suffix.
        InvalidFile: the folder is missing or cannot be written to.
    """
    check_path(path)
    # A notebook shows what has this method; figures of pyplot get theirs from its back end.
    setattr(figure, "_repr_png_", functools.partial(content, figure, "png"))  # noqa: B010
    if path is not None:
        target = Path(path)
        data = content(figure, target.suffix.lower().removeprefix("."))
        try:
            target.write_bytes(data)
        except OSError as error:
            raise InvalidFile(
                f"plot to {str(target)!r}",
                "a file in a folder that exists and can be written to",
                error.strerror or type(error).__name__,
                "Make the folder, or choose another.",
            ) from error
    return figure


def content(figure: Figure, form: str) -> bytes:
    """The picture as a file of the form "png", "svg" or "pdf"."""
    import matplotlib

    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    data = io.BytesIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "fitwell"}):
        figure.savefig(data, format=form, dpi=_DOTS_PER_INCH, metadata=undated.get(form))
    return data.getvalue()
