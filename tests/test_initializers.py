import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from fitwell import activations, initializers
from fitwell.errors import InvalidArgument, ShapeMismatch, UnknownArgument, UnknownName
from fitwell.initializers import (
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Identity,
    Initializer,
    LecunNormal,
    LecunUniform,
    Ones,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    Zeros,
)

KEY = jax.random.key(0)
SHAPE = (3, 50, 200)  # fan-in 150, fan-out 600, 30000 numbers
CUT = stats.truncnorm(-2, 2)
CUT_STDDEV = CUT.std()


def normal(mean, stddev):
    return stats.norm(mean, stddev)


def truncated(mean, stddev):
    """Cut at 2 standard deviations, `stddev` being that before the cut."""
    return stats.truncnorm(-2, 2, mean, stddev)


def uniform(limit):
    return stats.uniform(-limit, 2 * limit)


# Each row: an initializer and the distribution it must draw from, from its paper's formula.
DISTRIBUTIONS = [
    (RandomNormal(), normal(0, 0.05)),
    (RandomNormal(stddev=0.01), normal(0, 0.01)),  # np.random.randn(...) * 0.01
    (RandomNormal(mean=2.0, stddev=3.0), normal(2, 3)),
    (TruncatedNormal(), truncated(0, 0.05)),
    (TruncatedNormal(mean=1.0, stddev=0.5), truncated(1, 0.5)),
    (RandomUniform(), uniform(0.05)),
    (RandomUniform(minval=1.0, maxval=3.0), stats.uniform(1, 2)),
    (VarianceScaling(), truncated(0, math.sqrt(1 / 150) / CUT_STDDEV)),
    (VarianceScaling(3.0, "fan_out", "untruncated_normal"), normal(0, math.sqrt(3 / 600))),
    (VarianceScaling(2.0, "fan_avg", "uniform"), uniform(math.sqrt(6 / 375))),
    (HeNormal(), truncated(0, math.sqrt(2 / 150) / CUT_STDDEV)),
    (HeUniform(), uniform(math.sqrt(6 / 150))),
    (GlorotNormal(), truncated(0, math.sqrt(2 / 750) / CUT_STDDEV)),
    (GlorotUniform(), uniform(math.sqrt(6 / 750))),
    (LecunNormal(), truncated(0, math.sqrt(1 / 150) / CUT_STDDEV)),
    (LecunUniform(), uniform(math.sqrt(3 / 150))),
]


@pytest.mark.parametrize(
    ("initializer", "distribution"), DISTRIBUTIONS, ids=[repr(d[0]) for d in DISTRIBUTIONS]
)
def test_draws_from_its_distribution(initializer, distribution):
    values = np.asarray(initializer(KEY, SHAPE), np.float64).ravel()
    n, mean, variance = values.size, distribution.mean(), distribution.var()
    assert abs(values.mean() - mean) < 4 * math.sqrt(variance / n)
    fourth = distribution.stats("k") + 3  # E(x - mean)^4 / variance^2
    assert abs(values.var() / variance - 1) < 4 * math.sqrt((fourth - 1) / n)
    assert stats.kstest(values, distribution.cdf).pvalue > 1e-3
    low, high = distribution.support()
    slack = 1e-6 * (abs(mean) + math.sqrt(variance))
    assert low - slack <= values.min()
    assert values.max() <= high + slack


@pytest.mark.parametrize(
    "initializer", [HeNormal(), HeUniform(), VarianceScaling(2.0, "fan_in", "untruncated_normal")]
)
def test_he_has_the_variance_of_the_notes(initializer):
    # np.random.randn(n, m) * np.sqrt(2 / m): variance 2 / fan-in, here of a Dense kernel (in, out).
    values = np.asarray(initializer(KEY, (400, 100)))
    assert values.var() == pytest.approx(2 / 400, rel=0.03)


def test_draws_depend_on_the_key_and_a_seed_replaces_it():
    other = jax.random.key(1)
    for initializer, _ in DISTRIBUTIONS:
        assert (initializer(KEY, (4, 5)) != initializer(other, (4, 5))).any()
    for seeded in (HeNormal(seed=3), RandomUniform(seed=3), Orthogonal(seed=3)):
        np.testing.assert_array_equal(seeded(KEY, (4, 5)), seeded(other, (4, 5)))
    assert (HeNormal(seed=3)(KEY, (4, 5)) != HeNormal(seed=4)(KEY, (4, 5))).any()
    np.testing.assert_array_equal(HeNormal(seed=0)(other, (4, 5)), HeNormal()(KEY, (4, 5)))


