"""What `fitwell train` was told: its options as one value that a run's folder keeps."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fitwell.cli.completing import columns_of
from fitwell.errors import InvalidArgument, InvalidFile
from fitwell.feeding import seconds

_OF_IMAGES = {
    "data", "skip_bad_rows", "model", "epochs", "time_limit", "image_size", "report", "seed",
}  # fmt: skip

_OF_ONE_TARGET = {"tune", "treat", "folds"}

_EXCLUDED = (
    ("--folds", "--time", "Leave one out: folds would train on the future."),
    ("--folds", "--tune", "Leave one out: folds would measure another network than is found."),
    ("--folds", "--treat", "Leave one out: folds would measure the network before its cure."),
    ("--tune", "--weights", "Leave one out: a search does not weigh rows."),
    ("--tune", "--treat", "Tune first; treat what does not learn."),
    ("--tune", "--epochs", "Leave --epochs out: the search decides how long a trial is."),
    ("--tune", "--time-limit", "Leave --time-limit out: --tune TIME limits the search."),
)
"""Pairs of options, and what to do about both."""


@dataclass(frozen=True)
class Order:
    """The options of one training, in the form in which JSON keeps them."""

    data: str
    target: tuple[str, ...] = ()
    task: str | None = None
    columns: tuple[str, ...] = ()
    weights: str | None = None
    group: str | None = None
    time: str | None = None
    skip_bad_rows: bool = False
    layers: tuple[int, ...] = ()
    model: str | None = None
    tune: str | None = None
    treat: bool = False
    folds: int | None = None
    epochs: int | None = None
    time_limit: str | None = None
    image_size: int | None = None
    report: bool = True
    seed: int = 0

    def to_json(self) -> dict[str, Any]:
        """What differs from the defaults."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if getattr(self, field.name) != field.default
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Order:
        """The inverse of `to_json`.

        Raises:
            InvalidFile: they are not options of this version.
        """
        try:
            known: dict[str, Any] = {
                k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
            }
            return cls(**known)
        except TypeError as error:
            raise InvalidFile(
                "run", "the options of fitwell train", str(error), "Start the run anew."
            ) from error

    def check(self) -> None:
        """Raises InvalidArgument for options that exclude each other."""
        ways = {"--layers": self.layers, "--model": self.model, "--tune": self.tune}
        given = [name for name, value in ways.items() if value]
        if len(given) > 1:
            raise InvalidArgument(
                "train", f"one of {', '.join(ways)}", " and ".join(given), "Leave the others out."
            )
        if self.tune is not None:
            seconds("train", "tune", self.tune)
        told = {_option(name) for name in self.to_json()}
        for one, other, cure in _EXCLUDED:
            if {one, other} <= told:
                raise InvalidArgument("train", f"{one} or {other}", "both", cure)

    def check_table(self) -> None:
        """Raises InvalidArgument for options that a table does not take."""
        if self.image_size is not None:
            cure = "Leave it out: only images have a size."
            raise InvalidArgument("train", "options for a table", "--image-size", cure)

    def check_targets(self) -> None:
        """Raises InvalidArgument for options that several targets do not take."""
        told = set(self.to_json()) & _OF_ONE_TARGET
        if told:
            name = _option(min(told))
            cure = "Leave it out, or train on one target at a time."
            raise InvalidArgument("train", "options for several targets", name, cure)

    def check_images(self) -> None:
        """Raises InvalidArgument for options that a folder of images does not take."""
        told = set(self.to_json()) - _OF_IMAGES
        if told:
            name = _option(min(told))
            labels = name in ("--target", "--task", "--columns")
            why = "the classes are the sub-folders" if labels else "it is for tables"
            cure = f"Leave it out: {why}."
            raise InvalidArgument("train", "options for a folder of images", name, cure)

    @property
    def kinds(self) -> dict[str, str]:
        """`--columns` as a dict.

        >>> Order("t.csv", columns=("a=number,b=category", "c d=text")).kinds
        {'a': 'number', 'b': 'category', 'c d': 'text'}
        """
        pairs: list[str] = []
        for text in self.columns:
            if text.endswith(".json"):
                pairs += [f"{name}={kind}" for name, kind in _from_file(Path(text)).items()]
            else:
                pieces = text.split(",")
                pairs += pieces if all("=" in piece for piece in pieces) else [text]
        return dict(map(_pair, pairs))


def _option(name: str) -> str:
    """A field of Order as it is typed."""
    return "--" + name.replace("_", "-")


def _pair(text: str) -> tuple[str, str]:
    name, equals, kind = text.rpartition("=")
    if not equals or not name:
        cure = "For example --columns Pclass=category."
        raise InvalidArgument("--columns", "COLUMN=KIND", repr(text), cure)
    return name, kind.strip()


def _from_file(path: Path) -> dict[str, str]:
    expected = 'a JSON file such as {"Pclass": "category", "Name": "text"}'
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidFile(f"--columns {path}", expected, str(error), "Check the file.") from error
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        raise InvalidFile(f"--columns {path}", expected, "another form", "Write it like this.")
    return found


def widths(text: str | None) -> tuple[int, ...]:
    """The units of each hidden layer.

    >>> widths("256,128"), widths(None)
    ((256, 128), ())
    """
    if text is None:
        return ()
    pieces: Sequence[str] = text.split(",")
    if not all(piece.strip().isdecimal() and int(piece) > 0 for piece in pieces):
        cure = "For example --layers 256,128."
        raise InvalidArgument("--layers", "numbers of units, 1 or more", repr(text), cure)
    return tuple(int(piece) for piece in pieces)


def targets(texts: Sequence[str], data: str) -> tuple[str, ...]:
    """The columns that `--target` names, several with commas; a name of the data may hold some.

    >>> targets(["a, b", "c"], "houses.csv"), targets([], "sklearn:iris")
    (('a', 'b', 'c'), ())
    """
    known = columns_of(data) if any("," in text for text in texts) else []
    split = ([text] if text in known else text.split(",") for text in texts)
    return tuple(name.strip() for names in split for name in names if name.strip())
