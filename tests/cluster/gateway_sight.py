"""How far behind the gateway's own watches are: what it has not heard of yet, it cannot serve."""
import http.client
import os
import time
import urllib.parse

from waiting import eventually
from weir_objects import gateway_traffic, host_of

NAME = "sight"
PING_PORT = 8082  # of the gateway itself: there is always an answer


class GatewaySight:
    """A route to a hand-made endpoint that is ready or not; the gateway's answer tells whether it has heard."""

    def __init__(self, api, namespace):
        self.api, self.namespace = api, namespace
        self.gateway = urllib.parse.urlsplit(os.environ["WEIR_GATEWAY_URL"])
        for thing in self.objects():
            api.apply(thing)
        eventually("the gateway has an empty Service to answer for", lambda: self.answer() == 503)

    def caught_up(self):
        """Waits for the gateway to hear of a change that is made now; the time of it, in seconds since the epoch."""
        self.api.apply(self.endpoint(ready=True))
        eventually("the gateway hears of endpoints", lambda: self.answer() == 200, timeout=120)
        return time.time()

    def answer(self):
        connection = http.client.HTTPConnection(self.gateway.hostname, self.gateway.port, timeout=10)
        try:
            connection.request("GET", "/ping", headers={"Host": host_of(self.namespace)})
            return connection.getresponse().status
        finally:
            connection.close()

    def objects(self):
        meta = {"name": NAME, "namespace": self.namespace}
        yield {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": [{"port": 80, "targetPort": PING_PORT}]}}
        yield self.endpoint(ready=False)
        route = gateway_traffic(self.namespace)["gatewayAPI"]
        yield {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": meta,
               "spec": {**route, "rules": [{"backendRefs": [{"name": NAME, "port": 80}]}]}}

    def endpoint(self, ready):
        labels = {"kubernetes.io/service-name": NAME}
        return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
                "metadata": {"name": NAME, "namespace": self.namespace, "labels": labels},
                "endpoints": [{"addresses": [self.gateway.hostname], "conditions": {"ready": ready}}],
                "ports": [{"port": PING_PORT}]}
