"""The rules find what they are there for. Needs no cluster."""
from fleet import Traffic
from rules import ReadyLog, broken_rules, pods_for
from stub_prometheus import BAD, TOTAL, Counters
from test_scale import busiest


def traffic(stable, canary="", weight=0):
    weights = {stable: 100 - weight, **({canary: weight} if canary else {})}
    return Traffic(0.0, weights, stable, canary, weight)


def test_a_release_by_the_book_breaks_no_rule():
    climb = [traffic("a", "b", weight) for weight in (0, 5, 25, 50, 100)]
    assert not list(broken_rules("shop", [traffic("a"), *climb, traffic("b")]))
    assert not list(broken_rules("shop", [*climb[:3], traffic("a", "b"), traffic("a", "c"), traffic("a", "c", 5), traffic("a")]))


def test_each_rule_finds_its_breach():
    for breach in ([traffic("a", "b", 5), traffic("a", "b", 50)],  # a step left out
                   [traffic("a", "b", 50), traffic("b")],  # promoted too early
                   [traffic("a", "b", 100), traffic("c")],  # somebody else promoted
                   [traffic("a", "b", 25), traffic("a", "c", 5)],  # a new canary with traffic
                   [Traffic(0.0, {"a": 90, "b": 5}, "a", "b", 5)]):  # not 100 in all
        assert list(broken_rules("shop", breach)), breach


def endpoint_slice(*ready):
    labels = {"weir.dev/release": "shop", "weir.dev/revision": "b"}
    return {"metadata": {"labels": labels}, "endpoints": [{"conditions": {"ready": r}} for r in ready]}


def test_the_longest_lack_of_ready_pods():
    log = ReadyLog()
    for at, ready in ((10, (True,)), (12, (True, True)), (15, (True, False)), (15.5, (True, True)), (20, (True, False)), (23, ())):
        log.note(at, endpoint_slice(*ready), False)
    key = ("shop", "b")
    assert log.longest_below(key, 2, 12, 19) == 0.5
    assert log.longest_below(key, 2, 12, 30) == 10
    assert log.longest_below(key, 1, 12, 30) == 7
    assert log.longest_below(key, 1, 12, 20) == 0
    assert log.longest_below(("shop", "c"), 1, 12, 20) == 8


def test_pods_for_a_weight():
    assert [pods_for(w, 4) for w in (0, 5, 25, 50, 100)] == [0, 1, 1, 2, 4]


def test_busiest():
    assert busiest([0, 1, 2, 11.5, 12, 30]) == 3


def test_the_stub_counts_up_and_turns_bad():
    counters = Counters()
    texts = [(text.replace("$(release)", "shop").replace("$(service)", "shop-b"), role) for text, role in ((BAD, "bad"), (TOTAL, "total"))]
    query = " or ".join(f'label_replace(({text}\n), "weir_role", "{role}", "", "")' for text, role in texts)
    roles = lambda: {r["metric"]["weir_role"]: r["value"][1] for r in counters.serve(query)["data"]["result"]}
    assert roles() == {"total": "1000"}
    counters.declare({"services": ["shop-b"]})
    assert roles() == {"total": "2000", "bad": "1000"}
    counters.declare({})
    assert roles() == {"total": "3000", "bad": "1000"}
