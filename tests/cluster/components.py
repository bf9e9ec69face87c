"""The cluster that the stories expect, and its own components: hung up, killed and started again, as `hack/cluster` does it."""
import contextlib
import os
import subprocess
from pathlib import Path

import pytest

from waiting import eventually

PROGRAM = Path(__file__).resolve().parents[2] / "hack/cluster"


def need_cluster(variables, remedy):
    """Ends a story at once where the environment tells of no cluster for it."""
    missing = [name for name in variables if name not in os.environ]
    if missing:
        pytest.fail(f"no cluster: {', '.join(missing)} not set; run {remedy}", pytrace=False)


def cluster(*words):
    command = [PROGRAM, *words, "--id", os.environ["WEIR_CLUSTER"]]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def must(*words):
    done = cluster(*words)
    assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def hung(component):
    """It has its connections, and answers nothing."""
    must("kill", component, "STOP")
    try:
        yield
    finally:
        must("kill", component, "CONT")


@contextlib.contextmanager
def gone(component):
    """Killed; afterwards it starts from what it had written."""
    must("kill", component)
    try:
        yield
    finally:
        # The dead process stays on the books for a moment, and then there is "runs already".
        eventually(f"{component} is started", lambda: cluster("start", component).returncode == 0)
