"""The ONNX model around a program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import numpy as np

import fitwell.exporting.onnx.arranging
import fitwell.exporting.onnx.choosing
import fitwell.exporting.onnx.products
import fitwell.exporting.onnx.reducing  # noqa: F401 - each adds rules
from fitwell.exporting.onnx.elementwise import cast
from fitwell.exporting.onnx.graph import Graph, onnx_dtype
from fitwell.exporting.onnx.loops import value_info
from fitwell.exporting.onnx.rules import translate
from fitwell.exporting.package import Feed, Lookup, Package, Port, Terms
from fitwell.exporting.program import Rows, Value

OPSET = 18  # onnxruntime >= 1.14
OPSET_OF_TEXT = 20  # StringConcat; onnxruntime >= 1.17


def write(package: Package) -> Any:
    """The ModelProto of what is exported, checked."""
    from onnx import checker, helper

    program, graph = package.program, Graph()
    inputs = [graph.fresh(port.name) for port in package.inputs]
    outputs = [graph.fresh(port.name) for port in package.outputs]
    graph.batch_of = inputs[0]
    for value, feed in zip(program.inputs, package.feeds, strict=True):
        graph.name(value, _fed(graph, inputs[feed.port], feed, value))
    translate(graph, program)
    graph.layer = ""
    results = [
        _result(graph, name, port, value)
        for name, port, value in zip(outputs, package.outputs, program.outputs, strict=True)
    ]
    used = set(_names([*graph.first, *graph.nodes]))
    units = {feed.terms.unit for feed in package.feeds if feed.terms}
    domains = {"": OPSET_OF_TEXT if "character" in units else OPSET, "ai.onnx.ml": 3}
    domains |= {"com.microsoft": 1} if units else {}
    made = helper.make_model(
        helper.make_graph(
            [*graph.first, *graph.nodes],
            package.name,
            [_declared(name, port) for name, port in zip(inputs, package.inputs, strict=True)],
            results,
            [one for one in graph.initializers if one.name in used],
        ),
        opset_imports=[helper.make_opsetid(*one) for one in domains.items()],
        ir_version=8,
        producer_name="fitwell",
    )
    checker.check_model(made)
    return made


def _names(nodes: Iterable[Any]) -> Iterator[str]:
    """What nodes read, those of loops included."""
    for node in nodes:
        yield from node.input
        for attribute in node.attribute:
            yield from _names(attribute.g.node)


def _declared(name: str, port: Port) -> Any:
    dtype = np.dtype(object) if port.dtype == "string" else np.dtype(port.dtype)
    return value_info(name, dtype, (Rows(1), *port.shape))


def _result(graph: Graph, name: str, port: Port, value: Value) -> Any:
    """Calls a result by its name, and declares it."""
    from onnx import helper

    found, dtype = graph.read(value), onnx_dtype(value.dtype)
    if port.labels:
        labels = np.array(port.labels)
        labels = labels.astype(object) if labels.dtype.kind == "U" else labels
        found, dtype = graph.emit("Gather", graph.constant(labels), found), labels.dtype
    graph.nodes.append(helper.make_node("Identity", [found], [name], name=name))
    return value_info(name, dtype, value.shape)


def _fed(graph: Graph, name: str, feed: Feed, value: Value) -> str:
    """The name of what the program is given for an input of the file."""
    if feed.lookup is not None:
        return cast(graph, _looked_up(graph, name, feed.lookup), value.dtype)
    if feed.terms is not None:
        return _counted(graph, name, feed.terms)
    if feed.scaling is not None:
        center, scale = (graph.constant(np.float64(number)) for number in feed.scaling)
        return cast(graph, graph.emit("Mul", graph.emit("Sub", name, center), scale), value.dtype)
    return cast(graph, name, value.dtype) if onnx_dtype(value.dtype) != value.dtype else name


def _looked_up(graph: Graph, name: str, lookup: Lookup) -> str:
    kind = "strings" if isinstance(lookup.terms[0], str) else "int64s"
    keys: dict[str, Any] = {f"keys_{kind}": list(lookup.terms)}
    return graph.emit(
        "LabelEncoder",
        name,
        domain="ai.onnx.ml",
        values_int64s=list(lookup.ids),
        default_int64=lookup.unknown,
        **keys,
    )


def _counted(graph: Graph, name: str, given: Terms) -> str:
    """Counts of terms, (rows, terms). ONNX has no operation that splits texts: onnxruntime's own
    is taken."""
    low = graph.emit("StringNormalizer", name, case_change_action="LOWER", locale="C.UTF-8")
    if given.unit == "word":
        pieces, lengths = _split(graph, low, tokenexp=r"[\pL\pN_]+"), [1]
    else:
        pieces, lengths = _characters(graph, low), [1, 2, 3, 4]
    # All terms of one length stand together, in this order; each keeps its own place.
    size = len if given.unit == "character" else lambda term: 1
    order = sorted(range(len(given.terms)), key=lambda i: size(given.terms[i]))
    terms = [given.terms[i] for i in order]
    pool = list(chain.from_iterable(terms)) if given.unit == "character" else terms
    starts = [sum(size(t) * (size(t) < n) for t in terms) for n in lengths]
    return graph.emit(
        "TfIdfVectorizer",
        pieces,
        mode="TF",
        min_gram_length=lengths[min(1, len(lengths) - 1)],
        max_gram_length=lengths[-1],
        max_skip_count=0,
        ngram_counts=starts,
        ngram_indexes=order,
        pool_strings=pool,
    )


def _split(graph: Graph, name: str, **how: Any) -> str:
    return graph.emit("Tokenizer", name, domain="com.microsoft", mark=0, mincharnum=1,
                      pad_value="", **how)  # fmt: skip


def _characters(graph: Graph, texts: str) -> str:
    """The characters of each text, with a space before and behind every word.

    No term has two spaces in it, so none goes from one word into the next. Each text gets a word
    that no other has, so that there is one.
    """
    space = graph.constant(np.array(" ", object))
    mark = graph.constant(np.array(" \ue000", object))
    words = _split(graph, graph.emit("StringConcat", texts, mark), tokenexp=r"\S+")
    words = graph.emit("StringConcat", graph.emit("StringConcat", space, words), space)
    return graph.emit("Reshape", _split(graph, words, separators=[""]), graph.integers([0, -1]))
