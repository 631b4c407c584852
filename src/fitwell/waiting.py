"""Work that its caller can leave, so that Ctrl-C and time limits are answered while it goes on.

XLA's compiler, and a program that runs, keep the thread that called them until they have ended, and
Python answers no signal meanwhile. So they go on a thread of their own and the caller waits in
short turns. Nothing stops the work itself: what was left goes on in the background.
"""

from __future__ import annotations

import atexit
import contextvars
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, TypeVar

import jax

R = TypeVar("R")

_TURN = 0.05  # seconds between two questions whether to go on
_SHARE, _NAP = 0.02, 0.005  # of the time waited so far; seconds: what a look for a result may cost
_CTRL_C = 130  # the exit code of a process that was interrupted
_UNDER_WAY: set[Future[Any]] = set()


def begun(work: Callable[[], R]) -> Future[R]:
    """Work on a thread of its own.

    >>> begun(lambda: 2 + 3).result()
    5
    """
    done: Future[R] = Future()
    context = contextvars.copy_context()

    def run() -> None:
        try:
            done.set_result(context.run(work))
        except BaseException as error:  # whatever it is, it belongs to the caller
            done.set_exception(error)

    _UNDER_WAY.add(done)
    done.add_done_callback(_UNDER_WAY.discard)
    threading.Thread(target=run, name="fitwell", daemon=True).start()
    return done


def ended(work: Future[Any], stop: Callable[[], bool]) -> bool:
    """Waits for work to end; False as soon as `stop` says True before.

    >>> ended(begun(lambda: 5), lambda: False), ended(Future(), lambda: True)
    (True, False)
    """
    while not stop():
        if wait([work], timeout=_TURN).done:
            return True
    return work.done()


def computed(arrays: Any, stop: Callable[[], bool] = lambda: False) -> bool:
    """Waits for arrays that a program computes; False as soon as `stop` says True before.

    Looks for them with pauses, in which signals are answered: for programs that take long.
    """
    began = time.perf_counter()
    leaves = jax.tree.leaves(arrays)
    while not all(leaf.is_ready() for leaf in leaves):
        if stop():
            return False
        time.sleep(min(_SHARE * (time.perf_counter() - began), _NAP))
    return True


def leave(code: int) -> None:
    """Ends the process at once if work is under way, for a program that has nothing left to do."""
    if _UNDER_WAY:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


@atexit.register
def _wait_for_the_rest() -> None:
    """A thread that comes back from XLA to an interpreter that has ended crashes the process."""
    if not _UNDER_WAY:
        return
    try:  # from the first word on: who reads it may press Ctrl-C before the next line runs
        print("fitwell: a program is still being compiled; Ctrl-C does not wait.", file=sys.stderr)
        wait(set(_UNDER_WAY))
    except KeyboardInterrupt:
        leave(_CTRL_C)
