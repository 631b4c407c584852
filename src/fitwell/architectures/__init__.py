"""Networks that papers made known, each a function that returns a model of fitwell's layers.

>>> import fitwell as fw
>>> model = fw.architectures.lenet5()
>>> model.count_params()
61706
"""

from typing import TYPE_CHECKING

from fitwell.architectures.convolutional import lenet5, vgg
from fitwell.architectures.dense import autoencoder, mlp
from fitwell.architectures.residual import resnet, resnet_cifar
from fitwell.architectures.sampling import generate
from fitwell.architectures.text import char_rnn, transformer_lm
from fitwell.errors import missing_attribute

__all__ = [
    "autoencoder",
    "char_rnn",
    "generate",
    "lenet5",
    "mlp",
    "resnet",
    "resnet_cifar",
    "transformer_lm",
    "vgg",
]

if not TYPE_CHECKING:
    __getattr__ = missing_attribute(__name__, __all__)
