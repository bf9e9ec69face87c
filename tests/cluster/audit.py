"""What the API server wrote down about the operator."""
import json
import os
from collections import Counter
from datetime import datetime

from operator_process import NAMESPACE

USER = f"system:serviceaccount:{NAMESPACE}:weir"
WRITES = ("create", "patch", "delete")


def requests(since, namespace=""):
    """All finished requests of the operator since then, about one namespace or all."""
    found = []
    with open(os.environ["WEIR_AUDIT_LOG"], encoding="utf-8") as file:
        for line in file:
            if USER not in line:
                continue
            event = json.loads(line)
            if namespace and event.get("objectRef", {}).get("namespace") != namespace:
                continue
            if event["user"]["username"] == USER and event["stage"] == "ResponseComplete" and received(event) >= since:
                found.append(event)
    return found


def name(event):
    thing = event.get("objectRef", {})
    return " ".join(filter(None, (event["verb"], thing.get("resource"), thing.get("subresource"))))


def by_name(events):
    return dict(sorted(Counter(map(name, events)).items()))


def received(event):
    return seconds(event["requestReceivedTimestamp"])


def seconds(time):
    """Since the epoch."""
    return datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()


def writers(events):
    """The pods that wrote anything but the lease, in the order of their writes, without repeats."""
    pods = []
    for event in sorted(events, key=received):
        if event["verb"] in WRITES and event["objectRef"]["resource"] != "leases":
            pod = event["user"]["extra"]["authentication.kubernetes.io/pod-name"][0]
            if not pods or pods[-1] != pod:
                pods.append(pod)
    return pods


def denied(events):
    """Those for which the chart gives no right; Secrets are granted by people. A server has other reasons for a 403, and for a moment
    after its start it knows of no rights at all: what was allowed later is not meant."""
    allowed = {}
    for event in events:
        if event.get("annotations", {}).get("authorization.k8s.io/decision") == "allow":
            allowed[name(event)] = max(received(event), allowed.get(name(event), 0))
    forbidden = [e for e in events if e.get("annotations", {}).get("authorization.k8s.io/decision") == "forbid"]
    return [e for e in forbidden
            if e["objectRef"].get("resource") != "secrets" and allowed.get(name(e), 0) < received(e)]
