"""Numbers that do not come, or are too few to tell anything: no reason to go on, and none to go back."""
import http.client
import os
import time
import urllib.parse

import pytest

import components
from story import accepted_weights
from weir_objects import errors_at_most, step

RPS = 50


def on_no_data(what):
    return {**errors_at_most("5%"), "onNoData": what}


def holds_for(reason):
    return lambda s: s.get("phase") == "Progressing" and f"errors is {reason}" in s.get("message", "")


def no_rollback(shop):
    return not any("lastRollback" in seen.object.get("status", {}) for seen in shop.releases.snapshot())


@pytest.mark.parametrize("fault", [components.hung, components.gone])
def test_a_release_waits_for_a_source_that_is_away(shops, figures, fault):
    """The one that is good goes on when the source is back, the one that is bad is taken back then."""
    good, bad = pair = shops(2)
    source = {"name": "prometheus", "prometheus": {"url": good.prometheus_url, "timeout": "1s"}}
    for shop in pair:
        shop.apply_policy(steps=[step(50, "4s"), step(100)], sources=[source], drain="1s", watch="1s")
    stables = [shop.start("v1", replicas=2) for shop in pair]
    with good.callers(rps=RPS) as callers, bad.outside(RPS) as load:
        of_good = good.apply("v2", replicas=2)
        canary = good.canary_revision(of_good)
        good.wait_accepted(canary, 50)
        with fault("prometheus"):
            of_bad = bad.apply("v2", replicas=2, error_rate=0.5)
            taken_back = bad.canary_revision(of_bad)
            bad.wait_accepted(taken_back, 50)
            for shop in pair:
                shop.wait("status says that the source cannot be read", holds_for("SourceError"))
            time.sleep(3)
            assert [w.of for w in good.steps_of(canary)] == [w.of for w in bad.steps_of(taken_back)] == [50]
        back = time.time()
        full = good.wait_accepted(canary, 100)
        zero = bad.wait("the rollback", lambda s: s.get("lastRollback")).at
        assert good.wait_phase("Healthy", of_good)["stable"]["revision"] == canary
        assert bad.wait_phase("RolledBack", of_bad)["stable"]["revision"] == stables[1]
    figures.add("a source that is away", **{f"s from its return ({fault.__name__}) until the good one goes on": round(full - back, 1),
                                            f"until the bad one is taken back ({fault.__name__})": round(zero - back, 1)})
    assert [w.of for w in bad.steps_of(taken_back)] == [50, 0] and no_rollback(good)
    assert not callers.outside.all.failed() and not callers.inside.all.failed()
    assert set(load.failed()) == {"v2 500"}


def test_without_traffic_it_is_the_policy_that_says_what_happens(shops):
    held, advancing, returning = three = shops(3)
    for shop, what in zip(three, ("Hold", "Advance", "Rollback")):
        shop.apply_policy(steps=[step(50, "3s"), step(100)], maxHold="6s", objectives=[on_no_data(what)], drain="1s", watch="1s")
    stables = [shop.start("v1", replicas=1) for shop in three]
    generations = [shop.apply("v2", replicas=1) for shop in three]
    canary = held.canary_revision(generations[0])
    held.wait("status says that there is no data", holds_for("NoData"))
    held.wait_phase("AwaitingApproval", generations[0])
    assert accepted_weights(held.status()) == {stables[0]: 50, canary: 50}
    with held.callers(rps=RPS) as callers:
        final = held.wait_phase("Healthy", generations[0])
    assert final["stable"]["revision"] == canary and no_rollback(held)
    assert not callers.outside.all.failed() and not callers.inside.all.failed()

    assert advancing.wait_phase("Healthy", generations[1])["stable"]["revision"] != stables[1]
    final = returning.wait_phase("RolledBack", generations[2])
    assert final["stable"]["revision"] == stables[2] and "no data" in final["lastRollback"]["message"]


def test_one_failing_request_of_a_few_takes_nothing_back(shop, figures):
    # No more requests after those few: it goes on without data.
    shop.apply_policy(steps=[step(50, "20s"), step(100)], objectives=[on_no_data("Advance")], drain="1s", watch="1s")
    shop.start("v1", replicas=2)
    generation = shop.apply("v2", replicas=2, error_rate=0.1)
    canary = shop.canary_revision(generation)
    accepted = shop.wait_accepted(canary, 50)
    time.sleep(max(0.0, accepted + 3 - time.time()))  # the warm-up is over
    asked = requests_until_one_fails(shop)
    shop.wait("the judge has seen it", lambda s: any(j.get("bad") == 1 for j in s.get("judgement", [])))
    final = shop.wait_phase("Healthy", generation)
    figures.add("few requests", **{"one failed of": asked.count("v2 200") + 1})
    assert final["stable"]["revision"] == canary and no_rollback(shop)


def requests_until_one_fails(shop):
    asked = []
    while len(asked) < 60:
        asked.append(request_from_outside(shop))
        if asked[-1] != "v1 200" and asked[-1] != "v2 200":
            break
    assert asked[-1] == "v2 500", asked
    return asked


def request_from_outside(shop):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(os.environ["WEIR_GATEWAY_URL"]).netloc, timeout=10)
    try:
        connection.request("GET", "/", headers={"Host": shop.host})
        response = connection.getresponse()
        return f"{response.headers.get('X-Revision')} {response.status}"
    finally:
        connection.close()
