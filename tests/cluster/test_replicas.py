"""Router Replicas: the share is a number of pods, and those who call from inside the cluster take part in the steps."""
import time

from story import accepted_weights
from waiting import eventually
from weir_objects import step

PODS = 3  # beside them 1 pod is 25 % and 3 are 50 %
TRAFFIC = {"type": "Replicas"}
SETTLE = 3.0  # from the acceptance of a weight until every node has heard of it
STEPS = [step(25, "20s"), step(50, "20s"), step(100)]
NEAR = 12  # percent points: connections are shared out by chance


def start(shop, **policy):
    # What callers inside see is counted by the application alone, and this one counts nothing: its pods are judged.
    shop.apply_policy(objectives=[], **policy)
    return shop.start("v1", replicas=PODS, traffic=TRAFFIC)


def apply(shop, version, **environment):
    return shop.apply(version, replicas=PODS, traffic=TRAFFIC, **environment)


def selector(shop):
    return shop.api.get("Service", shop.namespace, shop.name)["spec"]["selector"]


def selects(revision=None):
    return {"weir.dev/release": "shop", **({"weir.dev/revision": revision} if revision else {})}


def test_a_good_release_is_shared_out_by_pods_and_costs_no_request(shop, operator, figures):
    stable = start(shop, steps=STEPS)
    assert selector(shop) == selects(stable)
    with shop.inside() as callers:
        generation = apply(shop, "v2")
        canary = shop.canary_revision(generation)
        at_25 = shop.wait_accepted(canary, 25)
        assert selector(shop) == selects()
        told = shop.wait("its status says what the share is", lambda s: "1 of 4 pods: 25 %" in s.get("message", ""))
        at_50 = shop.wait_accepted(canary, 50)
        at_100 = shop.wait_accepted(canary, 100)
        assert selector(shop) == selects(canary)
        final = shop.wait_phase("Healthy", generation)
        eventually("the pods of v1 are gone", lambda: not shop.pods(stable), timeout=90)
    assert final["stable"]["revision"] == canary and told.at >= at_25
    assert not shop.api.list("HTTPRoute", shop.namespace), "nobody asked for a route"
    record = callers.record
    assert not record.all.failed()
    # Pods for the next step come before its weight: a share is counted in the first half of its hold.
    for weight, begin in ((25, at_25), (50, at_50)):
        counts = record.between(begin + SETTLE, begin + 18)
        share = counts.percent("v2")
        figures.add("shared by pods", **{f"split at {weight} %": f"{share:.1f} % of {counts.total}"})
        assert counts.total >= 200 and abs(share - weight) <= NEAR, f"{share:.1f} % of {counts.total} at {weight} %"
    after = record.between(at_100 + SETTLE, time.time())
    assert after.total and after.percent("v2") == 100


def test_a_version_that_crashes_leaves_the_share_in_one_write(shop, operator, figures):
    stable = start(shop, steps=[step(25, "120s"), step(100)])
    with shop.inside() as callers:
        generation = apply(shop, "v2", CRASH_AFTER="15s")
        canary = shop.canary_revision(generation)
        shop.wait_accepted(canary, 25)
        zero = shop.wait(f"weight 0 of {canary}", lambda s: s.get("lastRollback") and not accepted_weights(s).get(canary)).at
        assert selector(shop) == selects(stable)
        final = shop.wait_phase("RolledBack", generation)
        eventually("requests after the rollback", lambda: time.time() > zero + SETTLE + 3)
    assert final["lastRollback"]["reason"] == "CrashLoop" and final["stable"]["revision"] == stable
    assert not [key for key in callers.record.all.failed() if key.startswith("v1 ")]
    after = callers.record.between(zero + SETTLE, time.time())
    assert after.total and not after.failed() and after.percent("v1") == 100
    figures.add("crash under shared pods", **{"requests": callers.record.all.total,
                                              "failed": callers.record.all.failed().total()})
