"""The real kubectl, as people use it, on both servers."""
import json
import subprocess
import os
import time

import yaml

from conftest import release, replica_set
from server import path_of


def text_of(*things):
    return yaml.safe_dump_all(things)


def test_apply_get_scale_delete(server, kubectl, namespace):
    in_ns = ("-n", namespace)
    assert kubectl("apply", "-f", "-", *in_ns, stdin=text_of(release())).strip() == "release.weir.dev/shop created"
    assert kubectl("apply", "-f", "-", *in_ns, stdin=text_of(release(replicas=2))).strip() == "release.weir.dev/shop configured"
    header, row = kubectl("get", "rel", *in_ns).splitlines()
    assert header.split() == ["NAME", "PHASE", "STABLE", "CANARY", "WEIGHT", "AGE"] and row.split()[0] == "shop"
    assert kubectl("get", "weir", "-o", "name", *in_ns).split() == ["release.weir.dev/shop"]
    kubectl("scale", "release/shop", "--replicas=5", *in_ns)
    assert kubectl("get", "release", "shop", "-o", "jsonpath={.spec.replicas}", *in_ns) == "5"
    kubectl("wait", "release/shop", "--for=jsonpath={.spec.replicas}=5", "--timeout=10s", *in_ns)
    kubectl("delete", "release", "shop", *in_ns)
    assert "NotFound" in kubectl("get", "release", "shop", *in_ns, check=False).stderr


def test_apply_refuses_what_the_schema_does_not_know(kubectl, namespace):
    done = kubectl("apply", "-n", namespace, "-f", "-", stdin=text_of(release(odd=1)), check=False)
    assert done.returncode != 0 and 'unknown field "spec.odd"' in done.stderr
    done = kubectl("apply", "-n", namespace, "-f", "-", stdin=text_of(release(replicas=-1)), check=False)
    assert done.returncode != 0 and "spec.replicas" in done.stderr


def test_server_side_apply_and_its_conflicts(kubectl, namespace):
    apply = ("apply", "--server-side", "-n", namespace, "-f", "-")
    assert "serverside-applied" in kubectl(*apply, "--field-manager=one", stdin=text_of(release(replicas=2)))
    done = kubectl(*apply, "--field-manager=two", stdin=text_of(release(replicas=3)), check=False)
    assert done.returncode != 0 and 'conflict with "one"' in done.stderr and ".spec.replicas" in done.stderr
    kubectl(*apply, "--field-manager=two", "--force-conflicts", stdin=text_of(release(replicas=3)))


def test_from_client_side_to_server_side(kubectl, namespace):
    kubectl("apply", "-n", namespace, "-f", "-", stdin=text_of(release(replicas=2)))
    done = kubectl("apply", "--server-side", "-n", namespace, "-f", "-", stdin=text_of(release(replicas=3)), check=False)
    assert done.returncode == 0 and "rejected" not in done.stderr, done.stderr
    assert kubectl("get", "release", "shop", "-n", namespace, "-o", "jsonpath={.spec.replicas}") == "3"


def test_built_in_kinds_are_applied_too(kubectl, namespace):
    apply = ("apply", "-n", namespace, "-f", "-")
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
               "spec": {"ports": [{"name": "a", "port": 80}], "selector": {"app": "web"}}}
    kubectl(*apply, stdin=text_of(service, replica_set()))
    service["spec"]["ports"].append({"name": "b", "port": 81})
    assert "service/web configured" in kubectl(*apply, stdin=text_of(service, replica_set()))
    ports = kubectl("get", "service", "web", "-n", namespace, "-o", "jsonpath={.spec.ports[*].name}")
    assert sorted(ports.split()) == ["a", "b"]
    kubectl("scale", "rs/web", "--replicas=0", "-n", namespace)
    assert {"service/web", "replicaset.apps/web"} <= set(kubectl("get", "all", "-n", namespace, "-o", "name").split())


def test_labels_patches_and_edits(kubectl, namespace):
    kubectl("apply", "-n", namespace, "-f", "-", stdin=text_of(release()))
    kubectl("label", "release", "shop", "team=web", "-n", namespace)
    kubectl("annotate", "release", "shop", "note=x", "-n", namespace)
    kubectl("patch", "release", "shop", "--type=merge", "-p", '{"spec":{"replicas":4}}', "-n", namespace)
    kubectl("patch", "release", "shop", "--type=json", "-n", namespace,
            "-p", '[{"op":"test","path":"/spec/replicas","value":4},{"op":"replace","path":"/spec/replicas","value":6}]')
    kubectl("patch", "release", "shop", "--subresource=status", "--type=merge", "-p", '{"status":{"phase":"Healthy"}}', "-n", namespace)
    shop = json.loads(kubectl("get", "release", "shop", "-o", "json", "-n", namespace))
    assert shop["metadata"]["labels"] == {"team": "web"} and shop["metadata"]["annotations"]["note"] == "x"
    assert shop["spec"]["replicas"] == 6 and shop["status"]["phase"] == "Healthy"
    # What an editor does: the whole object comes back.
    shop["spec"]["replicas"] = 7
    kubectl("replace", "-n", namespace, "-f", "-", stdin=json.dumps(shop))
    done = kubectl("replace", "-n", namespace, "-f", "-", stdin=json.dumps(shop), check=False)
    assert done.returncode != 0 and "the object has been modified" in done.stderr
    assert kubectl("get", "release", "-l", "team=web", "-o", "name", "-n", namespace).strip() == "release.weir.dev/shop"


def test_get_watch_prints_each_change(server, kubectl, namespace):
    path = path_of("Release", namespace)
    server.post(path, release()).ok(201)
    env = {**os.environ, "KUBECONFIG": str(server.kubeconfig)}
    command = ["kubectl", "get", "rel", "-w", "-n", namespace]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as watching:
        try:
            assert watching.stdout.readline().startswith("NAME") and watching.stdout.readline().startswith("shop")
            time.sleep(0.5)  # its watch begins after its list
            for phase in ("Progressing", "Healthy"):
                server.merge(f"{path}/shop/status", {"status": {"phase": phase}}).ok()
                assert watching.stdout.readline().split()[:2] == ["shop", phase]
        finally:
            watching.terminate()


def test_wait_for_a_condition_and_for_the_end(server, kubectl, namespace):
    path = path_of("CanaryPolicy", namespace)
    server.post(path, {"apiVersion": "weir.dev/v1alpha1", "kind": "CanaryPolicy", "metadata": {"name": "p"}, "spec": {}}).ok(201)
    env = {**os.environ, "KUBECONFIG": str(server.kubeconfig)}

    def waiting(what):
        return subprocess.Popen(["kubectl", "wait", "cpol/p", f"--for={what}", "--timeout=20s", "-n", namespace],
                                stdout=subprocess.PIPE, text=True, env=env)

    ready = {"type": "Ready", "status": "True", "reason": "R", "message": "m", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    with waiting("condition=Ready") as process:
        time.sleep(0.5)
        server.merge(f"{path}/p/status", {"status": {"conditions": [ready]}}).ok()
        assert process.wait(timeout=20) == 0
    with waiting("delete") as process:
        time.sleep(0.5)
        server.delete(f"{path}/p").ok()
        assert process.wait(timeout=20) == 0
