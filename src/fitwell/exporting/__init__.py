"""Models for other programs: ONNX, a Python file that needs numpy alone, JAX' portable bytes.

None of them needs fitwell to predict, and none of them trains.
"""

from fitwell.exporting.writing import FORMATS, export

__all__ = ["FORMATS", "export"]
