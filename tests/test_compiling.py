"""What is compiled is right, and the folder of compiled code is safe."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental.compilation_cache import compilation_cache

import fitwell as fw
from fitwell import compiling
from fitwell.layers import Dense

pytestmark = pytest.mark.optimized  # what is timed, read as XLA's text or run for long


def run(code: str, folder: Path, *, umask: int = 0o022, **environment: str) -> Any:
    """The JSON that a fresh process prints; its home is `folder`, its cache not ours."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("JAX_", "XLA_", "XDG_"))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, "HOME": str(folder), "JAX_PLATFORMS": "cpu", **environment},
        capture_output=True,
        text=True,
        check=True,
        umask=umask,
    )
    return json.loads(done.stdout)


def test_the_sum_that_jaxlib_gets_wrong_comes_out_right() -> None:
    """jax issue 39103: the last of them is 1065369600 with the default options of jaxlib 0.10.2."""
    n = 32769
    rows = np.zeros((n, 3), np.float32)
    rows[:, 0] = np.arange(n)

    def squared_lengths(rows: Any) -> Any:
        return jax.vmap(lambda r: jnp.sum((jnp.eye(3) @ r) ** 2))(rows)

    got = compiling.compile(squared_lengths)(rows)
    np.testing.assert_array_equal(got, rows[:, 0] ** 2)
    assert float(got[-1]) == 1073741824


OFTEN: dict[str, Any] = {"xla_cpu_experimental_ynn_fusion_type": ""}
ONCE = OFTEN | {"xla_backend_optimization_level": 1, "xla_cpu_use_fusion_emitters": False}


def test_a_program_that_runs_once_draws_the_same_bits() -> None:
    def draw(key: Any) -> Any:
        return jax.random.normal(key, (20, 30)), jax.random.uniform(key, (50,), minval=-2.0)

    key = jax.random.key(3)
    once = jax.jit(draw, compiler_options=ONCE)(key)
    for a, b in zip(compiling.compile(draw)(key), once, strict=True):
        np.testing.assert_array_equal(a, b)


FLAGS = """
import json, os
from fitwell import compiling
found = [compiling.options(), compiling.options(once=True), os.environ.get("XLA_FLAGS")]
print(json.dumps(found))
"""


@pytest.mark.parametrize("flags", ["--xla_cpu_experimental_ynn_fusion_type=", None])
def test_a_users_flags_are_not_overwritten(tmp_path: Path, flags: str | None) -> None:
    ours, once, after = run(FLAGS, tmp_path, **({"XLA_FLAGS": flags} if flags else {}))
    assert after == flags
    assert (ours, once) == ((None, None) if flags else (OFTEN, ONCE))


CACHE = """
import json, jax
from fitwell import compiling
compiling.compile(lambda x: x + 1)(1.0).block_until_ready()
folder = compiling.use_disk_cache()
print(json.dumps({
    "folder": folder and str(folder),
    "jax": jax.config.values["jax_compilation_cache_dir"],
    "mode": folder and oct(folder.stat().st_mode & 0o777),
    "files": folder and len(list(folder.iterdir())),
}))
"""
VERSIONS = f"xla-{jax.__version__}-{jax.lib.__version__}"
DIRECTORY = "jax_compilation_cache_dir"
CONFIGURED = (
    DIRECTORY,
    "jax_persistent_cache_min_compile_time_secs",
    "jax_persistent_cache_min_entry_size_bytes",
)


@pytest.mark.parametrize("umask", [0o022, 0o000])
def test_compiled_code_lies_in_a_folder_of_the_users_own(tmp_path: Path, umask: int) -> None:
    found = run(CACHE, tmp_path, umask=umask)
    assert found["folder"] == str(tmp_path / ".cache" / "fitwell" / VERSIONS)
    assert found["jax"] == found["folder"]
    assert found["mode"] == "0o700"
    assert found["files"] > 0


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's home; this process is as one that has compiled nothing yet."""
    ours = {name: jax.config.values[name] for name in CONFIGURED}
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(fw.settings, "cache_folder", None)
    begin({DIRECTORY: None})
    yield tmp_path
    begin(ours)


def begin(configuration: dict[str, Any]) -> None:
    for name, value in configuration.items():
        jax.config.update(name, value)
    compiling.use_disk_cache.cache_clear()
    compilation_cache.reset_cache()


