"""Writes signatures.json: the arguments and defaults of everything public in Keras 3.

Run in an environment with keras==3.15.1 and jax (not needed by the tests):
    python tests/golden/make_signatures.py

{module: {name: [[argument, default], ...]}}, in Keras' order; an argument without a default is
[argument]. What a layer takes by `**kwargs` are the arguments of the class Layer: they follow.
"""

import inspect
import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import keras

MODULES = {
    "activations": keras.activations,
    "callbacks": keras.callbacks,
    "constraints": keras.constraints,
    "initializers": keras.initializers,
    "layers": keras.layers,
    "losses": keras.losses,
    "metrics": keras.metrics,
    "optimizers": keras.optimizers,
    "regularizers": keras.regularizers,
    "schedules": keras.optimizers.schedules,
}


def plain(default):
    return json.loads(json.dumps(default, default=repr))


def explicit(thing):
    """The arguments that have a name, and whether there is room for others."""
    parameters = list(
        inspect.signature(thing.__init__ if inspect.isclass(thing) else thing).parameters.values()
    )[inspect.isclass(thing) :]
    named = [p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    found = [[p.name] if p.default is p.empty else [p.name, plain(p.default)] for p in named]
    return found, any(p.kind is p.VAR_KEYWORD for p in parameters)


def arguments(thing):
    found, open_ended = explicit(thing)
    if open_ended and inspect.isclass(thing) and issubclass(thing, keras.Layer):
        names = {each[0] for each in found}
        found += [each for each in explicit(keras.Layer)[0] if each[0] not in names]
    return found


def main():
    signatures = {}
    for name, module in MODULES.items():
        public = {key: getattr(module, key) for key in sorted(dir(module)) if key[0] != "_"}
        signatures[name] = {
            key: arguments(thing) for key, thing in public.items() if callable(thing)
        }
    lines = [
        f"{json.dumps(module)}: {{\n"
        + ",\n".join(f" {json.dumps(name)}: {json.dumps(each)}" for name, each in names.items())
        + "\n}"
        for module, names in signatures.items()
    ]
    path = Path(__file__).with_name("signatures.json")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
