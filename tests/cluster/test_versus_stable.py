"""A canary is held against stable at the same time, and not blamed for what stable suffers from as well."""
from weir_objects import TRAEFIK_REQUESTS, step

RPS = 200


def errors(**bounds):
    counters = {"badQuery": TRAEFIK_REQUESTS % ',code=~"5.."', "totalQuery": TRAEFIK_REQUESTS % ""}
    return [{"name": "errors", "ratio": {**counters, **bounds}}]


def judged(status):
    return next((j for j in status.get("judgement", []) if j["objective"] == "errors"), {})


def test_a_version_worse_than_stable_is_taken_back_though_it_keeps_the_bound(shop, weir, figures):
    bounds = errors(atMost="40%", versusStable={"atMostTimes": "2", "plusAtMost": "1%"})
    shop.apply_policy(steps=[step(25, "600s"), step(100)], objectives=bounds)
    stable = shop.start("v1", replicas=2, error_rate=0.02)
    with shop.callers(rps=RPS) as callers:
        generation = shop.apply("v2", replicas=2, error_rate=0.15)
        final = shop.wait_phase("RolledBack", generation)
    rollback, judgement = final["lastRollback"], judged(final)
    assert rollback["reason"] == "errors" and final["stable"]["revision"] == stable
    assert ", stable " in rollback["message"] and "times stable's or stable's plus 1%" in rollback["message"]
    assert judgement["stableTotal"] > judgement["judgedTotal"] > 0
    assert float(judgement["evidence"]) >= float(judgement["needed"])
    explained = weir.out("explain", "release/shop")
    assert "times stable's" in explained
    figures.add("worse than stable", requests=callers.outside.all.total, message=rollback["message"])


def test_a_version_is_not_taken_back_for_what_stable_suffers_from_and_the_fix_is_released(shop, figures):
    shop.apply_policy(steps=[step(25, "5s"), step(100)], objectives=errors(atMost="5%"))
    shop.start("v1", replicas=2, error_rate=0.2)
    with shop.callers(rps=RPS):
        generation = shop.apply("v2", replicas=2, error_rate=0.2)
        canary = shop.canary_revision(generation)
        held = shop.wait("both break the bound", lambda s: judged(s).get("verdict") == "BothBreach").object["status"]
        assert held["canary"]["weight"] == 25 and "lastRollback" not in held
        assert "stable breaks it as well" in judged(held)["message"]
        assert [w.of for w in shop.steps_of(canary)] == [25]
        generation = shop.apply("v3", replicas=2)
        final = shop.wait_phase("Healthy", generation)
    assert "lastRollback" not in final
    figures.add("in an outage", message=judged(held)["message"])
