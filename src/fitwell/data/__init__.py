"""From what users have (arrays, frames, iterables, tables) to batches."""