@pytest.mark.parametrize(
    ("initializer", "shape", "expected"),
    [
        (Zeros(), (2, 3), [[0, 0, 0], [0, 0, 0]]),
        (Ones(), (3,), [1, 1, 1]),
        (Constant(), (2,), [0, 0]),
        (Constant(0.5), (2,), [0.5, 0.5]),
        (Constant([1, 2]), (2, 2), [[1, 2], [1, 2]]),
        (Identity(), (2, 3), [[1, 0, 0], [0, 1, 0]]),
        (Identity(gain=2.0), (2, 2), [[2, 0], [0, 2]]),
    ],
)
def test_what_draws_nothing(initializer, shape, expected):
    values = initializer(KEY, shape)
    np.testing.assert_array_equal(values, expected)
    assert values.dtype == jnp.float32


@pytest.mark.parametrize("shape", [(60, 20), (20, 60), (30, 30), (3, 3, 4, 8)])
def test_orthogonal(shape):
    matrix = np.asarray(Orthogonal(gain=2.0)(KEY, shape), np.float64).reshape(-1, shape[-1]) / 2
    narrow = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    np.testing.assert_allclose(narrow.T @ narrow, np.eye(narrow.shape[1]), atol=1e-5)


def test_orthogonal_matrices_have_no_preferred_direction():
    # QR alone fixes the signs of R's diagonal, and with them those of Q.
    keys = jax.random.split(KEY, 400)
    first = np.asarray(jax.vmap(lambda key: Orthogonal()(key, (2, 2))[0, 0])(keys))
    assert abs(first.mean()) < 4 * math.sqrt(0.5 / 400)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((), (1, 1)), ((7,), (7, 7)), ((784, 128), (784, 128)), ((3, 5, 16, 32), (240, 480))],
)
def test_fans(shape, expected):
    assert initializers.fans(shape) == expected


@pytest.mark.parametrize(
    "initializer", [HeNormal(), HeUniform(), RandomNormal(), Orthogonal(), Identity(), Zeros()]
)
def test_dtype_is_kept(initializer):
    assert initializer(KEY, (4, 4), jnp.bfloat16).dtype == jnp.bfloat16


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("he_normal", HeNormal()),
        ("HeNormal", HeNormal()),
        ("kaiming_normal", HeNormal()),
        ("kaiming_uniform", HeUniform()),
        ("glorot_uniform", GlorotUniform()),
        ("xavier_uniform", GlorotUniform()),
        ("XavierNormal", GlorotNormal()),
        ("lecun_normal", LecunNormal()),
        ("zeros", Zeros()),
        ("ones", Ones()),
        ("normal", RandomNormal()),
        ("uniform", RandomUniform()),
        ("orthogonal", Orthogonal()),
        ("variance_scaling", VarianceScaling()),
        (HeUniform, HeUniform()),
        (initializers.he_normal(seed=1), HeNormal(seed=1)),
        (initializers.XavierUniform(), GlorotUniform()),
    ],
)
def test_get(identifier, expected):
    assert initializers.get(identifier) == expected


def test_a_function_is_an_initializer():
    drawn = initializers.get(jax.nn.initializers.he_normal())(KEY, (200, 100))
    assert float(drawn.var()) == pytest.approx(2 / 200, rel=0.05)
    ramp = initializers.get(lambda key, shape: np.arange(6.0).reshape(shape))
    np.testing.assert_array_equal(ramp(KEY, (2, 3)), [[0, 1, 2], [3, 4, 5]])
    assert ramp(KEY, (2, 3), jnp.bfloat16).dtype == jnp.bfloat16


# The decision for every activation there is; a new one must be put somewhere.
DEFAULTS = {
    HeNormal(): "relu relu6 leaky_relu relu2 elu celu gelu gelu_tanh silu swish hard_silu "
    "hard_swish mish softplus squareplus threshold",
    LecunNormal(): "selu",
    GlorotUniform(): "linear sigmoid hard_sigmoid tanh softsign exponential glu softmax "
    "log_softmax",
}


