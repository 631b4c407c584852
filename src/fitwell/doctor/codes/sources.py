"""Where it is written: papers and documentation that the entries refer to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A publication and where it is found."""

    what: str
    url: str


def _arxiv(number: str, what: str) -> Source:
    return Source(what, f"https://arxiv.org/abs/{number}")


EFFICIENT_BACKPROP = Source(
    "LeCun, Bottou, Orr and Müller 1998, Efficient BackProp",
    "http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf",
)
GLOROT = Source(
    "Glorot and Bengio 2010, Understanding the difficulty of training deep feedforward networks",
    "https://proceedings.mlr.press/v9/glorot10a.html",
)
DROPOUT = Source(
    "Srivastava et al. 2014, Dropout: a simple way to prevent neural networks from overfitting",
    "https://jmlr.org/papers/v15/srivastava14a.html",
)
HUBER = Source(
    "Huber 1964, Robust estimation of a location parameter",
    "https://doi.org/10.1214/aoms/1177703732",
)
GOLDBERG = Source(
    "Goldberg 1991, What every computer scientist should know about floating-point arithmetic",
    "https://doi.org/10.1145/103162.103163",
)
RECIPE = Source(
    "Karpathy 2019, A recipe for training neural networks",
    "https://karpathy.github.io/2019/04/25/recipe/",
)
PLAYBOOK = Source(
    "Godbole, Dahl, Gilmer, Shallue and Nado 2023, Deep learning tuning playbook",
    "https://github.com/google-research/tuning_playbook",
)
BOOK_UNITS = Source(
    "Goodfellow, Bengio and Courville 2016, Deep Learning, chapter 6",
    "https://www.deeplearningbook.org/contents/mlp.html",
)
BOOK_REGULARIZATION = Source(
    "Goodfellow, Bengio and Courville 2016, Deep Learning, chapter 7",
    "https://www.deeplearningbook.org/contents/regularization.html",
)
KERAS_LOSSES = Source("Keras, Losses", "https://keras.io/api/losses/")
KERAS_IMBALANCED = Source(
    "Keras, Imbalanced classification: credit card fraud detection",
    "https://keras.io/examples/structured_data/imbalanced_classification/",
)
SKLEARN_PITFALLS = Source(
    "scikit-learn, Common pitfalls and recommended practices",
    "https://scikit-learn.org/stable/common_pitfalls.html",
)
SKLEARN_IMPUTE = Source(
    "scikit-learn, Imputation of missing values",
    "https://scikit-learn.org/stable/modules/impute.html",
)
ADAM = _arxiv("1412.6980", "Kingma and Ba 2015, Adam: a method for stochastic optimization")
ADAMW = _arxiv("1711.05101", "Loshchilov and Hutter 2019, Decoupled weight decay regularization")
BATCH_NORM = _arxiv("1502.03167", "Ioffe and Szegedy 2015, Batch normalization")
HE = _arxiv("1502.01852", "He, Zhang, Ren and Sun 2015, Delving deep into rectifiers")
RESIDUAL = _arxiv("1512.03385", "He, Zhang, Ren and Sun 2016, Deep residual learning")
RECURRENT = _arxiv(
    "1211.5063",
    "Pascanu, Mikolov and Bengio 2013, On the difficulty of training recurrent neural networks",
)
LINEAR_NETS = _arxiv(
    "1312.6120",
    "Saxe, McClelland and Ganguli 2014, Exact solutions to the nonlinear dynamics of learning in "
    "deep linear neural networks",
)
DYING = _arxiv("1903.06733", "Lu, Shin, Su and Karniadakis 2019, Dying ReLU and initialization")
WIDTH = _arxiv(
    "1709.02540", "Lu et al. 2017, The expressive power of neural networks: a view from the width"
)
EDGE = _arxiv(
    "2103.00065",
    "Cohen et al. 2021, Gradient descent on neural networks typically occurs at the edge of "
    "stability",
)
RANGE_TEST = _arxiv("1506.01186", "Smith 2017, Cyclical learning rates: the range test")
NOISE_SCALE = _arxiv(
    "1812.06162", "McCandlish et al. 2018, An empirical model of large-batch training"
)
SMALL_BATCHES = _arxiv("1804.07612", "Masters and Luschi 2018, Revisiting small batch training")
LARGE_BATCHES = _arxiv("1706.02677", "Goyal et al. 2017, Accurate, large minibatch SGD")
MEMORIZING = _arxiv(
    "1611.03530",
    "Zhang et al. 2017, Understanding deep learning requires rethinking generalization",
)
NEAR_DUPLICATES = _arxiv("1902.00423", "Barz and Denzler 2020, Do we train on test data?")
LEAKAGE = _arxiv(
    "2207.07048",
    "Kapoor and Narayanan 2023, Leakage and the reproducibility crisis in machine learning",
)
TAXONOMY = _arxiv(
    "1910.11015", "Humbatova et al. 2020, Taxonomy of real faults in deep learning systems"
)