def folder_used() -> Path | None:
    """Where a program that is compiled now is kept; None if it is not."""
    compiling.compile(lambda x: x + 1)(1.0).block_until_ready()
    return compiling.use_disk_cache()


def test_the_folder_can_be_chosen(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "xdg"))
    assert folder_used() == home / "xdg" / "fitwell" / VERSIONS
    begin({DIRECTORY: None})
    monkeypatch.setattr(fw.settings, "cache_folder", home / "own")
    folder = folder_used()
    assert folder == home / "own" / VERSIONS
    assert jax.config.values[DIRECTORY] == str(folder)
    assert list(folder.iterdir())


def others(home: Path, mode: int) -> Path:
    """The folder is there, open to others."""
    target = home / ".cache" / "fitwell" / VERSIONS
    target.mkdir(parents=True)
    target.chmod(mode)
    return target


def owned_by_another(home: Path, patch: pytest.MonkeyPatch) -> None:
    others(home, 0o700)
    me = os.getuid()
    patch.setattr(os, "getuid", lambda: me + 1)


OFF: dict[str, Callable[[Path, pytest.MonkeyPatch], object]] = {
    "switched off": lambda _, patch: patch.setattr(fw.settings, "compile_cache", False),
    "writable by others": lambda home, _: others(home, 0o707),
    "writable by the group": lambda home, _: others(home, 0o770),
    "owned by another": owned_by_another,
    "not a folder": lambda home, _: (home / ".cache").touch(),
}


@pytest.mark.parametrize("case", OFF)
def test_no_folder_is_used(home: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    OFF[case](home, monkeypatch)
    assert (folder_used(), jax.config.values[DIRECTORY]) == (None, None)
    assert not list(home.glob(".cache/fitwell/*/*"))


def test_what_was_not_used_for_longest_goes_once_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling, "_MOST_BYTES", 250)
    now = time.time()
    for age, name in enumerate(("xla-1/new", "xla-2/used", "xla-1/old", "xla-0/oldest")):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(bytes(100))
        os.utime(file, (now - 1000 * age, now - 5000))  # used so long ago, made 5000 s ago
    compiling._prune(tmp_path)
    left = sorted(str(f.relative_to(tmp_path)) for f in tmp_path.glob("xla-*/*"))
    assert left == ["xla-1/new", "xla-2/used"]
    (tmp_path / "xla-1" / "more").write_bytes(bytes(1000))
    compiling._prune(tmp_path)  # looked at a moment ago
    assert (tmp_path / "xla-1" / "more").exists()
    os.utime(tmp_path / "pruned", (now - 90_000, now - 90_000))
    compiling._prune(tmp_path)
    assert not (tmp_path / "xla-1" / "more").exists()


def test_a_folder_readable_by_others_is_closed(home: Path) -> None:
    folder = others(home, 0o755)
    assert folder_used() == folder
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_users_own_cache_is_left_alone(home: Path) -> None:
    own = str(home / "mine")
    found = run(CACHE, home, JAX_COMPILATION_CACHE_DIR=own)
    assert (found["folder"], found["jax"]) == (None, own)
    begin({DIRECTORY: own})
    assert (folder_used(), jax.config.values[DIRECTORY]) == (None, own)
    assert not (home / ".cache").exists()


def test_programs_are_found_by_value_and_the_oldest_is_let_go() -> None:
    built: list[Any] = []

    @compiling.program(maxsize=2)
    def build(layer: Dense) -> Any:
        built.append(layer)
        return compiling.compile(lambda x: x * layer.units)

    first = build(Dense(2, activation="relu"))
    assert build(Dense(units=2, activation="relu")) is first
    assert build(Dense(3)) is not first
    assert len(built) == 2
    assert float(first(5.0)) == 10.0
    build(Dense(4))
    assert build(Dense(2, activation="relu")) is not first


def test_a_second_call_compiles_nothing() -> None:
    traced: list[int] = []

    def function(x: Any) -> Any:
        traced.append(1)
        return x + 1

    compiled = compiling.compile(function)
    assert [float(compiled(np.float32(v))) for v in (1, 2, 3)] == [2, 3, 4]
    assert len(traced) == 1


