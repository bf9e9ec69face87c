"""What Prometheus has kept of a good and of a bad release, judged again by `weir backtest`, as the operator did.

WEIR_RECORDING names a folder for the recording and its policy: that is how tests/recordings/ was made.
"""
import json
import os
import time
from pathlib import Path

import prometheus
import yaml
from weir_objects import TRAEFIK_REQUESTS, canary_policy, step

RPS = 60
# A weight is held longer than its hold: pods must be ready. What is recorded is longer than what is replayed.
POLICY = {
    "steps": [step(25, "10s"), step(50, "10s"), step(100)],
    "watch": "10s",
    "judge": {"interval": "2s", "warmup": "4s"},
    "objectives": [{
        "name": "errors",
        "ratio": {"badQuery": TRAEFIK_REQUESTS % ',code=~"5.."', "totalQuery": TRAEFIK_REQUESTS % "",
                  "atMost": "10%", "versusStable": {"atMostTimes": "1.5", "plusAtMost": "1%"}}}],
}
# Until the next release begins: for half a minute nobody has served but the new one.
PAUSE = 45.0
ALONE = 75.0  # one version, before anything is released: longer than a release


def ask(query, begin, end):
    return prometheus.answer("query_range", query=query, start=f"{begin:.0f}", end=f"{end:.0f}", step="2")


def recording_of(shop, begin, end):
    """As the README says: what Prometheus gives for the plain counters of all revisions."""
    service = f"{shop.namespace}-{shop.name}-([a-z0-9]+)-http-80@kubernetesgateway"
    counter = 'label_replace(traefik_service_requests_total{service=~"%s"%s},"revision","$1","service","%s")'
    bad = ask(counter % (service, ',code=~"5.."', service), begin, end)
    total = ask(counter % (service, "", service), begin, end)
    return {"revisionLabel": "revision", "objectives": {"errors": {"bad": bad, "total": total}}}


def told(weir, *words):
    return json.loads(weir("backtest", *words, "-o", "json").stdout)


def check(result, releases):
    """`releases`: stable, canary, what the operator did."""
    seen = [(r["stable"], r["canary"], r["policy"]["ending"]) for r in result["releases"]]
    assert seen == releases, result
    assert result["stableAgainstItself"]["takenBack"] == []


def test_a_backtest_of_what_prometheus_kept_decides_as_the_operator_did(shop, weir, figures, tmp_path):
    policy = canary_policy(shop.namespace, shop.prometheus_url, **POLICY)
    shop.apply_policy(**POLICY)
    stable = shop.start("v1", replicas=2, error_rate=0.01)
    begin = time.time()
    with shop.callers(rps=RPS):
        time.sleep(ALONE)
        generation = shop.apply("v2", replicas=2, error_rate=0.01)
        good = shop.canary_revision(generation)
        shop.wait_phase("Healthy", generation)
        time.sleep(PAUSE)
        generation = shop.apply("v3", replicas=2, error_rate=0.4)
        bad = shop.canary_revision(generation)
        final = shop.wait_phase("RolledBack", generation)
        time.sleep(PAUSE)
    end = time.time()
    releases = [(stable, good, "Promoted"), (good, bad, "RolledBack")]

    folder = Path(os.environ.get("WEIR_RECORDING", tmp_path))
    recording, file = folder / "shop.json", folder / "policy.yaml"
    recording.write_text(json.dumps(recording_of(shop, begin, end), separators=(",", ":")) + "\n")
    del policy["metadata"]["namespace"]
    file.write_text(yaml.safe_dump(policy, sort_keys=False))
    replayed = told(weir, "-f", file, "--recording", recording)
    check(replayed, releases)
    assert replayed["releases"][1]["policy"]["objective"] == final["lastRollback"]["reason"] == "errors"
    assert recording.stat().st_size < 300_000

    saved = tmp_path / "saved.json"
    span = ("--from", at(begin), "--to", at(end), "--step", "2s")
    asked = told(weir, "-f", file, "--prometheus", os.environ["WEIR_PROMETHEUS_URL"], "--save", saved,
                 "--release", f"{shop.namespace}/{shop.name}", *span)
    check(asked, releases)
    check(told(weir, "-f", file, "--recording", saved), releases)
    figures.add("backtest", kilobytes=recording.stat().st_size // 1000,
                decided=[r["policy"]["seconds"] for r in replayed["releases"]])


def at(moment):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
