"""Arguments and attributes of Keras that are not here, each with what to do instead."""

from __future__ import annotations

_BEGIN_WITH_INPUT = "Begin the model with Input(shape=(4,)), the shape of one example."
_ANY_BATCH = "Write Input(shape=(4,)): every batch size works."
_LAST_AXIS = "The classes lie on the last axis: leave it out."
_MASKS = "Masking and Embedding(mask_zero=True) make masks, which go with the values: leave it out."
_ALWAYS_COMPILED = "fitwell always compiles and runs many steps per dispatch: leave it out."
_FLOAT32 = "fitwell computes in float32: leave it out."
_SET_LATER = 'Set them once the model is built: model["name"].set_weights([...]).'
_DENSE_ARRAYS = "Arrays are dense here: leave it out."
_FIXED_WEIGHTS = "A kernel is one plain array here: leave it out."
_ONE_LOOP = "There is one way to compute it here, compiled: leave it out."
_NO_RENORM = "Batch renormalization is not here: leave it out, or use GroupNormalization."
_EXACT_AREA = "The area is exact here, over all thresholds: leave it out."
_EPOCHS_ALONE = "The logs of every epoch are what is written: leave it out."
_KERNEL_AXES = "Of a kernel the last axis counts the outputs, the one before it the inputs."

CURES = {
    # Of every layer
    "input_shape": _BEGIN_WITH_INPUT,
    "batch_input_shape": _BEGIN_WITH_INPUT,
    "input_dim": _BEGIN_WITH_INPUT,
    "dtype": _FLOAT32,
    "autocast": _FLOAT32,
    "activity_regularizer": "Put ActivityRegularization(l1=..., l2=...) behind it.",
    # Of older versions
    "input_length": "The length is that of the input: leave it out.",
    "implementation": _ONE_LOOP,
    "time_major": "The batch is the first axis, time the second: leave it out.",
    "fused": _ONE_LOOP,
    "LeakyReLU.alpha": "Did you mean negative_slope?",
    "decay": "Pass a schedule: learning_rate=fitwell.schedules.InverseTimeDecay(...).",
    # Of some layers
    "seed": "The model's seed decides all random numbers: leave it out.",
    "data_format": "The channels are the last axis: leave it out.",
    "Bidirectional.weights": _SET_LATER,
    "Embedding.weights": _SET_LATER,
    "lora_rank": _FIXED_WEIGHTS,
    "lora_alpha": _FIXED_WEIGHTS,
    "quantization_config": _FIXED_WEIGHTS,
    "renorm": _NO_RENORM,
    "renorm_clipping": _NO_RENORM,
    "renorm_momentum": _NO_RENORM,
    "synchronized": "The statistics are always those of the whole batch: leave it out.",
    "sparse": _DENSE_ARRAYS,
    "ragged": _DENSE_ARRAYS,
    "tensor": "Write Input(shape=...) and pass the array to fit or predict.",
    "input_tensor": "Write Input(shape=...) and pass the array to fit or predict.",
    "InputLayer.batch_size": _ANY_BATCH,
    "InputLayer.batch_shape": _ANY_BATCH,
    "optional": "Every input is needed here: make a second model of the same layers without it.",
    "Lambda.mask": "The mask goes on as it came; a Layer with output_mask can change it.",
    "attention_axes": "Attention is along the time axis: bring it to the front with Permute.",
    "flash_attention": "XLA chooses how attention is computed: leave it out.",
    "use_gate": "Multiply the output by a gate: Multiply()([y, Dense(n, 'sigmoid')(x)]).",
    # Of a layer's call
    "training": "Dropout and noise are on in fit, off in predict; model(x, training=True) has them "
    "on. Leave it out.",
    "mask": _MASKS,
    "query_mask": _MASKS,
    "value_mask": _MASKS,
    "key_mask": _MASKS,
    "return_attention_scores": "Write it where the layer is made, not where it is called.",
    # Of compile
    "run_eagerly": _ALWAYS_COMPILED,
    "jit_compile": _ALWAYS_COMPILED,
    "steps_per_execution": _ALWAYS_COMPILED,
    "loss_scale_factor": "Gradients in float32 need no scaling of the loss: leave it out.",
    # Of metrics
    "num_thresholds": _EXACT_AREA,
    "summation_method": _EXACT_AREA,
    "AUC.thresholds": _EXACT_AREA,
    "num_labels": "The labels are counted in the data: leave it out.",
    "label_weights": "Every label weighs the same here: leave it out.",
    "top_k": "For the k best scores use TopKCategoricalAccuracy(k).",
    "num_regressors": "Adjust it by hand: 1 - (1 - R2) * (n - 1) / (n - num_regressors - 1).",
    "ignore_class": "Watch the loss itself: metrics=[SparseCategoricalCrossentropy("
    "ignore_class=...)] of fitwell.losses.",
    "CategoricalCrossentropy.axis": _LAST_AXIS,
    "SparseCategoricalCrossentropy.axis": _LAST_AXIS,
    "from_sorted_ids": "Pass scores, one for each class: leave it out.",
    # Of initializers
    "input_axes": _KERNEL_AXES,
    "output_axes": _KERNEL_AXES,
    # Of callbacks
    "double_checkpoint": "The backup is replaced in one stroke, never half: leave it out.",
    "histogram_freq": _EPOCHS_ALONE,
    "write_graph": "model.plot() draws the graph: leave it out.",
    "write_images": _EPOCHS_ALONE,
    "write_steps_per_second": _EPOCHS_ALONE,
    "update_freq": _EPOCHS_ALONE,
    "profile_batch": _EPOCHS_ALONE,
    "embeddings_freq": _EPOCHS_ALONE,
    "embeddings_metadata": _EPOCHS_ALONE,
}
"""The cure by the argument's name, or by `Class.argument` where others have it and one has not.

`tests/test_keras_signatures.py` compares it with Keras' own signatures.
"""


