"""Queries that Weir knows by itself, held against what the real gateway counts."""
from weir_objects import step

RPS = 100


def preset(objective, at_most, **what):
    return {"name": objective, "ratio": {"preset": {"dialect": "Traefik", **what}, "atMost": at_most}}


def objectives(threshold):
    return [preset("errors", "5%", name="Errors"), preset("slow", "10%", name="Latency", threshold=threshold)]


def judged(status, objective):
    return next((j for j in status.get("judgement", []) if j["objective"] == objective), {})


def test_a_slow_version_is_taken_back_by_the_buckets_of_the_gateway(shop, weir, figures):
    shop.apply_policy(steps=[step(10, "600s"), step(100)], objectives=objectives("200ms"))
    stable = shop.start("v1", replicas=2)
    with shop.callers(rps=RPS) as callers:
        shop.apply("v2", replicas=2)
        held = shop.wait("a threshold that is no bucket is no data, and errors are judged", lambda s: (
            "buckets" in judged(s, "slow").get("message", "") and judged(s, "errors").get("total")))
        assert judged(held.object["status"], "slow")["verdict"] == "NoData"
        shop.apply_policy(steps=[step(10, "600s"), step(100)], objectives=objectives("250ms"))
        generation = shop.apply("v3", replicas=2, DELAY_MS=400)
        final = shop.wait_phase("RolledBack", generation)
    assert final["lastRollback"]["reason"] == "slow" and final["stable"]["revision"] == stable
    assert "requests bad, allowed 10%" in final["lastRollback"]["message"]
    explained = weir.out("explain", "release/shop")
    assert 'le=~"0[.]25"' in explained and "slow" in explained
    assert not callers.outside.all.failed() and not callers.inside.all.failed()
    figures.add("slow release", requests=callers.outside.all.total, **{"slowest ms": callers.outside.max_ms})
