"""What each code of the doctor means, as text: `fitwell explain CODE` and the pages of docs.

>>> get("nan").title
'The loss or a weight is no number any more'
"""

from __future__ import annotations

from collections.abc import Mapping

from fitwell.doctor.codes import (
    curves,
    heads,
    labels,
    measures,
    outcomes,
    rows,
    scales,
    signals,
    softmaxes,
    splits,
    steps,
    structure,
    units,
    weights,
)
from fitwell.doctor.codes.entry import Code, Cure
from fitwell.doctor.codes.sources import Source
from fitwell.names import resolve

__all__ = ["CODES", "GROUPS", "Code", "Cure", "Source", "get"]

# In the order in which a careful person looks: data, pairing, structure, training.
GROUPS: Mapping[str, tuple[Code, ...]] = {
    "data": (*scales.CODES, *rows.CODES, *labels.CODES, *splits.CODES),
    "pairing": (*measures.CODES, *heads.CODES, *softmaxes.CODES),
    "structure": (*structure.CODES, *weights.CODES),
    "training": (*steps.CODES, *signals.CODES, *units.CODES, *curves.CODES, *outcomes.CODES),
}

CODES: Mapping[str, Code] = {code.name: code for group in GROUPS.values() for code in group}


def get(name: str) -> Code:
    """The entry of a code; case, `-` and `_` make no difference.

    Raises:
        UnknownName: no code is called so.

    >>> get("dying-ReLU").name
    'dying_relu'
    >>> get("satuartion")
    Traceback (most recent call last):
    fitwell.errors.UnknownName: explain: expected a name it knows, received 'satuartion'. \
Did you mean saturation?
    """
    return resolve("explain", name, CODES)
