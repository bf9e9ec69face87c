"""`weir demo --serve`: a simulated world behind the real kubectl and our own commands."""
import json
import os
import subprocess

import pytest
import yaml

from conftest import BINARY, demo
from server import eventually, path_of

POLICY = {"apiVersion": "weir.dev/v1alpha1", "kind": "CanaryPolicy", "metadata": {"name": "quick"}, "spec": {
    "steps": [{"weight": 20, "hold": "3s"}, {"weight": 100, "hold": "1s"}], "minReadySeconds": 1, "drain": "2s", "watch": "2s",
    "sources": [{"name": "prometheus", "prometheus": {"url": "http://prometheus:9090"}}],
    "objectives": [{"name": "errors", "ratio": {
        "badQuery": 'bad{service="$(service)"}', "totalQuery": 'total{service="$(service)"}', "atMost": "5%"}}],
    "judge": {"interval": "1s", "warmup": "0s"}}}
RELEASE = {"apiVersion": "weir.dev/v1alpha1", "kind": "Release", "metadata": {"name": "cart"}, "spec": {
    "replicas": 2,
    "template": {"spec": {"containers": [{"name": "app", "image": "good-1", "ports": [{"containerPort": 8080}]}]}},
    "service": {"name": "cart", "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
    "traffic": {"type": "GatewayAPI", "gatewayAPI": {"parentRefs": [{"name": "web"}]}},
    "strategy": {"type": "Canary", "canary": {"policyRef": {"name": "quick"}}}}}


@pytest.fixture(scope="module", name="world")
def served_world():
    with demo("--speed", "4") as served:
        yield served


@pytest.fixture(name="kubectl")
def kubectl_of_the_world(real_kubectl, world):
    return world.kubectl


@pytest.fixture(name="cart")
def release_of_ours(world, kubectl, request):
    """A namespace with the release, which serves."""
    name = request.function.__name__.replace("_", "-")[:40].rstrip("-")
    world.post(path_of("Namespace"), {"metadata": {"name": name}}).ok(201)
    kubectl("apply", "-n", name, "-f", "-", stdin=yaml.safe_dump_all([POLICY, RELEASE]))
    wait_for(kubectl, name, "Healthy")
    return name


def wait_for(kubectl, namespace, phase):
    kubectl("wait", "release/cart", f"--for=jsonpath={{.status.phase}}={phase}", "--timeout=40s", "-n", namespace)


def set_image(kubectl, namespace, image):
    patch = f'{{"spec":{{"images":[{{"container":"app","image":"{image}"}}]}}}}'
    kubectl("patch", "release", "cart", "--type=merge", "-p", patch, "-n", namespace)


def weir(world, *words):
    env = {**os.environ, "KUBECONFIG": world.kubeconfig, "NO_COLOR": "1"}
    return subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=60, env=env, check=False)


def stable(kubectl, namespace):
    return kubectl("get", "release", "cart", "-o", "jsonpath={.status.stable.revision}", "-n", namespace)


def test_a_shop_is_there(world, kubectl):
    kubectl("wait", "release/shop", "--for=jsonpath={.status.phase}=Healthy", "--timeout=40s")
    assert "shop" in kubectl("get", "releases") and "standard" in kubectl("get", "canarypolicies")
    assert "└─" in weir(world, "get").stdout


def test_a_bad_version_is_taken_back(world, kubectl, cart):
    good = stable(kubectl, cart)
    env = {**os.environ, "KUBECONFIG": world.kubeconfig}
    watch = ["kubectl", "get", "releases", "--watch", "--no-headers", "-n", cart]
    with subprocess.Popen(watch, stdout=subprocess.PIPE, text=True, env=env) as watching:
        try:
            assert watching.stdout.readline().split()[:2] == ["cart", "Healthy"]
            set_image(kubectl, cart, "bad-2")
            phases = []
            while "RolledBack" not in phases:
                phases.append(watching.stdout.readline().split()[1])
        finally:
            watching.terminate()
    assert phases.index("Progressing") < phases.index("RollingBack") < phases.index("RolledBack")
    assert stable(kubectl, cart) == good
    assert "requests bad, allowed 5%" in kubectl("get", "release", "cart", "-o", "jsonpath={.status.message}", "-n", cart)


