"""Layers that look values up in a vocabulary: words, categories, ids."""

from fitwell.layers.lookup.base import Lookup
from fitwell.layers.lookup.index import IntegerLookup, StringLookup
from fitwell.layers.lookup.text import TextVectorization

__all__ = ["IntegerLookup", "Lookup", "StringLookup", "TextVectorization"]
