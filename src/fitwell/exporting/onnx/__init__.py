"""Programs as ONNX files: each operation of JAX as one or a few of ONNX."""

from fitwell.exporting.onnx.file import write

__all__ = ["write"]
