"""Which server: `weir demo --serve --bare` (the default), or with WEIR_CONTRACT=real the cluster of KUBECONFIG."""
import contextlib
import os
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest
import yaml

from server import APPLY, Server, eventually, path_of

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("WEIR_BINARY", ROOT / "build/release/weir"))
TABLE = yaml.safe_load((Path(__file__).parent / "inputs.yaml").read_text(encoding="utf-8"))
REAL = os.environ.get("WEIR_CONTRACT") == "real"
# Of the world around the in-memory server.
collect_ignore = ["test_demo.py"] if REAL else []


def pytest_report_header():
    return "server: " + (f"the real one of {os.environ.get('KUBECONFIG')}" if REAL else f"{BINARY} demo --serve --bare")


@pytest.fixture(scope="session")
def server():
    if REAL:
        yield from real_server(Server(os.environ["KUBECONFIG"]))
        return
    with demo("--bare") as served:
        yield served


@contextlib.contextmanager
def demo(*flags):
    """The server of `weir demo --serve`."""
    with subprocess.Popen([BINARY, "demo", "--serve", *flags], stdout=subprocess.PIPE, text=True) as process:
        try:
            process.stdout.readline()
            kubeconfig = process.stdout.readline().strip().partition("KUBECONFIG=")[2]
            yield Server(kubeconfig)
        finally:
            process.terminate()
            assert process.wait(timeout=10) == 0, "it does not end cleanly"
    assert not Path(kubeconfig).exists()


def real_server(server):
    """With our definitions, which go again if they were not there."""
    made = []
    for file in sorted((ROOT / "crds").glob("*.weir.dev.yaml")):
        definition = yaml.safe_load(file.read_text(encoding="utf-8"))
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{definition['metadata']['name']}"
        if server.get(path).status == 404:
            made.append(path)
        server.request("PATCH", path, definition, APPLY, fieldManager="contract", force="true")
        eventually(f"{path} is served", lambda path=path: any(
            c["type"] == "Established" and c["status"] == "True"
            for c in server.get(path).body.get("status", {}).get("conditions") or []))
    for kind in ("Release", "CanaryPolicy"):
        eventually("they are served", lambda kind=kind: server.get(path_of(kind)).status == 200)
    yield server
    for path in made:
        server.delete(path)


@pytest.fixture
def namespace(server):
    name = f"contract-{uuid.uuid4().hex[:12]}"
    server.post(path_of("Namespace"), {"metadata": {"name": name}}).ok(201)
    yield name
    server.delete(path_of("Namespace", name=name))


@pytest.fixture(scope="session")
def real_kubectl():
    if not shutil.which("kubectl") or "dispatcher" in subprocess.run(
            ["kubectl", "version", "--client"], capture_output=True, text=True, check=False).stdout:
        pytest.skip("no kubectl of the cluster's version on the PATH: hack/tools/build makes it")


@pytest.fixture
def kubectl(real_kubectl, server):
    return server.kubectl


def config_map(name, labels=None, data=None, **metadata):
    return {"metadata": {"name": name, "labels": labels or {}, **metadata}, "data": data or {"a": "1"}}


def release(name="shop", **spec):
    thing = yaml.safe_load(yaml.safe_dump(TABLE["bases"]["release"]))
    thing["metadata"] = {"name": name}
    thing["spec"].update(spec)
    return thing


def replica_set(name="web", **spec):
    """Without pods, so that nobody else writes to it for long."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": name},
            "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template, **spec}}
