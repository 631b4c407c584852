"""Numbers of weights against the papers and the published models; nothing is allocated for it."""

from __future__ import annotations

import pytest

import fitwell as fw
from fitwell import tree
from fitwell.architectures.convolutional import vgg_chain
from fitwell.architectures.residual import cifar_trunk, resnet_graph
from fitwell.graph import from_symbols
from fitwell.layers import Dense, GlobalAveragePooling2D, Input
from fitwell.network import Network


def learns(network: Network) -> int:
    return tree.size(network.weight_shapes[0])


@pytest.mark.parametrize(
    ("depth", "count"),
    # torchvision.models.resnet18 ... resnet152: numbers of parameters in its documentation.
    [(18, 11_689_512), (34, 21_797_672), (50, 25_557_032), (101, 44_549_160), (152, 60_192_808)],
)
def test_resnet(depth: int, count: int) -> None:
    start, y = resnet_graph(depth, (224, 224, 3), 1000, 1)
    network = from_symbols([start], [y])
    assert learns(network) == count
    kinds = [type(node.layer).__name__ for node in network.nodes]
    blocks = {18: 8, 34: 16, 50: 16, 101: 33, 152: 50}[depth]
    assert kinds.count("Add") == blocks
    # Layers with weights on the longest way: the stem, those of the blocks, the dense layer.
    assert 2 + blocks * (2 if depth < 50 else 3) == depth


def bottlenecks(stages: tuple[int, ...]) -> int:
    """Weights of version 2 by hand, from Table 1 of the first paper and Figure 1 of the second."""
    count, ins = 7 * 7 * 3 * 64, 64
    for stage, blocks in enumerate(stages):
        channels = 64 * 2**stage
        for i in range(blocks):
            count += 2 * ins + ins * channels  # normalise, 1 x 1
            count += 2 * channels + 9 * channels * channels  # normalise, 3 x 3
            count += 2 * channels + 4 * channels * channels  # normalise, 1 x 1
            count += ins * 4 * channels if i == 0 else 0  # the projection
            ins = 4 * channels
    return count + 2 * ins + ins * 1000 + 1000


def test_resnet_version_2() -> None:
    start, y = resnet_graph(50, (224, 224, 3), 1000, 2)
    assert learns(from_symbols([start], [y])) == bottlenecks((3, 4, 6, 3)) == 25_549_352


@pytest.mark.parametrize(
    ("depth", "count", "paper"),
    # The paper's Table 6 gives millions.
    [(20, 269_722, 0.27), (32, 464_154, 0.46), (44, 658_586, 0.66), (56, 853_018, 0.85),
     (110, 1_727_962, 1.7)],
)  # fmt: skip
def test_resnet_cifar(depth: int, count: int, paper: float) -> None:
    start = Input((32, 32, 3))
    x = cifar_trunk(start, (depth - 2) // 6, 1, free=True)
    network = from_symbols([start], [Dense(10)(GlobalAveragePooling2D()(x))])
    assert learns(network) == count
    assert count / 1e6 == pytest.approx(paper, abs=0.03)


def vgg(depth: int, batch_norm: bool) -> Network:
    start = Input((224, 224, 3))
    x = start
    for layer in vgg_chain(depth, 1000, batch_norm=batch_norm, dropout=0.5):
        x = layer(x)
    return from_symbols([start], [x])


@pytest.mark.parametrize(
    ("depth", "batch_norm", "count"),
    [(11, False, 132_863_336), (16, False, 138_357_544), (19, False, 143_667_240),
     (16, True, 138_365_992)],
)  # fmt: skip
def test_vgg(depth: int, batch_norm: bool, count: int) -> None:
    assert learns(vgg(depth, batch_norm)) == count


def test_the_others() -> None:
    lenet = fw.architectures.lenet5()
    by_hand = (25 + 1) * 6 + (25 * 6 + 1) * 16 + (400 + 1) * 120 + (120 + 1) * 84 + (84 + 1) * 10
    assert lenet.count_params() == by_hand == 61_706
    mlp = fw.architectures.mlp((2,), 3, (4,), normalization=True, dropout=0.1)
    assert mlp.count_params() == 2 * 4 + 4 * 4 + 4 * 3 + 3
    rnn = fw.architectures.char_rnn(10, (6,), cell="simple", width=5, context=4)
    assert rnn.count_params() == 10 * 5 + (5 + 6 + 1) * 6 + (6 + 1) * 10
    block = 2 * 128 + 4 * 128**2 + 8 * 128**2  # nanoGPT's on the CPU: no biases
    model = fw.architectures.transformer_lm(65, use_bias=False)
    assert model.count_params() == (65 + 64) * 128 + 4 * block + 128
