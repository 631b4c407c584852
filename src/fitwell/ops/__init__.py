"""Numerics that layers stand on: convolution and pooling, away from weights and names."""
