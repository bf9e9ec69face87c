"""A service under release, and the record of what was done to its traffic."""
from dataclasses import dataclass

import prometheus
from kube import Watch
from load import Callers, Inside, Outside
from waiting import eventually
from weir_objects import canary_policy, host_of, release

# How long anything may take that waits for pods, on two busy cores.
PATIENCE = 120.0


@dataclass
class Weights:
    at: float  # when it was seen, seconds since the epoch
    of: dict  # revision -> percent


def route_weights(route, name):
    refs = [ref for rule in route["spec"]["rules"] for ref in rule.get("backendRefs", [])]
    return {ref["name"].removeprefix(f"{name}-"): ref.get("weight", 1) for ref in refs}


def accepted_weights(status):
    return {w["revision"]: w.get("weight", 0) for w in status.get("weights", [])}


def without_repeats(moments):
    kept = []
    for moment in moments:
        if moment.of and (not kept or kept[-1].of != moment.of):
            kept.append(moment)
    return kept


class Shop:
    """One Release named `shop` in a namespace of its own."""

    name = "shop"

    def __init__(self, api, namespace, folder, prometheus_url):
        self.api, self.namespace, self.folder, self.prometheus_url = api, namespace, folder, prometheus_url
        self.host = host_of(namespace)
        self.releases = Watch(api, "Release", namespace, name=self.name)
        self.routes = Watch(api, "HTTPRoute", namespace, name=self.name)

    def close(self):
        self.releases.stop()
        self.routes.stop()

    # What a person does.

    def apply_policy(self, **changes):
        policy = self.api.apply(canary_policy(self.namespace, self.prometheus_url, **changes))["metadata"]
        if policy["generation"] > 1:
            # A release that starts before the operator has heard of the change is judged by the policy before it.
            heard = lambda: status_of(self.api.get("CanaryPolicy", self.namespace, policy["name"])).get("observedGeneration", 0)
            eventually("the change of the policy is heard of", lambda: heard() >= policy["generation"], timeout=60)

    def apply(self, version, **how):
        """Returns the generation that status must observe."""
        return self.api.apply(release(self.namespace, version, **how))["metadata"]["generation"]

    def start(self, version="v1", **how):
        """The first revision ever; returns its name."""
        return self.wait_phase("Healthy", self.apply(version, **how))["stable"]["revision"]

    def callers(self, **how):
        return Callers(self.api, self.namespace, self.host, self.folder, **how)

    def inside(self, rps=50):
        return Inside(self.api, self.namespace, rps)

    def outside(self, rps=20):
        return Outside(self.host, self.folder, rps)

    # What can be seen.

    def status(self):
        return status_of(self.api.get("Release", self.namespace, self.name))

    def wait(self, what, wanted, timeout=PATIENCE):
        """The first change of the Release, past or to come, for which `wanted(status)` holds."""
        return self.releases.until(what, lambda release_: wanted(status_of(release_)), timeout)

    def wait_phase(self, phase, generation, timeout=PATIENCE):
        """The status that first has the phase."""
        wanted = lambda s: is_observed(s, generation) and s.get("phase") == phase
        return status_of(self.wait(f"phase {phase}", wanted, timeout).object)

    def canary_revision(self, generation):
        wanted = lambda s: is_observed(s, generation) and s.get("canary")
        return status_of(self.wait("a canary revision", wanted).object)["canary"]["revision"]

    def wait_accepted(self, revision, weight, timeout=PATIENCE):
        """The moment at which status first says that the weight was accepted."""
        what = f"status says that weight {weight} of {revision} was accepted"
        return self.wait(what, lambda s: accepted_weights(s).get(revision, 0) == weight, timeout).at

    def written(self):
        """Every change of the route's weights."""
        seen = [s for s in self.routes.snapshot() if s.type != "DELETED"]
        return without_repeats(Weights(s.at, route_weights(s.object, self.name)) for s in seen)

    def steps_of(self, revision):
        """The weights that were written for a revision, without repeats; 0 before the first is left out."""
        steps = []
        for weights in self.written():
            weight = weights.of.get(revision, 0)
            if (steps or weight) and (not steps or steps[-1].of != weight):
                steps.append(Weights(weights.at, weight))
        return steps

    def pods(self, revision):
        return self.api.list("Pod", self.namespace, f"weir.dev/release={self.name},weir.dev/revision={revision}")

    def service_metric(self, revision, more=""):
        service = f"{self.namespace}-{self.name}-{revision}-http-80@kubernetesgateway"
        return f'traefik_service_requests_total{{service="{service}"{more}}}'

    def first_bad_sample(self, revision, begin, end):
        return prometheus.first_time_above(self.service_metric(revision, ',code=~"5.."'), 0, begin, end)


def status_of(thing):
    return thing.get("status", {})


def is_observed(status, generation):
    return status.get("observedGeneration", 0) >= generation


def restarts(pod):
    return sum(s["restartCount"] for s in pod["status"].get("containerStatuses", []))


def uids(pods):
    return {pod["metadata"]["uid"] for pod in pods}


def is_serving(pod):
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))
    return ready and "deletionTimestamp" not in pod["metadata"]


def is_running(pod):
    """A pod whose processes have ended may stay on the books for a moment."""
    return any("running" in s["state"] for s in pod["status"].get("containerStatuses", []))
