"""All tests run offline, here and in the kernels; a notebook's cell that writes to stderr fails.

Warnings go to stderr, so a chapter that runs clean shows none to its reader.
"""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT / "tools"))

import kernels  # noqa: E402

kernels.prepare_environment()  # before any kernel starts


def _close_the_network() -> None:
    """Do in this process what the guard does in every Python that the tests start."""
    spec = importlib.util.spec_from_file_location("offline", ROOT / "tests" / "offline" / "sitecustomize.py")
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


_close_the_network()


def pytest_configure(config):
    config.option.nbval_sanitize_with = str(ROOT / "tests" / "sanitize.cfg")  # wherever pytest is called from


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    result = yield
    for output in getattr(item, "test_outputs", None) or []:
        if output.get("name") == "stderr":
            pytest.fail(f"the cell wrote to stderr:\n{output['text']}", pytrace=False)
    return result
