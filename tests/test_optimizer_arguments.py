"""Arguments of optimizers: names, and the message of every mistake."""

import jax.numpy as jnp
import pytest

from fitwell import optimizers
from fitwell.errors import InvalidArgument, UnknownArgument, UnknownName
from fitwell.optimizers import SGD, Adam, AdamW, Muon, Optimizer, RMSprop
from fitwell.schedules import ExponentialDecay


@pytest.mark.parametrize(
    ("name", "expected"),
    [("adam", Adam()), ("SGD", SGD()), ("rms_prop", RMSprop()), ("muon", Muon())],
)
def test_get(name, expected):
    assert optimizers.get(name) == expected
    assert optimizers.get(expected) is expected


def get_tiny(optimizer):
    return optimizer.init({"dense": {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2)}})


@pytest.mark.parametrize(
    ("error", "make", "message"),
    [
        (
            UnknownName,
            lambda: optimizers.get("adm"),
            "optimizer: expected a name it knows, received 'adm'. Did you mean adam?",
        ),
        (
            InvalidArgument,
            lambda: optimizers.get(Adam),
            "optimizer: expected a name or an instance of Optimizer, received the class Adam. "
            "Make an instance: Adam().",
        ),
        (
            InvalidArgument,
            lambda: optimizers.get(3),
            "optimizer: expected a name or an instance of Optimizer, received 3. "
            'Pass a name such as "adam", or Adam(learning_rate=0.001).',
        ),
        (
            UnknownArgument,
            lambda: Adam(lerning_rate=0.1),
            "Adam: expected an argument it knows, received lerning_rate=0.1. "
            "Did you mean learning_rate?",
        ),
        (
            InvalidArgument,
            lambda: SGD(-0.1),
            "SGD: expected learning_rate to be a number in [0, inf), received learning_rate=-0.1. "
            "Choose learning_rate inside it.",
        ),
        (
            InvalidArgument,
            lambda: SGD(float("nan")),
            "SGD: expected learning_rate to be a number in [0, inf), received learning_rate=nan. "
            "Choose learning_rate inside it.",
        ),
        (
            InvalidArgument,
            lambda: Adam(ExponentialDecay),
            "Adam: expected learning_rate to be a number, a schedule or a function of the step, "
            "received the class ExponentialDecay. "
            "Make an instance: learning_rate=ExponentialDecay(...).",
        ),
        (
            InvalidArgument,
            lambda: SGD(momentum=1.0),
            "SGD: expected momentum to be a number in [0, 1), received momentum=1.0. "
            "Choose momentum inside it.",
        ),
        (
            InvalidArgument,
            lambda: Adam(clipnorm=1.0, clipvalue=0.5),
            "Adam: expected only one of clipnorm, clipvalue and global_clipnorm, "
            "received clipnorm=1.0 and clipvalue=0.5. Keep one of them.",
        ),
        (
            InvalidArgument,
            lambda: Adam(clipnorm=0),
            "Adam: expected clipnorm to be a number in (0, inf), received clipnorm=0. "
            "Choose clipnorm inside it.",
        ),
        (
            InvalidArgument,
            lambda: AdamW(weight_decay=None),
            "AdamW: expected weight_decay to be a number in [0, inf), received weight_decay=None. "
            "Choose weight_decay inside it.",
        ),
        (
            InvalidArgument,
            lambda: Adam(gradient_accumulation_steps=0),
            "Adam: expected gradient_accumulation_steps to be a whole number >= 1, "
            "received gradient_accumulation_steps=0. Pass gradient_accumulation_steps=1 or more.",
        ),
        (
            InvalidArgument,
            lambda: Adam(ema_overwrite_frequency=5),
            "Adam: expected use_ema=True with ema_overwrite_frequency, received use_ema=False. "
            "Add use_ema=True, or leave ema_overwrite_frequency out.",
        ),
        (
            InvalidArgument,
            lambda: Adam(multipliers={"dense": -1.0}),
            "Adam: expected multipliers to map names to numbers in [0, inf), "
            "received multipliers=(('dense', -1.0),). "
            'Write for example multipliers={"dense": 0.1, "dense_1/bias": 0.0}.',
        ),
        (
            InvalidArgument,
            lambda: Adam(exclude_from_weight_decay="bias"),
            "Adam: expected exclude_from_weight_decay to be a list of names, "
            "received exclude_from_weight_decay='bias'. "
            'Write for example exclude_from_weight_decay=["bias"].',
        ),
        (
            UnknownName,
            lambda: get_tiny(Adam(multipliers={"dens": 0.1})),
            "Adam: expected multipliers to name layers or weights of the model, received 'dens'. "
            "Did you mean dense?",
        ),
        (
            UnknownName,
            lambda: get_tiny(Muon(exclude_layers=["dense/kernl"])),
            "Muon: expected exclude_layers to name layers or weights of the model, "
            "received 'dense/kernl'. Did you mean dense/kernel?",
        ),
        (
            InvalidArgument,
            lambda: Optimizer().step({"w": jnp.ones(1)}, {"w": jnp.ones(1)}, {}, 0.1),
            "Optimizer: expected the method update(self, weight, gradient, slots, rate, factors), "
            "received none. "
            "Define it in your optimizer: it returns the new weight and the new slots.",
        ),
        (
            InvalidArgument,
            lambda: SGD(lambda step: -1.0).rate([0, 1]),
            "learning rate: expected a finite rate >= 0 at every step, "
            "received -1.0 at step 0. Change its numbers.",
        ),
    ],
)
def test_messages(error, make, message):
    with pytest.raises(error) as caught:
        make()
    assert str(caught.value) == message
