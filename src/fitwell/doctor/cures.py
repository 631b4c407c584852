"""The table of cures: what each answers, what it does, and the code that does it by hand.

`EVIDENT` cures apply where the record shows a need; `FURTHER` ones are worth a trial where a
network still learns or generalises too little. Both stand in the order of plausibility.
"""

from __future__ import annotations

from fitwell.doctor.cure import Cure
from fitwell.doctor.edits import features, heads, plan, scaling, structure

EVIDENT: tuple[Cure, ...] = (
    Cure(
        "fit the output to the labels",
        (
            "loss_mismatch", "output_activation_loss_mismatch", "output_range_mismatch",
            "missing_output_activation", "double_softmax", "relu_before_softmax",
            "softmax_single_unit", "multilabel_softmax", "wrong_output_units", "metric_mismatch",
            "labels_out_of_range", "negative_loss", "sum_reduction",
        ),
        "Units, activation, loss and metric follow from the labels: softmax for one of several "
        "classes, sigmoid for yes or no, linear with the squared error for numbers.",
        'Dense(1, activation="sigmoid"), loss="binary_crossentropy"      # labels 0 and 1\n'
        'Dense(C, activation="softmax"), loss="categorical_crossentropy"  # one-hot labels\n'
        'Dense(C, activation="softmax"), loss="sparse_categorical_crossentropy"  # 0 to C - 1\n'
        'Dense(1), loss="mse"                                            # numbers',
        heads.right_head,
    ),
    Cure(
        "scale the targets inside the model",
        ("unscaled_targets", "high_initial_loss", "exploding_gradient", "nan"),
        "The last Dense learns (y - mean) / std, a Rescaling brings predictions back to y's units, "
        "and the loss is divided by the variance.",
        "Sequential([..., Dense(1), Rescaling(y.std(), offset=y.mean())])\n"
        'compile(loss="mse", loss_weights=1 / y.var())',
        scaling.scaled_targets,
    ),
    Cure(
        "bins for every name",
        ("unscaled_inputs",),
        "Whole numbers that are names, 20 not twice 10, get a value of their own each.",
        "Sequential([PiecewiseLinearEmbedding(units=8, bins=128), ...])",
        features.named,
    ),
    Cure(
        "scale the inputs inside the model",
        ("unscaled_inputs", "saturation", "constant_feature", "dying_relu", "nan"),
        "A Normalization in front brings every feature to mean 0 and variance 1; fit computes it "
        "from the training data, and raw data still go in.",
        "Sequential([Normalization(), ...])",
        scaling.scaled_inputs,
        neutral=scaling.as_they_are,
        free=True,
    ),
    Cure(
        "let the layers learn",
        ("underfitting",),
        "All layers are frozen: no step changes a weight.",
        "model.trainable = True",
        structure.thawed,
    ),
    Cure(
        "widen the bottleneck",
        ("too_narrow",),
        "What one or two units do not pass on is lost for all layers behind them.",
        'Dense(32, activation="relu")',
        structure.widened,
    ),
    Cure(
        "initialise by fan-in",
        (
            "zero_init", "symmetric_init", "bad_init", "exploding_activation", "high_initial_loss",
            "dying_relu",
        ),
        "Weights that are equal stay equal, and large ones saturate: He for relu, LeCun for selu, "
        "Glorot otherwise, biases 0.",
        'Dense(64, activation="relu")  # without kernel_initializer: chosen by activation',
        structure.initialised,
        free=True,
    ),
    Cure(
        "bend the hidden layers",
        (
            "linear_hidden", "hidden_sigmoid", "softmax_hidden", "vanishing_gradient",
            "saturation", "exploding_activation", "slow_convergence",
        ),
        "relu in hidden layers (tanh in narrow ones) passes gradients on, which sigmoid and "
        "softmax shrink, and bends what linear layers only turn.",
        'Dense(64, activation="relu")',
        structure.bent,
    ),
    Cure(
        "mask the padding",
        ("vanishing_gradient",),
        "Steps behind the data are left out: the layer returns its state after the last real one.",
        "Embedding(1000, 16, mask_zero=True)  # of numbers: Masking(0.0) before the layer",
        structure.masked,
    ),
    Cure(
        "fewer layers",
        ("too_deep", "vanishing_gradient", "dying_relu", "exploding_gradient"),
        "A long chain of Dense layers loses the gradient; its first three hidden layers are kept.",
        'Sequential([Dense(64, "relu"), Dense(64, "relu"), Dense(64, "relu"), Dense(1)])',
        structure.shallower,
    ),
    Cure(
        "regularise less",
        ("over_regularized", "high_dropout", "underfitting"),
        "Penalties and dropout keep weights from fitting even the training data.",
        "Dense(64, kernel_regularizer=L2(1e-5)), Dropout(0.1)",
        structure.less_regularised,
    ),
    Cure(
        "batches of 32",
        ("batch_too_small", "batch_too_large", "oscillating_loss"),
        "Tiny batches make steps of noise, huge ones few steps.",
        "fit(X, y, batch_size=32)",
        plan.usual_batches,
        of_plan=True,
    ),
    Cure(
        "Adam at a usual rate",
        (
            "lr_too_high", "lr_too_low", "negative_lr", "adam_epsilon", "oscillating_loss",
            "loss_increasing", "nan", "slow_convergence", "exploding_gradient",
        ),
        "Adam scales each weight's step by its gradient's size; of a few rates, the best is taken.",
        "compile(fw.optimizers.Adam(1e-3), ...)",
        plan.adam,
        of_plan=True,
    ),
    Cure(
        "more epochs",
        ("too_few_epochs", "slow_convergence", "underfitting"),
        "There were too few steps to get anywhere.",
        "fit(X, y, epochs=4 * epochs)",
        plan.longer,
        of_plan=True,
        free=True,
    ),
)  # fmt: skip

