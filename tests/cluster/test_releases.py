"""The stories of a release, on a real cluster with real requests."""
import time

import audit
from kube import Watch
from operator_process import Cost
from story import accepted_weights, is_running, is_serving, restarts, uids
from waiting import eventually

STEPS = [5, 25, 50, 100]
HOLD = 15.0
SETTLE = 2.0  # from the acceptance of a weight until its split is counted
ENOUGH = 2000  # requests at each step
RPS = 250
DRAIN = 8.0
# Times in status are whole seconds, so a wait that is counted from one may end up to a second early.
ROUNDING = 1.0


def window(shop, revision, weight):
    """From `SETTLE` after the acceptance of a weight until the next write; None as end = it is the last one."""
    accepted = shop.wait_accepted(revision, weight)
    later = [w.at for w in shop.written() if w.at > accepted]
    return accepted + SETTLE, later[0] if later else None


def serving(shop, revision):
    return [pod for pod in shop.pods(revision) if is_serving(pod)]


def test_a_good_release_walks_to_100_percent_and_costs_no_request(shop, operator, figures):
    shop.apply_policy()
    stable = shop.start("v1")
    begin, cost = time.time(), Cost(operator)
    with shop.callers(rps=RPS) as callers:
        generation = shop.apply("v2")
        canary = shop.canary_revision(generation)
        shop.wait_accepted(canary, 50)
        earned = serving(shop, canary)
        full = shop.wait_accepted(canary, 100)
        shop.wait("the promotion", lambda s: s.get("stable", {}).get("revision") == canary)
        eventually(f"{ENOUGH} requests at 100 %", lambda: callers.counted_outside(full + SETTLE) > ENOUGH, timeout=25)
        at_full, end = serving(shop, canary), time.time()
        callers.let_go_of_stream()
        eventually("the pods of v1 are gone", lambda: not shop.pods(stable), timeout=60)
    shop.wait_phase("Healthy", generation)
    figures.add("good release", **cost.stop(), seconds=round(time.time() - begin, 1))
    figures.add("good release", **{"requests of the operator": audit.by_name(audit.requests(begin, shop.namespace))})

    check_split(shop, callers, canary, end, figures)
    check_no_failure(callers)
    assert callers.stream[-1]["lines"] > 0 and callers.stream[0]["version"] == "v1"
    assert "v2 200" in callers.inside.all.answers, "callers inside never reached the promoted revision"
    figures.add("good release", failed=0, **{
        "requests": callers.outside.all.total, "requests inside": callers.inside.all.total,
        "lines of one stream": callers.stream[-1]["lines"], "slowest ms": callers.outside.max_ms})
    check_same_pods(shop, callers, canary, earned, at_full, (full + SETTLE, end))


def check_split(shop, callers, canary, end, figures):
    assert [w.of for w in shop.steps_of(canary)] == STEPS
    for weight in STEPS:
        first, last = window(shop, canary, weight)
        counts = callers.outside.between(first, min(last or end, end))
        share = counts.percent("v2")
        figures.add("good release", **{f"split at {weight} %": f"{share:.2f} % of {counts.total}"})
        assert counts.total >= ENOUGH, f"step {weight}: only {counts.total} requests"
        assert abs(share - weight) <= 2, f"step {weight}: {share:.2f} % of {counts.total}"


def check_no_failure(callers):
    assert not callers.outside.all.failed()
    assert not callers.inside.all.failed()
    assert not callers.stream[-1].get("broken")


def check_same_pods(shop, callers, canary, earned, at_full, window_at_full):
    """The very pods that earned the weight serve at 100 %, never restarted."""
    now = shop.pods(canary)
    assert len(earned) >= 2 and uids(earned) <= uids(at_full) and uids(earned) <= uids(now)
    assert not any(restarts(pod) for pod in now)
    answering = set(callers.outside.between(*window_at_full).pods)
    assert {pod["metadata"]["name"] for pod in earned} <= answering, "pods that earned the weight do not serve"