_PATIENCE = (
    "Lanes share one program without hooks: patience stops a lane, and monitor says by what. Leave "
    "it out, or fit the models one by one."
)

LANES = {
    "callbacks": "Lanes share one program without hooks: leave it out, or fit the models one by "
    "one.",
    "fit_many.callbacks": _PATIENCE,
    "cross_validate.callbacks": _PATIENCE,
    "doctor": "It watches one network: leave it out, and fit the model that you keep.",
    "escape_saddles": "It looks at one network: fit the models one by one, or leave it out and "
    "train more seeds, of which not all begin near the saddle.",
    "shuffle": 'The order is that of fit: leave it out, or pass batch_size="full".',
}
"""What fit takes and functions that train many networks at once do not, with the cure."""

_SYMBOLS = (
    "Build the graph with symbols: h = first(x), y = second(h), Model(x, [h, y]). Of a model's "
    'layers: Model(model.inputs, model["name"].output).'
)

ATTRIBUTES = {
    "get_config": "The arguments are its fields: dataclasses.asdict(...) gives them as a dict.",
    "input": _SYMBOLS,
    "output": _SYMBOLS,
}
"""What Keras' layers have and neither descriptions nor a model's layers have, with the cure."""

ARRAYS = ("bias", "count_params", "get_weights", "kernel", "set_weights", "weights")
"""What a model's layers have and descriptions have not."""


MODELS = {
    "train_on_batch": "fit takes a generator of batches; fitwell.training.step is one step of it.",
    "test_on_batch": "Write evaluate(x, y).",
    "predict_on_batch": "Write predict(x).",
    "fit_generator": "Write fit(generator).",
    "evaluate_generator": "Write evaluate(generator).",
    "predict_generator": "Write predict(generator).",
    "predict_classes": "Write predict(x).argmax(-1), or predict(x) > 0.5 for one unit.",
    "predict_proba": "Write predict(x).",
    "to_json": "Write save(path): one file holds the architecture and the weights.",
    "get_config": "Write save(path): one file holds the architecture and the weights.",
    "metrics": "evaluate(x, y) returns them, history.history has them for each epoch.",
    "loss": "It is an argument of compile.",
    "trainable_variables": "Write trainable_weights.",
    "variables": "Write weights.",
}
"""What Keras' models have and fitwell's have not, with the cure."""

MODULES = {
    "load_model": "Write fitwell.load(path).",
    "models": "Sequential, Model and load are in fitwell itself.",
    "datasets": "fitwell comes without data: sklearn.datasets has small sets.",
    "applications": "fitwell.architectures builds networks, without weights of others.",
    "pad_sequences": "TextVectorization pads texts; numpy.pad pads one sequence.",
    "preprocessing": "Layers do it, as a part of the model: Normalization, TextVectorization ...",
    "backend": "Write jax.numpy.",
    "random": "Draw with jax.random; fitwell.utils.set_random_seed(0) makes models repeat.",
}
"""What Keras has in its modules and fitwell elsewhere or not at all, with the cure."""


def cure_of_attribute(name: str) -> str | None:
    """What to write in place of an attribute of Keras that a description does not have.

    >>> cure_of_attribute("kernel")
    'The arrays are in the model: model["name"].kernel.'
    """
    if name in ARRAYS:
        return f'The arrays are in the model: model["name"].{name}.'
    return ATTRIBUTES.get(name)


def cure_of(subject: str, name: str) -> str | None:
    """What to write in place of an argument `name` that `subject` does not have, if it is known.

    >>> cure_of("Dense", "dtype")
    'fitwell computes in float32: leave it out.'
    """
    if subject in ("fit_many", "cross_validate", "find_learning_rate", "search"):
        return LANES.get(f"{subject}.{name}") or LANES.get(name)
    return CURES.get(f"{subject}.{name}") or CURES.get(name)