FURTHER: tuple[Cure, ...] = (
    Cure(
        "embed the ids",
        ("unscaled_inputs",),
        "Whole numbers that are names get a learned vector each: 20 is not twice 10.",
        "Sequential([Embedding(ids, 16), Flatten(), ...])",
        features.embedded,
    ),
    Cure(
        "bins of every feature",
        ("unscaled_inputs", "outliers", "sentinel_values", "underfitting"),
        "Each feature becomes functions that bend at its quantiles: ids, steps and fast waves can "
        "be followed, and far values weigh no more than others.",
        "Sequential([PiecewiseLinearEmbedding(units=8, bins=32), ...])",
        features.binned,
        "underfitting",
    ),
    Cure(
        "more units",
        ("too_narrow", "no_hidden_layer", "underfitting"),
        "Two hidden layers of 64 relu units can bend enough for most tables.",
        'Sequential([Dense(64, "relu"), Dense(64, "relu"), Dense(1)])',
        structure.wider,
        "underfitting",
    ),
    Cure(
        "4 times the epochs",
        ("too_few_epochs", "slow_convergence"),
        "The loss was still falling.",
        "fit(X, y, epochs=4 * epochs)",
        plan.much_longer,
        "underfitting",
        of_plan=True,
    ),
    Cure(
        "batch normalization",
        ("vanishing_gradient", "dying_relu", "exploding_activation", "saturation"),
        "Pre-activations of each unit have mean 0 and variance 1 in every batch.",
        'Dense(64), BatchNormalization(), Activation("relu")',
        structure.normalised,
        "underfitting",
    ),
    Cure(
        "no dropout",
        ("high_dropout", "underfitting"),
        "A network that does not fit its training data needs all its units.",
        "remove Dropout(...)",
        structure.without_dropout,
        "underfitting",
    ),
    Cure(
        "stop early",
        ("overfitting",),
        "The weights of the best validation loss are kept, not the last.",
        "fit(..., callbacks=[EarlyStopping(patience=10, restore_best_weights=True)])",
        plan.stopped_early,
        "overfitting",
    ),
    Cure(
        "dropout and weight decay",
        ("overfitting",),
        "Both keep a network from learning single examples by heart.",
        "Dense(64, kernel_regularizer=L2(1e-3)), Dropout(0.3)",
        structure.regularised,
        "overfitting",
    ),
    Cure(
        "fewer units",
        ("overfitting",),
        "A smaller network has less room for noise.",
        "Dense(16) in place of Dense(64)",
        structure.narrower,
        "overfitting",
    ),
    Cure(
        "weigh the classes",
        ("class_imbalance",),
        "A rare class counts as much as a frequent one.",
        'fit(X, y, class_weight="balanced")',
        plan.balanced,
    ),
    Cure(
        "gates",
        ("vanishing_gradient", "exploding_gradient"),
        "An LSTM adds to its state, where a SimpleRNN multiplies: what is far back is kept.",
        "LSTM(32) in place of SimpleRNN(32)",
        structure.gated,
        "underfitting",
    ),
    Cure(
        "leaky relu",
        ("dying_relu",),
        "A unit that is below 0 on all examples still has a gradient.",
        'Dense(64, activation="leaky_relu")',
        structure.leaky,
        "underfitting",
    ),
    Cure(
        "residual connections",
        ("vanishing_gradient", "too_deep"),
        "x + layer(x): the gradient reaches the first layers unchanged.",
        'x = Add()([x, Dense(64, activation="relu")(x)])',
        structure.residual,
        "underfitting",
    ),
    Cure(
        "selu",
        ("dying_relu", "vanishing_gradient"),
        "Activations keep mean 0 and variance 1 by themselves.",
        'Dense(64, activation="selu")',
        structure.self_normalised,
        "underfitting",
    ),
    Cure(
        "maxout",
        ("dying_relu",),
        "Each unit is the largest of two linear maps, and has a gradient everywhere.",
        "Maxout(64)",
        structure.maxout,
        "underfitting",
    ),
    Cure(
        "a rate that falls",
        ("oscillating_loss", "lr_too_high"),
        "Large steps first, small ones at the end.",
        "Adam(CosineDecay(3e-3, steps))",
        plan.cosine,
    ),
    Cure(
        "clip gradients",
        ("exploding_gradient", "nan"),
        "One bad batch cannot throw the weights away.",
        "Adam(1e-3, global_clipnorm=1.0)",
        plan.clipped,
        "underfitting",
    ),
)


def rate_cure(rate: float, adam: bool) -> Cure:
    """The rate that was measured to be best; `adam`: with the optimizer that goes with it."""
    codes = ("lr_too_high", "lr_too_low", "slow_convergence", "oscillating_loss", "loss_increasing")
    sentence = "Of a few rates, the one that is best from several starts."
    if not adam:
        code = f"model.learning_rate = {rate:g}"
        apply = plan.at_rate(rate)
        name = f"learning rate {rate:g}"
        return Cure(name, codes, sentence, code, apply, of_plan=True, free=True)
    return Cure(
        f"Adam at {rate:g}",
        codes,
        f"Adam scales each weight's step by its gradient's size. {sentence}",
        f"compile(fw.optimizers.Adam({rate:g}), ...)",
        plan.adam_at(rate),
        of_plan=True,
    )


def cures_for(code: str) -> tuple[Cure, ...]:
    """Those that answer a finding, the most plausible first.

    >>> [cure.name for cure in cures_for("high_dropout")]
    ['regularise less', 'no dropout']
    """
    return tuple(cure for cure in (*EVIDENT, *FURTHER) if code in cure.codes)
