"""Names, arguments, order and defaults are Keras 3's; every difference is listed with its reason.

`golden/signatures.json` holds what Keras has (`golden/make_signatures.py`).
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

import fitwell as fw
from fitwell import habits
from fitwell.errors import UnknownArgument
from fitwell.metrics.loss import LossMetric
from fitwell.names import simple_name

KERAS: dict[str, dict[str, list[list[Any]]]] = json.loads(
    (Path(__file__).parent / "golden" / "signatures.json").read_text()
)
REQUIRED = "required"
MIXING = ("CutMix", "MixUp")

DELIBERATE = {
    "*: kernel_initializer='auto', Keras 'glorot_uniform'": "follows the activation",
    "*: depthwise_initializer='auto', Keras 'glorot_uniform'": "follows the activation",
    "*: pointwise_initializer='auto', Keras 'glorot_uniform'": "follows the activation",
    "layers.*: trainable is ours": "every layer has it; Keras forgot it in a few",
    "layers.*: data_format is ours": "every layer of images or sequences has it",
    "layers.*: causal is ours": "Keras has use_causal_mask in the call, which a Sequential cannot "
    "pass; calls take it too",
    "layers.*: return_attention_scores is ours": "Keras has it in the call: the number of outputs "
    "is part of the description here",
    "layers.*: layer_norm is ours": "normalisation inside the cell, which Keras lacks",
    "layers.*: zero_output_for_mask is ours": "Keras takes it by **kwargs",
    "layers.*: batch_size is ours": "for stateful=True: an Input has no batch size here",
    "layers.CategoryEncoding: num_tokens='required', Keras None": "Keras refuses None too",
    "layers.Input: dtype='float32', Keras None": "None means float32 in Keras",
    "layers.InputLayer: *": "Input is what users call; the layer is what it leaves in the network",
    "layers.Conv3DTranspose: argument 5 *": "Keras has another order than in Conv2DTranspose",
    "layers.Bidirectional: argument 3 *": "Keras' weights are set on the model",
    "layers.MultiHeadAttention: argument 7 *": "attention is along the time axis alone",
    "layers.GroupQueryAttention: argument 7 *": "XLA chooses how attention is computed",
    "layers.Lambda: argument 3 *": "the mask goes on as it came",
    "losses.Huber: name='huber', Keras 'huber_loss'": "a loss logs under the name of its class",
    "losses.[Ss]parse*: label_smoothing is ours": "as in PyTorch",
    "losses.SparseCategoricalCrossentropy: argument 3 *": "reduction is passed by name",
    "metrics.*: argument 1 is *, Keras name": "name is passed by name",
    "metrics.AUC: argument 1 is curve, Keras num_thresholds": "the area is exact",
    "metrics.*: argument 2 is class_id, Keras top_k": "rankings have metrics of their own",
    "metrics.*: average is ours": "precision and recall of several classes, as in scikit-learn",
    "optimizers.*: exclude_from_weight_decay is ours": "Keras has a method for it",
    "optimizers.*: multipliers is ours": "rates by layer, which Keras lacks",
    "optimizers.Adagrad: initial_accumulator_value=0.0, Keras 0.1": "the formula of the paper",
    "optimizers.Optimizer: learning_rate=0.001, Keras 'required'": "the base of one's own",
    "optimizers.Muon: argument 6 *": "weight_decay is passed by name",
    "optimizers.Muon: exclude_layers=(), Keras None": "None means none in Keras",
    "regularizers.*: proximal is ours": "exact zeros, which Keras lacks",
    "schedules.CosineDecay: argument 4 *": "name is passed by name",
    "schedules.LearningRateSchedule: name is ours": "every schedule has it",
    "schedules.*: name=None, *": "a schedule's name is shown nowhere",
    "activations.threshold: *": "Keras refuses to be without them; here the name is enough",
    "callbacks.BackupAndRestore: argument 3 *": "a backup is never half written",
}

ABSENT = {
    "*.serialize": "a model file holds the JSON of a description",
    "*.deserialize": "fitwell.load reads model files",
    "activations.*": "not asked for so far: functions of jax.numpy can be passed",
    "callbacks.CallbackList": "fit takes a list",
    "callbacks.History": "fit returns it",
    "callbacks.OrbaxCheckpoint": "ModelCheckpoint writes safetensors",
    "callbacks.ProgbarLogger": "fit(verbose=...), or ProgressBar",
    "callbacks.RemoteMonitor": "LambdaCallback",
    "callbacks.SwapEMAWeights": "use_ema=True of an optimizer puts the average in place",
    "initializers.*Initializer": "an older name of the same",
    "initializers.[Ss][Tt][Ff][Tt]*": "sound is not asked for",
    "layers.*Conv*olution*": "an older name: the error names the new one",
    "layers.ConvLSTM?D": "not asked for so far",
    "layers.*Spectrogram": "sound is not asked for",
    "layers.Random*": "the augmentations of the notes are there",
    "layers.[ACEMPRS]*": "preprocessing and augmentation that is not asked for so far",
    "layers.*Layer": "code of other libraries: Lambda takes functions of JAX",
    "layers.TorchModuleWrapper": "code of another library",
    "layers.Hash*": "IntegerLookup and StringLookup hash what they do not know",
    "layers.InputSpec": "layers check their inputs in init and apply",
    "layers.Wrapper": "a layer with the method inner is one",
    "losses.*": "not asked for so far: a loss of one's own is three lines",
    "metrics.*": "functions: those of fitwell.losses; classes: not asked for so far",
    "optimizers.*": "not asked for so far",
}

COMMON = [
    (module, name)
    for module, names in KERAS.items()
    for name in names
    if name in getattr(fw, module).__all__ and name != "get"
]


def ours(module: str, name: str) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(getattr(getattr(fw, module), name)).parameters)


def keras(module: str, name: str) -> dict[str, Any]:
    return {each[0]: each[1] if len(each) > 1 else REQUIRED for each in KERAS[module][name]}


def default(module: str, name: str, parameter: inspect.Parameter) -> Any:
    """The default; for the name of a loss or metric, what the logs then call it."""
    named = keras(module, name).get("name")
    if parameter.name == "name" and module in ("losses", "metrics") and named is not None:
        made = getattr(getattr(fw, module), name)()
        return (LossMetric(made) if module == "losses" else made).label
    return REQUIRED if parameter.default is parameter.empty else parameter.default


def same(a: Any, b: Any) -> bool:
    """Whether two defaults mean the same: 1 and (1, 1), "Zeros" and "zeros"."""
    if isinstance(b, list) and isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(b, list):
        return all(same(a, each) for each in b)
    if isinstance(a, str) and isinstance(b, str):
        return simple_name(a) == simple_name(b)
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def differences() -> Iterator[str]:
    for module, name in COMMON:
        there, here = keras(module, name), ours(module, name)
        here = {k: p for k, p in here.items() if p.kind is not p.VAR_KEYWORD}
        for argument, parameter in here.items():
            if argument not in there:
                yield f"{module}.{name}: {argument} is ours"
            elif not same(found := default(module, name, parameter), there[argument]):
                yield f"{module}.{name}: {argument}={found!r}, Keras {there[argument]!r}"
        positional = [k for k, p in here.items() if p.kind is not p.KEYWORD_ONLY]
        for i, (mine, other) in enumerate(zip(positional, there, strict=False)):
            if mine != other and mine in there:
                yield f"{module}.{name}: argument {i + 1} is {mine}, Keras {other}"
                break


def missing() -> Iterator[tuple[str, str, str]]:
    for module, name in COMMON:
        here = ours(module, name)
        if any(p.kind is p.VAR_KEYWORD for p in here.values()):
            continue  # it answers by itself
        if name in MIXING:  # no layers here: part of compile(augment=...)
            here = {**here, **dict.fromkeys(("name", "trainable"))}
        yield from ((module, name, each) for each in keras(module, name) if each not in here)


def check_listed(found: list[str], table: dict[str, str]) -> None:
    """Each difference has an entry, and each entry a difference."""
    assert [d for d in found if not any(fnmatchcase(d, entry) for entry in table)] == []
    assert [e for e in table if not any(fnmatchcase(d, e) for d in found)] == []


def test_arguments_order_and_defaults_are_keras() -> None:
    assert len(COMMON) > 250
    check_listed(list(differences()), DELIBERATE)


def test_names_are_keras() -> None:
    absent = [
        f"{module}.{name}"
        for module, names in KERAS.items()
        for name in names
        if name not in getattr(fw, module).__all__
    ]
    check_listed(absent, ABSENT)


def test_an_argument_that_is_not_here_is_answered_with_what_to_do() -> None:
    used = set()
    for module, name, argument in missing():
        cure = habits.cure_of(name, argument)
        assert cure is not None, f"{module}.{name}: {argument}"
        used |= {argument, f"{name}.{argument}"} & habits.CURES.keys()
        with pytest.raises(UnknownArgument) as caught:
            getattr(getattr(fw, module), name)(**{argument: None})
        text = f": expected an argument it knows, received {argument}=None. {cure}"
        assert str(caught.value) == getattr(getattr(fw, module), name).__name__ + text
    of_old_keras = {"input_shape", "batch_input_shape", "input_dim", "input_length", "decay"}
    of_old_keras |= {"implementation", "time_major", "fused", "LeakyReLU.alpha"}
    of_compile = {"run_eagerly", "jit_compile", "steps_per_execution"}
    of_calls = {"training", "return_attention_scores"}
    of_calls |= {"query_mask", "value_mask", "key_mask"}
    # These are tested in test_habits.py and layers/test_wrong_use.py.
    assert habits.CURES.keys() - used == of_old_keras | of_compile | of_calls