def test_a_bad_release_is_taken_back_at_its_first_step(shop, api, operator, figures):
    shop.apply_policy(steps=[{"weight": 5, "hold": "90s"}, {"weight": 25, "hold": "10s"}, {"weight": 100}])
    stable = shop.start("v1")
    before = shop.pods(stable)
    begin, cost = time.time(), Cost(operator)
    pods = Watch(api, "Pod", shop.namespace, f"weir.dev/release={shop.name}")
    with shop.callers(rps=RPS) as callers:
        generation = shop.apply("v2", error_rate=0.1)
        canary = shop.canary_revision(generation)
        zero = shop.wait(f"weight 0 of {canary} is accepted again",
                         lambda s: s.get("lastRollback") and not accepted_weights(s).get(canary)).at
        final = shop.wait_phase("RolledBack", generation)
        left = [pod for pod in shop.pods(canary) if is_running(pod)]
        time.sleep(2)
    figures.add("bad release", **cost.stop(), seconds=round(time.time() - begin, 1))
    pods.stop()

    steps = shop.steps_of(canary)
    assert [w.of for w in steps] == [5, 0], "the weight rose above the first step, or came back"
    first_bad = shop.first_bad_sample(canary, begin, time.time())
    figures.add("bad release", **{
        "requests": callers.outside.all.total, "bad requests": callers.outside.all.failed().total(),
        "s from the first bad sample to weight 0": round(steps[1].at - first_bad, 2),
        "s at the first step": round(steps[1].at - steps[0].at, 2)})
    assert final["lastRollback"]["reason"] == "errors" and final["lastRollback"]["revision"] == canary

    assert set(callers.outside.all.failed()) == {"v2 500"}, "others than the canary failed"
    assert not callers.inside.all.failed()
    after = callers.outside.between(steps[1].at + SETTLE, time.time())
    assert after.total and after.percent("v2") == 0
    assert not callers.stream[-1].get("broken")

    leaving = [s for s in pods.snapshot() if "deletionTimestamp" in s.object["metadata"]]
    assert {s.object["metadata"]["labels"]["weir.dev/revision"] for s in leaving} == {canary}
    figures.add("bad release", **{"s from weight 0 to the end of its pods": round(leaving[0].at - zero, 2)})
    assert leaving[0].at - zero >= DRAIN - ROUNDING, "pods left before their drain"
    assert not left, "RolledBack, and processes of the canary still run"
    assert uids(shop.pods(stable)) == uids(before) and not any(restarts(pod) for pod in shop.pods(stable))


def test_a_killed_operator_finishes_what_it_began(shop, operator, figures):
    shop.apply_policy()
    shop.start("v1")
    with shop.callers(rps=50) as callers:
        generation = shop.apply("v2")
        canary = shop.canary_revision(generation)
        shop.wait_accepted(canary, 5)
        restarted = kill_and_wait(operator)
        accepted_25 = shop.wait_accepted(canary, 25)
        operator.delete_pod_at_once()
        final = shop.wait_phase("Healthy", generation)
    assert final["stable"]["revision"] == canary
    figures.add("killed operator", **{"s from SIGKILL to Ready": restarted})

    steps = shop.steps_of(canary)
    assert [w.of for w in steps] == STEPS
    for weights, following in zip(steps, steps[1:]):
        accepted = shop.wait_accepted(canary, weights.of)
        held = following.at - accepted
        figures.add("killed operator", **{f"s held at {weights.of} %": round(held, 2)})
        assert held >= HOLD - ROUNDING, f"{weights.of} % was held for {held:.2f} s only"
    assert accepted_25 < steps[2].at
    check_no_failure(callers)


def kill_and_wait(operator):
    before, begin = operator.restarts(), time.time()
    operator.kill_process()
    eventually("the operator's container was started again", lambda: operator.restarts() == before + 1, timeout=60)
    operator.wait_ready()
    return round(time.time() - begin, 2)


