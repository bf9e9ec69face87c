"""Versions whose pods fail by themselves: taken back with the reason in status and Event, at no cost to those who call stable."""
import json
import time

import pytest

from kube import kubectl
from story import is_running
from test_inputs import merged
from waiting import eventually
from weir_objects import release, step, web_container

RPS = 100
SETTLE = 2.0  # from the acceptance of a weight until nobody is sent there any more


def version(shop, container, **how):
    """v2 with something changed in its container."""
    thing = release(shop.namespace, "v2", replicas=2, **how)
    thing["spec"]["template"]["spec"]["containers"] = [merged(web_container(VERSION="v2"), container)]
    return shop.api.apply(thing)["metadata"]["generation"]


def environment(**variables):
    return {"env": web_container(VERSION="v2", **variables)["env"]}


def events(shop, reason):
    found = json.loads(kubectl("get", "events", "-n", shop.namespace, "--field-selector", f"reason={reason}", "-o", "json"))
    return [event["message"] for event in found["items"] if event["involvedObject"]["kind"] == "Release"]


def check_told(shop, final, canary, reason, words):
    rollback = final["lastRollback"]
    assert (rollback["reason"], rollback["revision"]) == (reason, canary)
    for word in words:
        assert word in rollback["message"] and word in final["message"], rollback["message"]
    assert any(canary in message and reason in message for message in events(shop, "RolledBack"))


def then_a_good_one(shop, stable):
    shop.apply_policy(steps=[step(50, "1s"), step(100)], objectives=[], drain="1s")
    final = shop.wait_phase("Healthy", shop.apply("v3", replicas=2))
    assert final["stable"]["revision"] != stable


NEVER_SERVES = {
    "it crashes": ("CrashLoop", {"args": ["nonsense"]}, ["container web", "exit code 2 (Error)"]),
    "its program is not there": ("CrashLoop", {"command": ["/nothing"]}, ["container web", "StartError"]),
    "its image cannot be pulled": ("ImagePull", {"image": "localhost/nothing:1", "imagePullPolicy": "IfNotPresent"}, ["Pull"]),
    "its image must be there and is not": ("ImagePull", {"image": "localhost/nothing:1"}, ["ErrImageNeverPull"]),
    "it is never ready": ("NotReady", environment(START_DELAY="1h"), ["is not ready for 20s"]),
    "its ConfigMap is missing": ("NotReady", {"envFrom": [{"configMapRef": {"name": "nobody"}}]},
                                 ["CreateContainerConfigError", "nobody"]),
}


@pytest.mark.parametrize("case", NEVER_SERVES.values(), ids=NEVER_SERVES.keys())
def test_a_version_that_never_serves_is_taken_back_and_costs_nothing(shop, figures, request, case):
    reason, container, words = case
    # A slow machine may take as long over a container that is well.
    rules = {"podFailure": {"notReadyFor": "20s"}} if reason == "NotReady" else {}
    shop.apply_policy(steps=[step(50, "1s"), step(100)], objectives=[], drain="1s", **rules)
    stable = shop.start("v1", replicas=2)
    with shop.callers(rps=RPS) as callers:
        begin = time.time()
        generation = version(shop, container)
        canary = shop.canary_revision(generation)
        marked = shop.wait("the rollback", lambda s: s.get("lastRollback", {}).get("revision") == canary).at
        final = shop.wait_phase("RolledBack", generation)
        assert final["stable"]["revision"] == stable
        eventually("its pods are gone", lambda: not any(map(is_running, shop.pods(canary))), timeout=60)
        assert shop.steps_of(canary) == [], "it had weight"
        check_told(shop, final, canary, reason, words)
        then_a_good_one(shop, stable)
    figures.add("pods that fail", **{f"s until {request.node.callspec.id.replace('it ', 'one that ')}": round(marked - begin, 1)})
    assert not callers.outside.all.failed() and not callers.inside.all.failed()
    assert not callers.stream[-1].get("broken")


def test_a_version_that_crashes_mid_step_loses_its_traffic_at_once(shop, figures):
    shop.apply_policy(steps=[step(50, "300s"), step(100)], objectives=[], minReadySeconds=1, drain="2s")
    stable = shop.start("v1", replicas=2)
    with shop.callers(rps=RPS) as callers:
        generation = version(shop, environment(CRASH_AFTER="8s"))
        canary = shop.canary_revision(generation)
        shop.wait_accepted(canary, 50)
        looping = shop.wait("the rollback", lambda s: s.get("lastRollback", {}).get("revision") == canary)
        final = shop.wait_phase("RolledBack", generation)
        check_told(shop, final, canary, "CrashLoop", ["exit code 3 (Error)"])
        zero = [weights.at for weights in shop.steps_of(canary) if weights.of == 0][-1]
        time.sleep(SETTLE + 2)
    assert zero <= looping.at, "status was ahead of the route"
    failed = callers.outside.all.failed()
    figures.add("pods that fail", **{"requests that a crash of half of the traffic cost": sum(failed.values()),
                                     "of": callers.outside.all.total})
    assert not any(key.startswith("v1") for key in failed), "stable failed"
    assert not callers.outside.between(zero + SETTLE, time.time()).failed()
    assert not callers.inside.all.failed()
    assert final["stable"]["revision"] == stable


def test_a_first_version_that_crashes_says_so_and_can_be_mended(shop):
    shop.apply_policy(steps=[step(50, "1s"), step(100)], objectives=[])
    generation = version(shop, {"args": ["nonsense"]})
    told = shop.wait("the crash", lambda s: "exit code 2 (Error)" in s.get("message", ""))
    assert told.object["status"]["phase"] == "Pending" and "lastRollback" not in told.object["status"]
    assert shop.start("v1", replicas=2) and generation
