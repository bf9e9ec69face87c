"""A live Deployment becomes a Release, is released, and is given back: nobody who calls it notices."""
from kube import kubectl
from story import accepted_weights, is_serving, restarts, status_of, uids
from waiting import eventually
from weir_objects import POD_SECURITY, release, web_container

RPS = 50
LABELS = {"app": "shop"}
OURS = "weir.dev/"


def deployment(namespace, version, replicas=3):
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "shop", "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": LABELS},
            "template": {
                "metadata": {"labels": LABELS},
                "spec": {"securityContext": POD_SECURITY, "containers": [web_container(VERSION=version)]},
            },
        },
    }


def service(namespace):
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "shop", "namespace": namespace},
        "spec": {"selector": LABELS, "ports": [{"port": 80, "targetPort": "http"}]},  # a port without a name
    }


def adopter(namespace, replicas=3):
    made = release(namespace, "", replicas=replicas)
    del made["spec"]["template"]
    made["spec"]["workloadRef"] = {"kind": "Deployment", "name": "shop"}
    return made


def pods(shop):
    return shop.api.list("Pod", shop.namespace, "app=shop")


def serving(shop):
    return [pod for pod in pods(shop) if is_serving(pod)]


def live(shop, kind):
    return shop.api.get(kind, shop.namespace, "shop")


def start_deployment(shop, version="v1", replicas=3):
    shop.api.create(deployment(shop.namespace, version, replicas))
    shop.api.create(service(shop.namespace))
    eventually("the Deployment's pods are ready", lambda: len(serving(shop)) == replicas, timeout=60)
    # What came before this one: with it the Deployment has more than one ReplicaSet.
    shop.api.merge("Deployment", shop.namespace, "shop", {"spec": {"template": {"metadata": {"labels": {"old": "yes"}}}}})
    kubectl("rollout", "status", "deployment/shop", "-n", shop.namespace, "--timeout=90s", timeout=100)
    shop.api.merge("Deployment", shop.namespace, "shop", {"spec": {"template": {"metadata": {"labels": {"old": None}}}}})
    kubectl("rollout", "status", "deployment/shop", "-n", shop.namespace, "--timeout=90s", timeout=100)
    eventually("its old pods are gone", lambda: len(pods(shop)) == replicas, timeout=60)


def adopt(shop, replicas=3):
    generation = shop.api.apply(adopter(shop.namespace, replicas))["metadata"]["generation"]
    return shop.wait_phase("Healthy", generation)


def give_back(shop, **query):
    shop.api.delete("Release", shop.namespace, "shop", **query)
    eventually("the Release is gone", lambda: live(shop, "Release") is None, timeout=120)


def change_image_of(shop, version):
    container = web_container(VERSION=version)
    shop.api.merge("Deployment", shop.namespace, "shop", {"spec": {"template": {"spec": {"containers": [container]}}}})


def marks_of(thing):
    meta = thing["metadata"]
    return [key for key in {**meta.get("labels", {}), **meta.get("annotations", {})} if key.startswith(OURS)]


def check_given_back(shop, before, paused=False):
    given = live(shop, "Deployment")
    sets = shop.api.list("ReplicaSet", shop.namespace, "app=shop")
    assert not marks_of(given) and given["spec"].get("paused", False) == paused
    assert live(shop, "Service")["spec"]["selector"] == LABELS and not marks_of(live(shop, "Service"))
    for owned in sets:
        assert [o["kind"] for o in owned["metadata"]["ownerReferences"]] == ["Deployment"] and not marks_of(owned)
    assert uids(serving(shop)) == uids(before), "giving back started or stopped pods"


def test_a_deployment_under_load_is_adopted_released_and_given_back(shop):
    start_deployment(shop)
    shop.apply_policy(drain="1s", watch="5s")
    before = pods(shop)
    with shop.inside(rps=RPS) as inside:
        stable = adopt(shop)["stable"]["revision"]
        assert uids(pods(shop)) == uids(before) and not sum(map(restarts, pods(shop))), "adoption started or stopped pods"
        assert live(shop, "Deployment")["spec"]["paused"] is True
        assert OURS + "revision" in live(shop, "Service")["spec"]["selector"]
        with shop.outside(rps=RPS) as outside:
            change_image_of(shop, "v2")
            canary = shop.wait("a canary", lambda s: s.get("canary")).object["status"]["canary"]["revision"]
            shop.wait("v2 is promoted", lambda s: s.get("phase") == "Healthy" and s["stable"]["revision"] == canary)
            eventually("the pods of v1 are gone", lambda: not shop.pods(stable), timeout=90)
        assert [w.of for w in shop.steps_of(canary)][:4] == [5, 25, 50, 100]
        released = serving(shop)
        give_back(shop)
        eventually("the Deployment has its pods back",
                   lambda: live(shop, "Deployment")["status"].get("updatedReplicas") == 3, timeout=60)
        check_given_back(shop, released)
    assert not outside.failed() and not inside.failed()


def test_a_release_that_is_pruned_in_the_foreground_leaves_the_pods(shop):
    """As Argo CD deletes what is no longer in Git."""
    start_deployment(shop)
    shop.apply_policy()
    with shop.inside(rps=RPS) as inside:
        adopt(shop)
        before = pods(shop)
        give_back(shop, propagationPolicy="Foreground")
        check_given_back(shop, before)
    assert not inside.failed()


def test_a_release_under_way_is_given_back_paused(shop):
    start_deployment(shop)
    shop.apply_policy(objectives=[], steps=[{"weight": 50, "hold": "600s"}, {"weight": 100}], drain="1s")
    adopt(shop)
    before = pods(shop)
    with shop.inside(rps=RPS) as inside:
        change_image_of(shop, "v2")
        shop.wait("half of the traffic", lambda s: 50 in accepted_weights(s).values())
        give_back(shop)
        check_given_back(shop, before, paused=True)
    assert not inside.failed()


def test_what_cannot_be_adopted_is_left_as_it_is(shop):
    start_deployment(shop)
    shop.apply_policy()
    shop.api.apply(adopter(shop.namespace, replicas=2))
    seen = shop.wait("too few replicas", lambda s: "spec.replicas: found 2, must be at least 3" in s.get("message", ""))
    stalled = [c for c in status_of(seen.object)["conditions"] if c["type"] == "Stalled"]
    assert [(c["status"], c["reason"]) for c in stalled] == [("True", "TooFewReplicas")]
    assert not marks_of(live(shop, "Deployment")) and not live(shop, "Deployment")["spec"].get("paused")
    assert "finalizers" not in live(shop, "Release")["metadata"]


def test_the_files_of_a_commit_adopt(shop, weir, tmp_path):
    start_deployment(shop)
    shop.apply_policy()
    folder = tmp_path / "deploy"
    weir("adopt", "deployment/shop", "-n", shop.namespace, "--policy", "standard", "--gateway", "gateways/web", "-o", folder)
    before = pods(shop)
    kubectl("apply", "-n", shop.namespace, "-f", str(folder))
    shop.wait("it serves", lambda s: s.get("phase") == "Healthy")
    assert uids(pods(shop)) == uids(before)


def test_the_reference_cannot_be_changed(shop):
    shop.apply_policy()
    shop.api.apply(adopter(shop.namespace))
    for change in ({"workloadRef": {"name": "other"}}, {"workloadRef": None, "template": release("", "v1")["spec"]["template"]}):
        reply = shop.api.request("PATCH", shop.api.own_path(adopter(shop.namespace)), {"spec": change},
                                 "application/merge-patch+json")
        assert reply.status == 422 and "cannot be added, changed or removed" in reply.body["message"], reply.body
