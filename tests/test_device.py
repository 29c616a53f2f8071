"""Setting the process up: what the user has set stays, and a missing device is an error."""

import gc
import os
import subprocess
import sys

import jax
import pytest

from selfplay import device

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="mimalloc is a wheel for Linux here")
ALLOCATOR = ("LD_PRELOAD", "MIMALLOC_PURGE_DELAY")
VARIABLES = (
    *ALLOCATOR, "XLA_FLAGS", "JAX_COMPILATION_CACHE_DIR", "XDG_CACHE_HOME", "TF_CPP_MIN_LOG_LEVEL",
)  # fmt: skip


@pytest.fixture
def variables(monkeypatch):
    """No settings; afterwards they are as before."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return monkeypatch


@pytest.fixture
def platforms():
    """Which platforms jax may use, restored afterwards."""
    before = jax.config.jax_platforms
    yield
    jax.config.update("jax_platforms", before)


def test_the_suite_was_prepared():
    assert jax.device_count() == 2


def test_host_devices_are_added_to_the_flags(variables):
    variables.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=false")
    device.prepare(cores=3)
    flags = os.environ["XLA_FLAGS"].split()
    assert flags[:2] == [
        "--xla_cpu_enable_fast_math=false", "--xla_force_host_platform_device_count=3",
    ]  # fmt: skip


def test_by_default_every_core_is_a_device(variables):
    device.prepare()
    count = min(16, device.usable_cores())
    assert f"--xla_force_host_platform_device_count={count}" in os.environ["XLA_FLAGS"].split()
    assert 1 <= device.usable_cores() <= (os.cpu_count() or 1)


def test_garbage_is_looked_for_less_often(variables):
    before = gc.get_threshold()
    gc.set_threshold(700)
    device.prepare()
    assert gc.get_threshold()[0] == device.YOUNG > 700
    gc.set_threshold(*before)


@pytest.mark.parametrize("accelerated", [False, True])
def test_compilation_is_light_where_there_is_only_the_cpu(variables, accelerated):
    variables.setattr(device, "_accelerated", lambda: accelerated)
    device.prepare()
    light = "--xla_backend_optimization_level=1" in os.environ["XLA_FLAGS"].split()
    assert light is not accelerated


@pytest.mark.parametrize(
    ("plugins", "libtpu", "accelerated"), [([], None, False), (["cuda"], None, True), ([], 1, True)]
)
def test_an_accelerator_is_one_that_jax_may_find(variables, plugins, libtpu, accelerated):
    variables.setattr(
        device.metadata, "entry_points", lambda group: {"jax_plugins": plugins}[group]
    )
    variables.setattr(device.util, "find_spec", lambda name: {"libtpu": libtpu}[name])
    assert device._accelerated() is accelerated


def test_what_the_user_set_stays(variables):
    mine = {
        "XLA_FLAGS": "--xla_force_host_platform_device_count=5 --xla_backend_optimization_level=3",
        "JAX_COMPILATION_CACHE_DIR": "mine",
        "TF_CPP_MIN_LOG_LEVEL": "0",
    }
    for name, value in mine.items():
        variables.setenv(name, value)
    device.prepare(cores=3)
    assert {name: os.environ[name] for name in mine} == mine


def test_compiled_code_is_kept_in_the_user_s_cache(variables, tmp_path):
    variables.setenv("XDG_CACHE_HOME", str(tmp_path))
    device.prepare(cores=2)
    expected = str(tmp_path / "selfplay" / "compiled")
    assert os.environ["JAX_COMPILATION_CACHE_DIR"] == expected


@pytest.fixture
def started(variables):
    """The environments of processes that this one would have been replaced by."""
    calls = []
    variables.setattr(device.os, "execve", lambda _, words, environment: calls.append(environment))
    return calls


@ON_LINUX
def test_a_process_starts_anew_once_and_hides_how(variables, started):
    device.start_anew_with_allocator()
    (environment,) = started
    assert {name: environment[name] for name in ALLOCATOR} == device.allocator()
    for name in ALLOCATOR:
        variables.setenv(name, environment[name])
    device.start_anew_with_allocator()
    assert len(started) == 1
    assert not set(ALLOCATOR) & os.environ.keys()


@ON_LINUX
def test_a_user_may_have_preloaded_the_same_without_its_settings(variables, started):
    variables.setenv("LD_PRELOAD", device.allocator()["LD_PRELOAD"])
    device.start_anew_with_allocator()
    assert not started
    assert not set(ALLOCATOR) & os.environ.keys()


def test_what_the_user_has_preloaded_stays(variables, started):
    variables.setenv("LD_PRELOAD", "mine.so")
    variables.setenv("MIMALLOC_PURGE_DELAY", "7")
    device.start_anew_with_allocator()
    assert not started
    assert [os.environ[name] for name in ALLOCATOR] == ["mine.so", "7"]


def test_without_mimalloc_nothing_is_started(variables, started):
    def missing(name):
        raise device.metadata.PackageNotFoundError(name)

    variables.setattr(device.metadata, "distribution", missing)
    assert device.allocator() == {}
    device.start_anew_with_allocator()
    assert not started


@ON_LINUX
def test_the_allocator_is_there_and_children_know_nothing_of_it(variables):
    """Words of the command line and options of the interpreter come through."""
    code = """
import os, sys
from selfplay import device
device.start_anew_with_allocator()
child = os.popen("echo ${LD_PRELOAD:-none}").read().strip()
print(device.allocator_in_use(), child, sys.argv[1:], sys.flags.dev_mode)
"""
    words = [sys.executable, "-X", "dev", "-c", code, "a b", "--c"]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert said.strip() == "mimalloc none ['a b', '--c'] True"


def test_the_cpu_is_always_there(platforms):
    device.require("auto")
    device.require("cpu")


@pytest.mark.skipif(jax.default_backend() == "tpu", reason="this machine has what is missing")
def test_a_device_that_is_not_there_is_an_error_with_a_way_out(platforms):
    with pytest.raises(ValueError, match="device=tpu, but jax .*") as caught:
        device.require("tpu")
    assert "selfplay doctor" in str(caught.value)
    assert "--device cpu" in str(caught.value)
