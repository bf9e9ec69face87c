"""What somebody else does to the children of a Release: put right by the next pass, with no more writes than it takes."""
import re
import time
from collections import Counter

import audit
from kube import kubectl
from operator_process import NAMESPACE
from story import accepted_weights, is_serving, route_weights
from waiting import eventually
from weir_objects import step

RPS = 50
SETTLE = 1.5  # s in which the operator would go on writing if it had not come to rest


class Hand:
    """Somebody else's: does something to a child, and sees what it takes the operator to put it right."""

    def __init__(self, shop, figures):
        self.shop, self.figures = shop, figures

    def does(self, what, edit, is_right):
        """The writes to children that followed, by name. Status may tell of it as often as something new is to be told."""
        begin = time.time()
        edit()
        eventually(f"{what}: put right", is_right, timeout=60, interval=0.05)
        time.sleep(SETTLE)
        writes = [e for e in audit.requests(begin, self.shop.namespace) if e["verb"] in audit.WRITES]
        of_children = [e for e in writes if e["objectRef"]["resource"] not in ("events", "releases")]
        of_status = sum(e["objectRef"]["resource"] == "releases" for e in writes)
        names = [audit.name(e) for e in sorted(of_children, key=audit.received)]
        seconds = round(audit.received(of_children[0]) - begin, 2)
        self.figures.add("foreign edits", **{what: f"{seconds} s until {' and '.join(names)}, {of_status} x status"})
        return names


def counted(operator):
    """"HTTPRoute edited" → how many the operator has counted."""
    pod = operator.pod()["metadata"]["name"]
    text = kubectl("get", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}:8080/proxy/metrics")
    found = re.findall(r'^weir_foreign_edits_total\{kind="(\w+)",what="(\w+)"\} (\d+)', text, re.MULTILINE)
    return Counter({f"{kind} {what}": int(count) for kind, what, count in found})


def weigh(shop, first, second):
    """Gives the first of two revisions everything; as a person's editor does it, weights only."""
    rules = shop.api.get("HTTPRoute", shop.namespace, shop.name)["spec"]["rules"]
    for ref in rules[0]["backendRefs"]:
        ref["weight"] = {f"{shop.name}-{first}": 100, f"{shop.name}-{second}": 0}[ref["name"]]
    shop.api.merge("HTTPRoute", shop.namespace, shop.name, {"spec": {"rules": rules}})


def resize(shop, revision, count):
    shop.api.merge("ReplicaSet", shop.namespace, f"{shop.name}-{revision}", {"spec": {"replicas": count}})


def weights(shop):
    route = shop.api.get("HTTPRoute", shop.namespace, shop.name)
    return route and route_weights(route, shop.name)


def size(shop, revision):
    thing = shop.api.get("ReplicaSet", shop.namespace, f"{shop.name}-{revision}")
    return thing and thing["spec"]["replicas"]


def is_there(shop, kind, name):
    thing = shop.api.get(kind, shop.namespace, name)
    return thing is not None and "deletionTimestamp" not in thing["metadata"]


def test_edits_in_the_middle_of_a_step_that_cost_no_request(shop, operator, figures):
    before = counted(operator)
    shop.apply_policy(steps=[step(50, "600s"), step(100)], objectives=[], drain="1s")
    stable = shop.start("v1", replicas=4)
    hand = Hand(shop, figures)
    with shop.callers(rps=RPS) as callers:
        generation = shop.apply("v2", replicas=4)
        canary = shop.canary_revision(generation)
        shop.wait_accepted(canary, 50)
        assert hand.does("everything to the canary", lambda: weigh(shop, canary, stable),
                         lambda: weights(shop) == {stable: 50, canary: 50}) == ["patch httproutes"]
        assert hand.does("stable has fewer pods", lambda: resize(shop, stable, 2),
                         lambda: size(shop, stable) == 4) == ["patch replicasets"]
        eventually("stable is whole again", lambda: sum(map(is_serving, shop.pods(stable))) == 4, timeout=60)
        assert accepted_weights(shop.status()) == {stable: 50, canary: 50}
        assert [w.of for w in shop.steps_of(canary)] == [50, 100, 50], "the step was lost"
    assert not callers.outside.all.failed() and not callers.inside.all.failed()
    assert not callers.stream[-1].get("broken")
    assert counted(operator) - before == {"HTTPRoute edited": 1, "ReplicaSet edited": 1}


def test_children_that_are_deleted_or_edited_come_back(shop, operator, figures):
    before = counted(operator)
    shop.apply_policy(steps=[step(100)], objectives=[], drain="1s")
    stable = shop.start("v1", replicas=2)
    own = f"{shop.name}-{stable}"
    hand = Hand(shop, figures)

    def deletes(kind, name, then=lambda: True):
        return hand.does(f"deletes the {kind} {name.replace(stable, 'REVISION')}", lambda: shop.api.delete(kind, shop.namespace, name),
                         lambda: is_there(shop, kind, name) and then())

    assert hand.does("more pods", lambda: resize(shop, stable, 4), lambda: size(shop, stable) == 2) == ["patch replicasets"]
    assert deletes("Service", shop.name) == ["create services"]
    assert deletes("Service", own) == ["create services"]
    assert deletes("HTTPRoute", shop.name, lambda: weights(shop) == {stable: 100}) == ["create httproutes"]
    assert deletes("ReplicaSet", own, lambda: size(shop, stable) == 2) == ["create replicasets"]
    eventually("it is whole again", lambda: sum(map(is_serving, shop.pods(stable))) == 2, timeout=60)
    final = eventually("status says so", lambda: (s := shop.status())["phase"] == "Healthy" and s, timeout=30)
    assert final["stable"] == {"revision": stable, "replicas": 2, "ready": 2}
    assert counted(operator) - before == {
        "ReplicaSet edited": 1, "Service deleted": 2, "HTTPRoute deleted": 1, "ReplicaSet deleted": 1}
    with shop.callers(rps=RPS) as callers:
        eventually("it serves", lambda: callers.counted_outside(0) > RPS)
    assert not callers.outside.all.failed() and not callers.inside.all.failed()
