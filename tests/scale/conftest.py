"""Fixtures of the stories of many releases. They expect a cluster without a node: hack/scale starts one and runs them."""
import os
import signal
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cluster"))

import local_operator  # noqa: E402 (the path must be set first)
from components import need_cluster  # noqa: E402
from figures import Figures  # noqa: E402
from fleet import Fleet, KeptApi  # noqa: E402
from local_operator import LocalOperator  # noqa: E402
from stub_prometheus import StubPrometheus  # noqa: E402

NEEDED = ("KUBECONFIG", "WEIR_AUDIT_LOG", "WEIR_BINARY")
figures_key = pytest.StashKey[Figures]()


def pytest_configure(config):
    config.stash[figures_key] = Figures()
    # As hack/scale ends us when it is ended: fixtures must end what they started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def figures(pytestconfig):
    return pytestconfig.stash[figures_key]


def pytest_terminal_summary(terminalreporter, config):
    for line in config.stash[figures_key].lines():
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def api():
    need_cluster(NEEDED, "hack/scale")
    return KeptApi()


@pytest.fixture(scope="session")
def operator(api, tmp_path_factory):
    local_operator.install(api)
    folder = tmp_path_factory.mktemp("operator")
    local_operator.write_kubeconfig(api, folder / "kubeconfig")
    process = LocalOperator(os.environ["WEIR_BINARY"], folder / "kubeconfig", folder)
    process.start()
    process.wait_ready()
    yield process
    process.stop()
    print(f"--- the end of the operator's log:\n{process.log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def stub():
    server = StubPrometheus(local_operator.free_port())
    yield server
    server.stop()


@pytest.fixture
def fleet(api, operator, stub):
    releases = Fleet(api, f"scale-{time.time_ns() % 10**9}", stub.url)
    yield releases
    releases.close()
