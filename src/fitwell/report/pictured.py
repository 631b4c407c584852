"""A Study of a model of images: from what training prepared, or from a folder."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import numpy as np

from fitwell.assessment.reading import subject_of
from fitwell.data.images import Images
from fitwell.errors import InvalidData
from fitwell.history import History
from fitwell.images import ImageModel
from fitwell.images import Prepared as PreparedImages
from fitwell.report import examples, making
from fitwell.report.judging import course, judge, rely
from fitwell.report.study import Facts, Study
from fitwell.types import HostArray


def of_images(
    model: ImageModel, data: Any, history: History | None, origin: making.Origin
) -> Study:
    """The study of a model of images.

    Args:
        model: of images.
        data: what `images.prepare` returned: judged by the test images; or a folder whose
            sub-folders name the classes: judged by all its images.
        history: of the fit.
        origin: of model and data.
    """
    images, rows, judged = _chosen(model, data, origin)
    assert images.y is not None
    places = np.array([model.classes.index(name) for name in images.classes])
    x, y = images.x[rows], places[images.y[rows]]
    subject = subject_of("report", model.network, x, y, classes=model.classes)
    subject = replace(subject, task=model.target.task, target=model.target.name)
    judgement, facts = judge(subject), model.facts
    paired = facts if isinstance(data, PreparedImages) else {}
    baselines = paired.get("baselines", {})
    names = np.array(["/".join(images.files[row].parts[-2:]) for row in rows])
    suspects, suspicion = examples.suspects(subject, names, (), lambda row: (), "image")
    source = origin.data or "a folder"
    return Study(
        title=f"Images of {source}",
        verdict=making.verdict(judgement, baselines, judged, paired.get("differences", {})),
        facts=_told(model, source),
        notes=tuple(facts.get("notes", ())),
        columns=None,
        judged=judged,
        numbering="",
        judgement=judgement,
        baselines=baselines,
        reliance=rely(subject),
        course=course(history, facts.get("best_epoch"), timed="seconds" not in facts),
        worst=examples.worst(subject, names, (), lambda row: (), "image"),
        suspects=suspects,
        suspicion=suspicion,
        model=model.network,
        python=_python(origin),
        shell=f"fitwell predict {shlex.quote(origin.model)} images --output predictions.csv",
        repeat=making.repeat(origin, facts),
        program=origin.program,
    )


def _chosen(model: ImageModel, data: Any, origin: making.Origin) -> tuple[Images, HostArray, str]:
    """Images, the places of those that judge it, and which they are."""
    if isinstance(data, PreparedImages):
        rows = data.parts.test
        return data.images, rows, f"{len(rows):,} test images, which training did not see"
    images = data if isinstance(data, Images) else model.read(data)
    if images.y is None or not set(images.classes) <= set(model.classes):
        expected = f"sub-folders named {', '.join(model.classes)}"
        received = ", ".join(images.classes) or "none"
        raise InvalidData("report, images", expected, received, "Name the folders as in training.")
    where = f" of {origin.data}" if origin.data else ""
    return images, np.arange(len(images)), f"all {len(images):,} images{where}"


def _told(model: ImageModel, source: str) -> Facts:
    facts, (height, width, channels) = model.facts, model.shape
    counts = making.parts_words(facts)
    lines = [
        ("Data", f"{source}, images of {height} x {width} x {channels}"),
        ("Target", f"{len(model.classes)} classes ({making.listed(model.classes)})"),
        ("Images", counts),
        ("Network", str(facts.get("network", repr(model.network)))),
        ("Training", making.course_words(facts)),
    ]
    return tuple((label, text) for label, text in lines if text)


def _python(origin: making.Origin) -> str:
    path = str(origin.model)
    return "\n".join(
        [
            "import fitwell as fw",
            "",
            f"model = fw.images.load({path!r})",
            'labels = model.predict("folder")  # or a file, or a list of files',
            'probabilities = model.predict_proba("folder")',
        ]
    )
