"""L-BFGS: a quasi-Newton method for `batch_size="full"`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import jax
import jax.numpy as jnp

from fitwell.description import changed_fields, check_positive_int
from fitwell.errors import InvalidArgument
from fitwell.optimizers.base import Optimizer
from fitwell.schedules.base import LearningRate
from fitwell.types import Array, Params

if TYPE_CHECKING:
    import optax


class LBFGS(Optimizer):
    """w <- w - t * rate * H g: H estimates the inverse Hessian, t comes from a line search.

    H is built from the last `memory_size` moves and changes of the gradient; t satisfies the strong
    Wolfe conditions. The loss must be the same function at every step: train with
    `batch_size="full"` and without dropout.

    Args:
        learning_rate: the first trial's length, see `Optimizer`.
        memory_size: how many moves are remembered, >= 1.
        max_linesearch_steps: how often a line search evaluates the loss at most, >= 1.
        name: for the reader alone.

    Source: Nocedal & Wright 2006, algorithms 7.5 and 3.5.
    """

    learning_rate: LearningRate = 1.0
    memory_size: int = 10
    max_linesearch_steps: int = 20

    needs_value: ClassVar[bool] = True

    def validate(self) -> None:
        super().validate()
        check_positive_int(self, "memory_size", "max_linesearch_steps")
        own = ("learning_rate", "memory_size", "max_linesearch_steps", "name")
        for name, value in changed_fields(self).items():
            if name not in own:
                raise InvalidArgument(
                    "LBFGS",
                    f"only the arguments {', '.join(own)}",
                    f"{name}={value!r}",
                    "Its line search needs the gradient and the weights as they are: "
                    "leave it out, or use a first-order optimizer.",
                )

    def init(self, params: Params) -> dict[str, Any]:
        return _numbered(self._transform(1.0).init(params))

    def step(  # type: ignore[override]
        self,
        params: Params,
        grads: Params,
        state: dict[str, Any],
        learning_rate: Any,
        *,
        value: Array,
        value_fn: Callable[[Params], Array],
    ) -> tuple[Params, dict[str, Any]]:
        """Parameters and state after one step.

        Args:
            params: the parameters.
            grads: the gradient of `value_fn` there.
            state: what `init` or the last step returned.
            learning_rate: the first trial's length; may be traced.
            value: the loss at `params`.
            value_fn: the loss as a pure function of the parameters.
        """
        transform = self._transform(learning_rate)
        structure = jax.tree.structure(jax.eval_shape(transform.init, params))
        before = jax.tree.unflatten(structure, [state[str(i)] for i in range(len(state))])
        moves, after = transform.update(
            grads, before, params, value=value, grad=grads, value_fn=value_fn
        )
        return jax.tree.map(jnp.add, params, moves), _numbered(after)

    def _transform(self, learning_rate: Any) -> optax.GradientTransformationExtraArgs:
        import optax  # takes as long to import as the rest of fitwell, and only this one needs it

        search = optax.scale_by_zoom_linesearch(
            max_linesearch_steps=self.max_linesearch_steps, initial_guess_strategy="one"
        )
        return optax.lbfgs(learning_rate, self.memory_size, linesearch=search)


def _numbered(state: Any) -> dict[str, Any]:
    """The leaves of a state of optax by number, so that a file can hold them."""
    return {str(i): leaf for i, leaf in enumerate(jax.tree.leaves(state))}