def test_the_default_follows_the_activation():
    decided = {name: default for default, names in DEFAULTS.items() for name in names.split()}
    assert set(decided) == set(activations.__all__) - {"get"}
    for name, default in decided.items():
        assert initializers.for_activation(name) == default
        assert initializers.for_activation(activations.get(name)) == default
    for name in ("ReLU", "prelu", "2nd_relu", "soft relu", "LeakyReLU"):
        assert initializers.for_activation(name) == HeNormal()
    assert initializers.for_activation(None) == GlorotUniform()
    assert initializers.for_activation(lambda x: x) == GlorotUniform()


class Own(Initializer):
    pass


def misshapen(key, shape):
    return jnp.zeros((2, 2))


@pytest.mark.parametrize(
    ("error", "call", "message"),
    [
        (
            UnknownName,
            lambda: initializers.get("he_norml"),
            "initializer: expected a name it knows, received 'he_norml'. Did you mean HeNormal?",
        ),
        (
            InvalidArgument,
            lambda: initializers.get(0),
            "initializer: expected a name, an initializer, or a function (key, shape) -> array, "
            'received 0. Write kernel_initializer="he_normal", or Constant(value) for a number.',
        ),
        (
            InvalidArgument,
            lambda: initializers.get(None),
            "initializer: expected a name, an initializer, or a function (key, shape) -> array, "
            'received None. Write kernel_initializer="he_normal", or Constant(value) for a '
            "number.",
        ),
        (
            UnknownArgument,
            lambda: RandomNormal(std=1.0),
            "RandomNormal: expected an argument it knows, received std=1.0. Did you mean stddev?",
        ),
        (
            InvalidArgument,
            lambda: RandomNormal(stddev=-1.0),
            "RandomNormal: expected stddev to be a number in [0, inf), received stddev=-1.0. "
            "Choose stddev inside it.",
        ),
        (
            InvalidArgument,
            lambda: RandomUniform(1.0, 0.0),
            "RandomUniform: expected maxval to be a number in [1, inf), received maxval=0.0. "
            "Choose maxval inside it.",
        ),
        (
            InvalidArgument,
            lambda: VarianceScaling(scale=0.0),
            "VarianceScaling: expected scale to be a number in (0, inf), received scale=0.0. "
            "Choose scale inside it.",
        ),
        (
            InvalidArgument,
            lambda: VarianceScaling(mode="fanin"),
            "VarianceScaling: expected mode to be one of 'fan_in', 'fan_out', 'fan_avg', received "
            "mode='fanin'. Did you mean fan_in?",
        ),
        (
            InvalidArgument,
            lambda: Orthogonal(gain=math.inf),
            "Orthogonal: expected gain to be a number in (-inf, inf), received gain=inf. "
            "Choose gain inside it.",
        ),
        (
            InvalidArgument,
            lambda: HeNormal(seed=1.5),
            "HeNormal: expected seed to be None or a whole number >= 0, received seed=1.5. "
            "Leave it out, and the model's seed decides.",
        ),
        (
            InvalidArgument,
            lambda: Constant("one"),
            "Constant: expected value to be a finite number, or an array of them, received "
            "value='one'. Pass one number, or an array of the weight's shape.",
        ),
        (
            InvalidArgument,
            lambda: Constant(math.nan),
            "Constant: expected value to be a finite number, or an array of them, received "
            "value=nan. Pass one number, or an array of the weight's shape.",
        ),
        (
            ShapeMismatch,
            lambda: Constant([1, 2, 3])(KEY, (2,)),
            "Constant: expected a value that broadcasts to the weight's shape (2,), received an "
            "array of shape (3,). Pass one number, or an array of the weight's shape.",
        ),
        (
            ShapeMismatch,
            lambda: Identity()(KEY, (2, 2, 2)),
            "Identity: expected a matrix: two axes, received shape (2, 2, 2). Choose another "
            "initializer for this weight, such as glorot_uniform or zeros.",
        ),
        (
            ShapeMismatch,
            lambda: Orthogonal()(KEY, (4,)),
            "Orthogonal: expected at least two axes, received shape (4,). Choose another "
            "initializer for this weight, such as glorot_uniform or zeros.",
        ),
        (
            ShapeMismatch,
            lambda: initializers.get(misshapen)(KEY, (3,)),
            "initializer misshapen: expected to return the weight's shape (3,), received shape "
            "(2, 2). Use the second argument of the function as the shape.",
        ),
        (
            InvalidArgument,
            lambda: Own()(KEY, (3,)),
            "Own: expected the method __call__(self, key, shape, dtype=float32), received none. "
            "Define it in your initializer.",
        ),
    ],
)
def test_bad_arguments_are_answered_with_the_cure(error, call, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
