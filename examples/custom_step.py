"""A training step of your own: the pure functions under `fit`, in ten lines.

python examples/custom_step.py
"""

import jax
import numpy as np

import fitwell as fw

x = np.random.default_rng(0).normal(size=(256, 2)).astype("float32")
y = x[:, :1] * x[:, 1:]
model = fw.Sequential([fw.layers.Dense(32, activation="tanh"), fw.layers.Dense(1)], seed=0)
model.build((None, 2))
network, state = model.network, model.train_state


@jax.jit
def step(params):
    def loss(params):
        values, _ = network.forward(params, state.state, [x], key=state.key, train=True)
        return ((values[-1] - y) ** 2).mean()

    value, gradient = jax.value_and_grad(loss)(params)
    return jax.tree.map(lambda w, g: w - 0.1 * g, params, gradient), value


params = state.params
for _ in range(1000):
    params, value = step(params)
model.train_state = state._replace(params=params)
print(f"loss {value:.4f}; predict agrees: {((model.predict(x) - y) ** 2).mean():.4f}")