def test_our_own_commands(world, kubectl, cart, tmp_path, monkeypatch):
    assert weir(world, "watch", "cart", "-n", cart, "--timeout", "30s").returncode == 0
    set_image(kubectl, cart, "bad-2")
    done = weir(world, "watch", "cart", "-n", cart, "--timeout", "30s")
    assert done.returncode == 5 and "cart Progressing" in done.stdout and "cart RolledBack" in done.stdout, done
    assert "was taken back: errors:" in weir(world, "get", "cart", "-n", cart).stdout
    explained = weir(world, "explain", "release/cart", "-n", cart).stdout
    assert "is RolledBack" in explained and "allowed 5%" in explained and 'bad{service="$(service)"}' in explained
    listed = weir(world, "list", "-A").stdout
    assert {"cart", "shop"} <= {line.split()[1] for line in listed.splitlines()}
    (tmp_path / "kubectl-weir").symlink_to(BINARY)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert kubectl("weir", "get", "cart", "-n", cart).startswith("cart  RolledBack")


def test_a_good_version_is_promoted_and_all_goes_with_the_release(world, kubectl, cart):
    first = stable(kubectl, cart)
    set_image(kubectl, cart, "good-2")
    eventually("the new version serves", lambda: stable(kubectl, cart) not in ("", first))
    wait_for(kubectl, cart, "Healthy")
    assert weir(world, "watch", "cart", "-n", cart).returncode == 0
    kubectl("delete", "release", "cart", "-n", cart)
    eventually("its children are gone", lambda: not kubectl(
        "get", "replicasets,services,httproutes,pods", "-o", "name", "-n", cart))


def test_people_steer_a_release(world, kubectl, cart):
    def ask(*words):
        return weir(world, *words, "-n", cart)

    def wait_weight(weight):
        kubectl("wait", "release/cart", f"--for=jsonpath={{.status.canary.weight}}={weight}", "--timeout=40s", "-n", cart)

    slow = {"spec": {"steps": [{"weight": 20, "hold": "5m"}, {"weight": 100, "hold": "1s"}]}}
    kubectl("patch", "canarypolicy", "quick", "--type=merge", "-p", json.dumps(slow), "-n", cart)
    first = stable(kubectl, cart)
    assert "no release is under way" in ask("promote", "cart").stderr
    set_image(kubectl, cart, "good-2")
    wait_weight(20)
    assert ask("pause", "cart").stdout.startswith("pause: Paused: paused by a request")
    refused = ask("promote", "cart")
    assert refused.returncode == 1 and "the release is paused: resume it first" in refused.stderr, refused
    assert ask("resume", "cart").returncode == 0
    assert ask("abort", "cart").returncode == 0
    wait_for(kubectl, cart, "RolledBack")
    assert "Aborted" in kubectl("get", "release", "cart", "-o", "jsonpath={.status.lastRollback.reason}", "-n", cart)
    assert ask("retry", "cart").returncode == 0
    wait_weight(20)
    assert ask("promote", "cart").returncode == 0
    wait_for(kubectl, cart, "Healthy")
    assert stable(kubectl, cart) != first
    assert ask("rollback", "cart").returncode == 0
    eventually("the first version serves again", lambda: stable(kubectl, cart) == first)
    answers = kubectl("get", "release", "cart", "-o", "jsonpath={.status.requests[*].outcome}", "-n", cart)
    assert answers.split() == ["Done"] * 5


def test_the_world_survives_what_it_does_not_understand(kubectl, cart):
    route = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "odd"}, "spec": {}}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "odd"}, "spec": {"ports": [{"port": 1}]}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "odd"}, "spec": {"containers": [{"name": "a"}]}}
    kubectl("apply", "-n", cart, "-f", "-", stdin=yaml.safe_dump_all([route, service, pod]))
    set_image(kubectl, cart, "bad-2")
    wait_for(kubectl, cart, "RolledBack")
