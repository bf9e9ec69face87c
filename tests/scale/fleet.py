"""Many Releases in one namespace, and a short record of what becomes of them."""
import http.client
import json
import threading
import time
import urllib.parse
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from kube import Api, Watch, path_of
from stub_prometheus import BAD, TOTAL
from waiting import eventually
from weir_objects import step

THREADS = 8


class KeptApi(Api):
    """One connection per thread, kept: a new one for each request would cost more than the request."""

    def __init__(self):
        super().__init__()
        self.local = threading.local()

    def request(self, method, path, body=None, content_type="application/json", **query):
        if query:
            path += "?" + urllib.parse.urlencode(query)
        if not hasattr(self.local, "connection"):
            self.local.connection = self.connect(timeout=60)
        connection = self.local.connection
        try:
            return self.exchange(connection, method, path, body, content_type)
        except (OSError, http.client.HTTPException):
            connection.close()  # the server ends idle ones; the next request opens it again
            return self.exchange(connection, method, path, body, content_type)


@dataclass
class Traffic:
    """A write to a route: what its weights are and what they mean (operator/designs/003-route-is-the-log.md)."""
    at: float
    weights: dict  # revision -> percent
    stable: str
    canary: str
    weight: int


class RouteLog(Watch):
    def __init__(self, api, namespace):
        self.of = defaultdict(list)  # Release -> Traffic
        super().__init__(api, "HTTPRoute", namespace)

    def record(self, type_, thing):
        name = thing["metadata"]["name"]
        memo = json.loads(thing["metadata"].get("annotations", {}).get("weir.dev/traffic", "{}"))
        refs = [ref for rule in thing["spec"]["rules"] for ref in rule.get("backendRefs", [])]
        weights = {ref["name"].removeprefix(f"{name}-"): ref["weight"] for ref in refs}
        seen = Traffic(time.time(), weights, memo.get("stable", ""), memo.get("canary", ""), memo.get("weight", 0))
        with self.changed:
            last = self.of[name][-1] if self.of[name] else None
            if type_ != "DELETED" and (last is None or {**vars(last), "at": 0} != {**vars(seen), "at": 0}):
                self.of[name].append(seen)
            self.changed.notify_all()


@dataclass
class State:
    at: float
    generation: int
    observed: int
    phase: str
    stable: str
    canary: str
    taken_back: str  # the revision that was rolled back last
    message: str

    def is_at_rest(self, phases=("Healthy",)):
        return self.observed >= self.generation and self.phase in phases


class ReleaseLog(Watch):
    def __init__(self, api, namespace):
        self.of = {}  # Release -> its newest State
        self.promoted = defaultdict(dict)  # Release -> revision -> when it was first seen as stable and Healthy
        super().__init__(api, "Release", namespace)

    def record(self, type_, thing):
        meta, status = thing["metadata"], thing.get("status", {})
        state = State(time.time(), meta["generation"], status.get("observedGeneration", 0), status.get("phase", ""),
                      status.get("stable", {}).get("revision", ""), status.get("canary", {}).get("revision", ""),
                      status.get("lastRollback", {}).get("revision", ""), status.get("message", ""))
        with self.changed:
            self.of[meta["name"]] = state
            if state.is_at_rest():
                self.promoted[meta["name"]].setdefault(state.stable, state.at)
            self.changed.notify_all()


def policy(namespace, url, name="scale", **changes):
    """Each step takes one sample and no longer."""
    spec = {
        "steps": [step(5), step(25), step(50), step(100)],
        "minReadySeconds": 0, "drain": "1s", "watch": "0s",
        "sources": [{"name": "stub", "prometheus": {"url": url}}],
        "objectives": [{"name": "errors", "ratio": {"badQuery": BAD, "totalQuery": TOTAL, "atMost": "5%"}}],
        "judge": {"interval": "1s", "warmup": "0s"},
    }
    return {"apiVersion": "weir.dev/v1alpha1", "kind": "CanaryPolicy", "metadata": {"name": name, "namespace": namespace},
            "spec": {**spec, **changes}}