def test_donated_memory_is_taken_and_static_arguments_are_values() -> None:
    x = jnp.arange(4.0)
    donated = compiling.compile(lambda a, n: a * n, donate=(0,), static=(1,))
    np.testing.assert_array_equal(donated(x, 3), [0, 3, 6, 9])
    assert x.is_deleted()


def test_a_unit_is_computed_once() -> None:
    """A sum of four products with three readers: without a unit XLA repeats it in each of them."""
    factors = np.array([1.5, -2.0, 3.0, 0.5], np.float32)

    def products(x: Any) -> Any:
        return sum(factors[i] * x[i : i + 97] for i in range(4))

    def read(step: Any) -> Any:
        def readers(x: Any) -> Any:
            y = step(x)
            return y + 1, y[::-1] - 3, jnp.maximum(y, 0)

        return jax.jit(readers)

    def multiplications(program: Any) -> int:
        return len(re.findall(r" multiply\(", program.lower(x).compile().as_text()))

    x = np.random.default_rng(0).normal(size=100).astype(np.float32)
    unit = read(compiling.unit(products))
    assert multiplications(unit) == 4
    wanted = np.convolve(x, factors[::-1], mode="valid")
    np.testing.assert_allclose(unit(x)[0], wanted + 1, rtol=1e-4, atol=1e-5)

    def slope(step: Any) -> Any:
        return jax.vmap(jax.grad(lambda x: jnp.sum(jnp.sin(step(x)))))

    lanes = np.stack([x, 2 * x])
    np.testing.assert_allclose(
        slope(compiling.unit(products))(lanes), slope(products)(lanes), rtol=1e-5, atol=1e-5
    )


def test_one_device_takes_all() -> None:
    batches = {"x": np.zeros((3, 4, 2)), "mask": np.ones((3, 4))}
    assert compiling.shard(batches) is batches


QUICKLY: dict[str, Any] = {
    "xla_backend_optimization_level": 0,
    "xla_cpu_use_fusion_emitters": False,
}
TRAIN = (
    f"from fitwell import compiling; compiling._CPU_OPTIONS |= {QUICKLY}"
    + """
import json, jax, numpy as np
import fitwell as fw
x = np.random.default_rng(0).normal(size=(88, 5)).astype("float32")
y = (x[:, :1] * x[:, 1:2] > 0).astype("float32")
model = fw.Sequential([fw.layers.Dense(8, "tanh"), fw.layers.Dense(1, "sigmoid")], seed=3)
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
logs = model.fit(x, y, epochs=4, batch_size=16, verbose=0, validation_data=(x, y)).history
spread = compiling.shard({"x": np.zeros((2, 4, 3))})["x"]
print(json.dumps({
    "devices": len(jax.devices()),
    "pieces": len(getattr(spread, "addressable_shards", [0])),
    "weights": [w.tolist() for w in model.get_weights()],
    "logs": logs,
    "predicted": model.predict(x[:7]).tolist(),
    "odd": model.evaluate(x, y, batch_size=7),
}))
"""
)


def test_two_devices_train_to_the_same_numbers_as_one(tmp_path: Path) -> None:
    one = run(TRAIN, tmp_path)
    two = run(TRAIN, tmp_path, XLA_FLAGS="--xla_force_host_platform_device_count=2")
    assert (one["devices"], two["devices"]) == (1, 2)
    assert (one["pieces"], two["pieces"]) == (1, 2)
    for part in ("weights", "logs", "predicted", "odd"):
        a, b = jax.tree.flatten(one[part])[0], jax.tree.flatten(two[part])[0]
        np.testing.assert_allclose(a, b, atol=1e-6, rtol=1e-6)


def test_an_equal_model_compiles_nothing_new() -> None:
    from fitwell.programs import train_program

    def fit() -> list[Any]:
        model = fw.Sequential([Dense(3, "relu"), Dense(1)], seed=1)
        model.compile(loss="mse")
        model.fit(np.ones((8, 2)), np.ones((8, 1)), verbose=0)
        return model.get_weights()

    first = fit()
    before = train_program.cache_info()  # type: ignore[attr-defined]
    second = fit()
    after = train_program.cache_info()  # type: ignore[attr-defined]
    assert (after.misses - before.misses, after.hits - before.hits) == (0, 1)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
