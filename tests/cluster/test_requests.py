"""What people ask of a live Release, and who may ask it."""
import time

import pytest
import yaml

from kube import kubectl
from plugin import FAILED, NOT_FOUND
from waiting import eventually
from weir_objects import step

def answers(shop):
    return [(request["request"].split(":")[0], request["outcome"]) for request in reversed(shop.status()["requests"])]


def request_id():
    return f"n{time.time_ns():x}@{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}"


def annotate(shop, request, *words, by=None):
    marks = [f"weir.dev/request={request}", f"weir.dev/request-id={request_id()}"]
    if by is not None:
        marks.append(f"weir.dev/requested-by={by}")
    return kubectl("annotate", "--overwrite", "release", shop.name, *marks, "-n", shop.namespace, *words, check=False)


@pytest.fixture(name="bob")
def somebody_who_may_change_releases(shop):
    """And nothing more; `may` gives him verbs."""
    def may(*verbs):
        rule = {"apiGroups": ["weir.dev"], "resources": ["releases"], "verbs": ["get", "list", "patch", "update", *verbs]}
        meta = {"name": "bob", "namespace": shop.namespace}
        version, group = "rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io"
        role = {"apiVersion": version, "kind": "Role", "metadata": meta, "rules": [rule]}
        binding = {"apiVersion": version, "kind": "RoleBinding", "metadata": meta,
                   "roleRef": {"apiGroup": group, "kind": "Role", "name": "bob"},
                   "subjects": [{"apiGroup": group, "kind": "User", "name": "bob"}]}
        kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([role, binding]))
    may()
    return may


def test_people_steer_a_release_and_it_costs_no_request(shop, weir):
    shop.apply_policy(steps=[step(25, "600s"), step(100)], objectives=[], drain="1s", watch="1s")
    stable = shop.start("v1", replicas=2)
    with shop.callers(rps=50) as callers:
        generation = shop.apply("v2", replicas=2)
        canary = shop.canary_revision(generation)
        shop.wait_accepted(canary, 25)
        assert "paused by a request" in weir.out("pause", "shop")
        assert "resume it first" in weir("promote", "shop", "-n", shop.namespace, code=FAILED).stderr
        weir.out("resume", "shop")
        weir.out("abort", "shop")
        final = shop.wait_phase("RolledBack", generation)
        assert final["lastRollback"]["reason"] == "Aborted" and final["stable"]["revision"] == stable
        assert "aborted by " in weir.out("explain", "release/shop")
        weir.out("retry", "shop")
        eventually("it has 25 % again, accepted", lambda: shop.status().get("canary", {}).get("since"))
        weir.out("promote", "shop")
        assert shop.wait_phase("Healthy", generation)["stable"]["revision"] == canary
        weir.out("rollback", "shop", "--to", stable)
        back = shop.wait_phase("RolledBack", generation)
        assert back["stable"]["revision"] == stable
    assert answers(shop) == [(verb, "Done") for verb in ("resume", "abort", "retry", "promote", "rollback")]
    assert shop.status()["requests"][0]["by"]
    assert not callers.outside.all.failed() and not callers.inside.all.failed()


def test_who_asks_is_who_they_say_and_may(shop, weir, bob):
    shop.apply_policy(steps=[step(25, "600s"), step(100)], objectives=[], drain="1s")
    shop.start("v1", replicas=2)
    generation = shop.apply("v2", replicas=2)
    canary = shop.canary_revision(generation)
    shop.wait_accepted(canary, 25)
    for by in (None, "alice"):
        assert "requested-by must be the name of who asks, which is bob" in annotate(
            shop, f"abort:{canary}", "--as=bob", by=by).stderr
    assert "bob may not abort the release shop" in annotate(shop, f"abort:{canary}", "--as=bob", by="bob").stderr
    bob("promote")
    assert "bob may not abort" in annotate(shop, f"abort:{canary}", "--as=bob", by="bob").stderr
    bob("abort")
    eventually("he may", lambda: annotate(shop, f"abort:{canary}", "--as=bob", by="bob").returncode == 0)
    shop.wait_phase("RolledBack", generation)
    assert shop.status()["requests"][0]["by"] == "bob"
    # Other changes of the object are none of its business, and the answered request may stay.
    other = kubectl("annotate", "release", shop.name, "team=a", "-n", shop.namespace, "--as=bob", check=False)
    assert other.returncode == 0, other.stderr
    weir("retry", "nothing", "-n", shop.namespace, code=NOT_FOUND)


def test_editors_may_steer_and_viewers_may_look(shop):
    def can(who, verb):
        return kubectl("auth", "can-i", verb, "releases.weir.dev/shop", "-n", shop.namespace, f"--as={who}", check=False).stdout.strip()

    for role in ("edit", "view"):
        kubectl("create", "rolebinding", role, f"--clusterrole={role}", f"--user={role}or", "-n", shop.namespace)
    eventually("editors may abort", lambda: can("editor", "abort") == "yes")
    eventually("viewers may look", lambda: can("viewor", "get") == "yes")
    assert can("viewor", "abort") == can("viewor", "patch") == "no"


def test_nobody_but_weir_tells_how_things_are(shop):
    shop.apply_policy(steps=[step(100)], objectives=[])
    shop.start("v1", replicas=1)
    done = kubectl("patch", "release", shop.name, "-n", shop.namespace, "--subresource=status", "--type=merge", "-p",
                   '{"status":{"phase":"Healthy","message":"trust me"}}', check=False)
    assert done.returncode != 0 and "only Weir writes the status of its objects" in done.stderr