def image(version):
    return f"registry.example.com/web:{version}"


def release(namespace, name, version, replicas=2, policy_name="scale"):
    container = {"name": "web", "image": image("v0"), "ports": [{"name": "http", "containerPort": 8080}],
                 "resources": {"requests": {"cpu": "5m", "memory": "16Mi"}}}
    gateway = {"parentRefs": [{"name": "web", "namespace": "gateways"}], "hostnames": [f"{name}.example.com"]}
    return {
        "apiVersion": "weir.dev/v1alpha1", "kind": "Release", "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
            "images": [{"container": "web", "image": image(version)}],
            "service": {"name": name, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
            "traffic": {"type": "GatewayAPI", "gatewayAPI": gateway},
            "strategy": {"type": "Canary", "canary": {"policyRef": {"name": policy_name}}},
        },
    }


class Fleet:
    def __init__(self, api, namespace, prometheus_url):
        self.api, self.namespace, self.url = api, namespace, prometheus_url
        self.names = []
        api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        self.routes, self.releases = RouteLog(api, namespace), ReleaseLog(api, namespace)

    def close(self):
        self.routes.stop()
        self.releases.stop()

    def apply_policy(self, **changes):
        self.api.apply(policy(self.namespace, self.url, **changes))

    def each(self, names, action):
        """Does it for all of them, several at a time."""
        with ThreadPoolExecutor(THREADS) as pool:
            return dict(zip(names, pool.map(action, names)))

    def add_up_to(self, size, version="v1", **how):
        new = [f"app-{number:04}" for number in range(len(self.names), size)]
        self.each(new, lambda name: self.api.apply(release(self.namespace, name, version, **how)))
        self.names += new
        self.wait_at_rest(new, 120 + size)

    def patch(self, name, spec):
        return self.api.merge("Release", self.namespace, name, {"spec": spec})["metadata"]["generation"]

    def set_image(self, name, version):
        return self.patch(name, {"images": [{"container": "web", "image": image(version)}]})

    def stable(self, name):
        return self.releases.of[name].stable

    def wait_at_rest(self, names, timeout, phases=("Healthy",)):
        def waiting():
            return [n for n in names if n not in self.releases.of or not self.releases.of[n].is_at_rest(phases)]

        try:
            eventually("all releases are at rest", lambda: not waiting(), timeout)
        except AssertionError as error:
            left = {name: self.releases.of.get(name) for name in waiting()[:5]}
            raise AssertionError(f"{error}: {len(waiting())} are not, e.g. {left}") from None

    def release_all(self, names, version, timeout):
        """A new image for all of them at once; seconds from the first change, by name, until each was promoted."""
        before = {name: self.stable(name) for name in names}
        begin = time.time()
        self.each(names, lambda name: self.set_image(name, version))

        def is_done(name):
            return self.releases.of[name].is_at_rest() and self.stable(name) != before[name]

        eventually(f"{version} is promoted everywhere", lambda: all(map(is_done, names)), timeout)
        return {name: self.releases.promoted[name][self.stable(name)] - begin for name in names}

    def wait_canary_weight(self, names, weight, timeout):
        def has(name):
            changes = self.routes.of[name]
            return bool(changes) and changes[-1].canary and changes[-1].weight == weight

        eventually(f"all canaries have {weight} %", lambda: all(map(has, names)), timeout)

    def pods(self):
        """How many there are, without reading them all."""
        page = self.api.expect("GET", path_of("Pod", self.namespace), limit=1)
        return len(page["items"]) + page["metadata"].get("remainingItemCount", 0)

    def wait_pods(self, count, timeout):
        eventually(f"{count} pods are left", lambda: self.pods() == count, timeout, interval=1.0)

