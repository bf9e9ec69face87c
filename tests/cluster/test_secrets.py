"""Weir reads the Secrets it is granted by name, and no other."""
import os
import subprocess

import yaml

from kube import kubectl
from weir_objects import canary_policy, step

ACCOUNT = "system:serviceaccount:weir-system:weir"


def may_get(namespace, secret):
    answer = kubectl("auth", "can-i", "get", f"secret/{secret}", "-n", namespace, "--as", ACCOUNT, check=False)
    return answer.stdout.strip() == "yes"


def test_credentials_of_a_source_are_read_once_a_role_names_them(shop, weir):
    for name in ("prometheus-auth", "other"):
        kubectl("create", "secret", "generic", name, "--from-literal=token=t0p", "-n", shop.namespace)
    source = {"url": os.environ["WEIR_PROMETHEUS_POD_URL"], "secretRef": {"name": "prometheus-auth"}}
    changes = {"sources": [{"name": "prometheus", "prometheus": source}],
               "steps": [step(25, "2s"), step(100)], "watch": "1s", "drain": "1s"}
    shop.apply_policy(**changes)
    stable = shop.start("v1", replicas=2)
    with shop.callers(rps=50) as callers:
        generation = shop.apply("v2", replicas=2)
        held = shop.wait("the step is held until somebody grants it",
                         lambda s: "kubectl weir lint --rbac" in s.get("message", "")).object["status"]
        assert held["judgement"][0]["verdict"] == "SourceError" and held["stable"]["revision"] == stable
        assert not may_get(shop.namespace, "prometheus-auth")
        policy = yaml.safe_dump(canary_policy(shop.namespace, "", **changes))
        kubectl("apply", "-f", "-", stdin=weir("lint", "--rbac", "-", stdin=policy).stdout)
        shop.wait_phase("Healthy", generation)
    assert may_get(shop.namespace, "prometheus-auth") and not may_get(shop.namespace, "other")
    assert not callers.outside.all.failed()
    logs = subprocess.run(["kubectl", "logs", "-n", "weir-system", "-l", "app.kubernetes.io/name=weir", "--tail=-1"],
                          capture_output=True, text=True, check=True).stdout
    assert "t0p" not in logs
