"""ConfigMaps and Secrets that belong to a revision: released like an image, and taken back with it."""
import base64
import subprocess

import yaml

from kube import kubectl
from story import is_serving
from waiting import eventually
from weir_objects import release, step

POLICY = {"steps": [step(25, "4s"), step(100)], "watch": "5s", "drain": "2s"}
NOTICED = 90.0  # a change of content is read within a minute


def config_release(namespace, replicas=2, **config):
    """The web container has its version and its error rate from the ConfigMap, by environment, and the file by volume."""
    body = release(namespace, "unused", replicas=replicas)
    spec = body["spec"]["template"]["spec"]
    container = spec["containers"][0]
    container["env"] = [e for e in container["env"] if e["name"] != "VERSION"]
    container["envFrom"] = [{"configMapRef": {"name": "app"}}]
    container["volumeMounts"] = [{"name": "app", "mountPath": "/etc/app", "readOnly": True}]
    spec["volumes"] = [{"name": "app", "configMap": {"name": "app"}}]
    body["spec"]["config"] = {"configMapRefs": [{"name": "app"}], **config}
    return body


def content(shop, version, **more):
    shop.api.apply({"apiVersion": "v1", "kind": "ConfigMap",
                    "metadata": {"name": "app", "namespace": shop.namespace},
                    "data": {"VERSION": version, **{k: str(v) for k, v in more.items()}}})


def start(shop, **config):
    shop.apply_policy(**POLICY)
    content(shop, "v1")
    generation = shop.api.apply(config_release(shop.namespace, **config))["metadata"]["generation"]
    return shop.wait_phase("Healthy", generation)["stable"]["revision"]


def copies(shop, kind, revision):
    return shop.api.list(kind, shop.namespace, f"weir.dev/revision={revision}")


def test_a_change_of_a_config_map_is_released_step_by_step(shop):
    stable = start(shop)
    with shop.callers(rps=50) as callers:
        content(shop, "v2")
        shop.wait("the new content is stable", lambda s: s.get("stable", {}).get("revision") not in (None, stable)
                  and s["phase"] == "Healthy", timeout=NOTICED + 60)
    assert "v2 200" in callers.outside.all.answers
    new = shop.status()["stable"]["revision"]
    assert [w.of for w in shop.steps_of(new)] == [25, 100]
    assert not callers.outside.all.failed()
    (old_copy,), (new_copy,) = copies(shop, "ConfigMap", stable), copies(shop, "ConfigMap", new)
    assert old_copy["data"]["VERSION"] == "v1" and new_copy["data"]["VERSION"] == "v2"
    assert old_copy["immutable"] and old_copy["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet"
    for pod in shop.pods(new):
        names = {pod["spec"]["volumes"][0]["configMap"]["name"],
                 pod["spec"]["containers"][0]["envFrom"][0]["configMapRef"]["name"]}
        assert names == {new_copy["metadata"]["name"]}


def test_bad_content_is_taken_back_and_stable_never_sees_it(shop):
    stable = start(shop)
    with shop.callers(rps=100) as callers:
        content(shop, "v2", ERROR_RATE=0.5)
        shop.wait("the rollback", lambda s: s.get("phase") == "RolledBack", timeout=NOTICED + 60)
        # A pod that starts now reads what its revision was made of, whatever the ConfigMap says.
        old = shop.pods(stable)
        kubectl("delete", "pod", old[0]["metadata"]["name"], "-n", shop.namespace)
        eventually("another pod of stable serves", lambda: len(
            [p for p in shop.pods(stable) if is_serving(p) and p["metadata"]["uid"] not in
             {o["metadata"]["uid"] for o in old}]) == 1, timeout=60)
    assert shop.status()["stable"]["revision"] == stable
    last = callers.outside.all.answers
    assert "v1 200" in last
    content(shop, "v1")
    eventually("the content is that of stable again", lambda: shop.status()["phase"] == "Healthy", timeout=NOTICED)
    assert shop.status()["stable"]["revision"] == stable


def test_a_config_map_that_goes_disturbs_nothing_that_runs(shop):
    stable = start(shop)
    kubectl("delete", "configmap", "app", "-n", shop.namespace)
    told = shop.wait("its absence is said", lambda s: "spec.config.configMapRefs[0].name" in s.get("message", ""),
                     timeout=NOTICED).object["status"]
    assert told["phase"] == "Healthy" and told["stable"]["revision"] == stable
    body = config_release(shop.namespace)
    body["spec"]["template"]["metadata"]["annotations"] = {"changed": "yes"}
    generation = shop.api.apply(body)["metadata"]["generation"]
    held = shop.wait("the release does not begin", lambda s: s.get("observedGeneration") == generation and any(
        c["type"] == "Stalled" and c["reason"] == "ConfigNotUsable" for c in s.get("conditions", [])))
    assert held.object["status"]["stable"]["revision"] == stable
    with shop.callers(rps=50):
        content(shop, "v1")
        shop.wait_phase("Healthy", generation, timeout=NOTICED + 60)


def test_a_secret_is_copied_once_a_role_names_it(shop, weir):
    kubectl("create", "secret", "generic", "keys", "--from-literal=token=t0p-s3cret", "-n", shop.namespace)
    shop.apply_policy(**POLICY)
    content(shop, "v1")
    body = config_release(shop.namespace, secretRefs=[{"name": "keys"}])
    pod = body["spec"]["template"]["spec"]
    pod["containers"][0]["env"].append(
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "token"}}})
    generation = shop.api.apply(body)["metadata"]["generation"]
    held = shop.wait("it is held until somebody grants it",
                     lambda s: "kubectl weir lint --rbac" in s.get("message", "")).object["status"]
    assert "spec.config.secretRefs[0].name" in held["message"] and "stable" not in held
    kubectl("apply", "-f", "-", stdin=weir("lint", "--rbac", "-", stdin=yaml.safe_dump(body)).stdout)
    stable = shop.wait_phase("Healthy", generation)["stable"]["revision"]
    found = kubectl("get", "secrets", "-n", shop.namespace, "-l", f"weir.dev/revision={stable}", "-o", "yaml")
    (copy,) = yaml.safe_load(found)["items"]
    assert copy["immutable"] and base64.b64decode(copy["data"]["token"]) == b"t0p-s3cret"
    logs = subprocess.run(["kubectl", "logs", "-n", "weir-system", "-l", "app.kubernetes.io/name=weir", "--tail=-1"],
                          capture_output=True, text=True, check=True).stdout
    status = yaml.safe_dump(shop.api.get("Release", shop.namespace, shop.name))
    for secret in ("t0p-s3cret", base64.b64encode(b"t0p-s3cret").decode()):
        assert secret not in logs and secret not in status
