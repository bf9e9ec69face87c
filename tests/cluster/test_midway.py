"""People who change their minds while a release is under way, and a stable that is not well while it is needed."""
import contextlib

from kube import kubectl
from story import accepted_weights, is_serving, uids
from waiting import eventually
from weir_objects import step

RPS = 50
LONG = [step(50, "600s"), step(100)]  # a hold that only people end
SHORT = [step(50, "2s"), step(100)]


def outcomes(status):
    return [(entry["revision"], entry["outcome"]) for entry in reversed(status["history"])]


def statuses(shop):
    return [seen.object.get("status", {}) for seen in shop.releases.snapshot()]


def is_asked(status, verb):
    return any(request["request"].startswith(verb) for request in status.get("requests", []))


def serving(shop, revision):
    return sum(map(is_serving, shop.pods(revision)))


def check_no_failure(callers):
    assert not callers.outside.all.failed() and not callers.inside.all.failed()


def test_another_version_comes_and_then_the_old_one_is_wanted_again(shop):
    shop.apply_policy(steps=LONG, objectives=[], drain="1s")
    stable = shop.start("v1", replicas=2)
    before = shop.pods(stable)
    with shop.callers(rps=RPS) as callers:
        second = shop.canary_revision(shop.apply("v2", replicas=2))
        shop.wait_accepted(second, 50)
        third = shop.canary_revision(shop.apply("v3", replicas=2))
        shop.wait_accepted(third, 50)
        reverted = shop.apply("v1", replicas=2)
        final = shop.wait_phase("Healthy", reverted)
        eventually("the pods of both are gone", lambda: not shop.pods(second) and not shop.pods(third), timeout=60)
    assert [w.of for w in shop.steps_of(second)] == [w.of for w in shop.steps_of(third)] == [50, 0]
    assert all(w.of[stable] in (50, 100) for w in shop.written()), "two canaries at a time"
    assert outcomes(final) == [(stable, "Promoted"), (second, "Superseded"), (third, "Reverted")]
    assert uids(shop.pods(stable)) == uids(before)
    check_no_failure(callers)
    assert not callers.stream[-1].get("broken")


def test_scaled_while_it_is_paused_and_mid_step(shop, weir):
    shop.apply_policy(steps=LONG, objectives=[], drain="1s", watch="1s")
    stable = shop.start("v1", replicas=3)
    with shop.callers(rps=RPS) as callers:
        canary = shop.canary_revision(shop.apply("v2", replicas=3))
        shop.wait_accepted(canary, 50)
        generation = change(shop, {"paused": True})
        shop.wait_phase("Paused", generation)
        scale(shop, 6)
        eventually("both have grown", lambda: (serving(shop, stable), serving(shop, canary)) == (6, 3), timeout=60)
        assert shop.status()["phase"] == "Paused" and accepted_weights(shop.status()) == {stable: 50, canary: 50}
        change(shop, {"paused": False})
        generation = scale(shop, 2)
        shop.wait_phase("Progressing", generation)
        weir.out("promote", "shop")
        shop.wait_phase("Healthy", generation)
        eventually("only as many are left as are wanted", lambda: (len(shop.pods(stable)), len(shop.pods(canary))) == (0, 2),
                   timeout=60)
    assert [w.of for w in shop.steps_of(canary)] == [50, 100]
    replicas = [s["stable"]["replicas"] for s in statuses(shop) if s.get("stable", {}).get("revision") == stable]
    assert replicas == sorted(replicas) and replicas[-1] == 6, "stable shrank before the release was over"
    check_no_failure(callers)


def change(shop, spec):
    return shop.api.merge("Release", shop.namespace, shop.name, {"spec": spec})["metadata"]["generation"]


def scale(shop, count):
    kubectl("scale", "release", shop.name, "-n", shop.namespace, f"--replicas={count}")
    return shop.api.get("Release", shop.namespace, shop.name)["metadata"]["generation"]


def test_by_hand_to_an_older_version_and_back(shop, weir):
    shop.apply_policy(steps=SHORT, objectives=[], drain="1s", watch="1s")
    first = shop.start("v1", replicas=2)
    with shop.callers(rps=RPS) as callers:
        second = shop.wait_phase("Healthy", shop.apply("v2", replicas=2))["stable"]["revision"]
        generation = shop.apply("v3", replicas=2)
        third = shop.wait_phase("Healthy", generation)["stable"]["revision"]
        eventually("the older ones have no pods", lambda: not shop.pods(first) and not shop.pods(second), timeout=60)
        weir.out("rollback", "shop", "--to", first)
        back = shop.wait_phase("RolledBack", generation)
        assert back["stable"]["revision"] == first
        weir.out("resume", "shop")
        shop.wait("the newest serves again",
                  lambda s: is_asked(s, "resume") and s["phase"] == "Healthy" and s["stable"]["revision"] == third)
    assert [w.of for w in shop.steps_of(first)] == [100, 50, 0, 100, 50, 0]
    assert [w.of for w in shop.steps_of(third)] == [50, 100, 0, 50, 100]
    assert shop.steps_of(second)[-1].of == 0
    check_no_failure(callers)


def test_a_stable_that_has_lost_half_of_its_pods_takes_the_traffic_back_all_the_same(shop, figures):
    shop.apply_policy(steps=LONG, drain="1s")
    stable = shop.start("v1", replicas=4)
    generation = shop.apply("v2", replicas=4, error_rate=0.5)
    canary = shop.canary_revision(generation)
    shop.wait_accepted(canary, 50)
    with no_new_pods():
        for pod in shop.pods(stable)[:2]:
            shop.api.delete("Pod", shop.namespace, pod["metadata"]["name"])
        shop.wait("half of stable is ready", lambda s: s.get("stable", {}).get("ready") == 2)
        with shop.outside(RPS) as load:
            zero = shop.wait("the rollback", lambda s: s.get("lastRollback")).at
            shop.wait("stable has everything", lambda s: accepted_weights(s).get(stable) == 100)
        assert serving(shop, stable) == 2, "it had its pods again"
    final = shop.wait_phase("RolledBack", generation)
    eventually("stable has all its pods again", lambda: serving(shop, stable) == 4, timeout=60)
    written = shop.steps_of(canary)
    assert [w.of for w in written] == [50, 0] and final["lastRollback"]["reason"] == "errors"
    assert set(load.failed()) == {"v2 500"}
    figures.add("half of stable is gone", **{
        "s from the first bad sample to weight 0": round(written[1].at - shop.first_bad_sample(canary, written[0].at, zero), 2)})


@contextlib.contextmanager
def no_new_pods():
    """The one node takes none."""
    node = kubectl("get", "nodes", "-o", "name").strip()
    kubectl("cordon", node)
    try:
        yield
    finally:
        kubectl("uncordon", node)
