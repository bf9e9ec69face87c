"""Fixtures of the stories. They expect a running cluster, told by the environment of `hack/cluster env`."""
import contextlib
import json
import os
import subprocess
import time
import uuid
from pathlib import Path

import pytest

import audit
from components import need_cluster
from figures import Figures
from kube import Api, ApiError, kubectl
from operator_process import NAMESPACE, Leaders, Operator
from plugin import Plugin
from story import Shop
from waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("KUBECONFIG", "WEIR_CLUSTER", "WEIR_GATEWAY_URL", "WEIR_PROMETHEUS_URL", "WEIR_PROMETHEUS_POD_URL",
          "WEIR_AUDIT_LOG")
WEB_IMAGE = "localhost/weir-test-web:1"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}

figures_key = pytest.StashKey[Figures]()
report_key = pytest.StashKey[pytest.TestReport]()


def pytest_configure(config):
    config.stash[figures_key] = Figures()


@pytest.fixture(scope="session")
def figures(pytestconfig):
    return pytestconfig.stash[figures_key]


def pytest_terminal_summary(terminalreporter, config):
    collected = config.stash[figures_key]
    if collected.stories:
        terminalreporter.section("figures")
        for line in collected.lines():
            terminalreporter.write_line(line)
    if path := os.environ.get("WEIR_REPORT"):
        collected.write(path)


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def api():
    need_cluster(NEEDED, 'eval "$(hack/cluster env)"')
    return Api()


@pytest.fixture(scope="session")
def image():
    """The operator's. Builds and loads all images, unless WEIR_IMAGE_LOADED names one that is there."""
    if not os.environ.get("WEIR_TEST_WEB"):
        os.environ["WEIR_TEST_WEB"] = run(ROOT / "tests/cluster/build-web-image").strip()
    if loaded := os.environ.get("WEIR_IMAGE_LOADED"):
        return loaded
    built = run(ROOT / "hack/image", "--for-tests").strip()
    repository, tag = built.rsplit(":", 1)
    for name in (built, f"{repository}-checkout:{tag}", WEB_IMAGE):
        run(ROOT / "hack/cluster", "load", name, "--id", os.environ["WEIR_CLUSTER"])
    return built


@pytest.fixture(scope="session")
def binary():
    """The program as people install it as a kubectl plugin."""
    run(ROOT / "hack/dev", "build", "release", "weir")
    return ROOT / "build/release/weir"


@pytest.fixture(scope="session")
def operator(api, image):
    """The operator, installed as an administrator does it."""
    api.apply(namespace_object(NAMESPACE))
    repository, tag = image.rsplit(":", 1)
    run("helm", "install", "weir", ROOT / "charts/weir", "--namespace", NAMESPACE, "--wait", "--timeout", "120s",
        "--set", f"logLevel=debug,image.pullPolicy=Never,image.repository={repository},image.tag={tag}")
    installed = Operator(api)
    installed.wait_ready()
    begin = time.time()
    yield installed
    assert not audit.by_name(audit.denied(audit.requests(begin))), "the chart gives the operator too few rights"
    eventually("the stories' namespaces are gone", lambda: not stories(api), timeout=120)
    run("helm", "uninstall", "weir", "--namespace", NAMESPACE, "--wait")


@pytest.fixture(scope="module")
def leaders(api, operator):
    """Two replicas, one of which leads."""
    replicas = Leaders(api)
    scale(replicas, 2)
    yield replicas
    scale(replicas, 1)


def scale(replicas, count):
    run("helm", "upgrade", "weir", ROOT / "charts/weir", "--namespace", NAMESPACE, "--wait", "--timeout", "120s",
        "--reuse-values", "--set", f"replicas={count}")
    eventually(f"{count} replicas, one of which leads",
               lambda: len(replicas.pods()) == count and replicas.leader() in replicas.pods(), timeout=60)


def stories(api):
    names = [n["metadata"]["name"] for n in api.list("Namespace", "")]
    return [name for name in names if name.startswith("story-")]


def namespace_object(name):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": RESTRICTED}}


@pytest.fixture
def new_namespace(api, operator, request):
    """Makes one with each call."""
    made = []

    def make():
        made.append(f"story-{uuid.uuid4().hex[:12]}")
        api.apply(namespace_object(made[-1]))
        return made[-1]

    yield make
    report = request.node.stash.get(report_key, None)
    if report is not None and report.failed:
        for name in made:
            print_evidence(api, name)
        print("--- operator:\n" + operator.logs())
    for name in made:
        api.delete("Namespace", "", name)  # it goes while the next story runs


def has_account(name):
    return kubectl("get", "serviceaccount", "default", "-n", name, check=False).returncode == 0


@pytest.fixture
def namespace(new_namespace):
    name = new_namespace()
    eventually("the namespace's ServiceAccount", lambda: has_account(name))
    return name


@pytest.fixture(scope="session")
def plugin_folder(binary, tmp_path_factory):
    folder = tmp_path_factory.mktemp("plugin")
    for name in ("kubectl-weir", "kubectl_complete-weir"):
        (folder / name).symlink_to(binary)
    return folder


@pytest.fixture
def weir(plugin_folder, namespace):
    return Plugin(plugin_folder, namespace)


@pytest.fixture
def shop(api, namespace, tmp_path):
    with contextlib.closing(Shop(api, namespace, tmp_path, os.environ["WEIR_PROMETHEUS_POD_URL"])) as service:
        yield service


@pytest.fixture
def shops(api, new_namespace, tmp_path):
    """Makes several, each in a namespace of its own."""
    with contextlib.ExitStack() as made:
        def make(count):
            names = [new_namespace() for _ in range(count)]
            eventually("the namespaces' ServiceAccounts", lambda: all(map(has_account, names)))
            return [made.enter_context(contextlib.closing(
                Shop(api, name, tmp_path / name, os.environ["WEIR_PROMETHEUS_POD_URL"]))) for name in names]
        yield make


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == "call":
        item.stash[report_key] = outcome.get_result()


def print_evidence(api, namespace):
    for kind in ("Release", "HTTPRoute"):
        try:
            for thing in api.list(kind, namespace):
                parts = {key: thing.get(key) for key in (("spec", "status") if kind == "HTTPRoute" else ("status",))}
                print(f"--- {kind} {thing['metadata']['name']}:\n{json.dumps(parts, indent=1)}")
        except ApiError as error:
            print(f"--- {kind}: {error}")
    print("--- events:\n" + kubectl("get", "events", "-n", namespace, "--sort-by=.lastTimestamp", check=False).stdout)
    print("--- pods:\n" + kubectl("get", "replicasets,pods,endpointslices", "-n", namespace, "-o", "wide", check=False).stdout)
