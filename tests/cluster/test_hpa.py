"""A HorizontalPodAutoscaler that scales a Release by its scale subresource, in the middle of a release."""
import contextlib
import json
import os
import ssl
import subprocess
import threading
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kube import kubectl
from story import is_serving
from waiting import eventually
from weir_objects import release, step

GROUP = "external.metrics.k8s.io"
EACH = 10  # of the queue, per pod
SOON = 60.0  # the autoscaler looks every 15 s


class Queue:
    """An external metric, behind the API server's aggregation: `length` is read by the autoscaler."""

    def __init__(self, folder, host):
        self.length = EACH
        certificate = folder / "queue.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=queue",
                        "-keyout", certificate, "-out", folder / "queue.crt"], check=True, capture_output=True)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(folder / "queue.crt", certificate)
        self.server = ThreadingHTTPServer((host, 0), self.handler())
        self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def handler(self):
        queue = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps(queue.answer(self.path.partition("?")[0])).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler

    def answer(self, path):
        if path.endswith("/v1beta1"):
            metric = {"name": "queue", "singularName": "", "namespaced": True, "kind": "ExternalMetricValueList", "verbs": ["get"]}
            return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{GROUP}/v1beta1", "resources": [metric]}
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        value = {"metricName": "queue", "metricLabels": {}, "timestamp": now, "value": str(self.length)}
        return {"kind": "ExternalMetricValueList", "apiVersion": f"{GROUP}/v1beta1", "metadata": {}, "items": [value]}

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def behind_the_api_server(namespace, queue, host):
    """The Service has no selector: its endpoint is this process."""
    yield {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "queue", "namespace": namespace},
           "spec": {"ports": [{"name": "https", "port": 443, "targetPort": queue.port}]}}
    yield {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
           "metadata": {"name": "queue", "namespace": namespace, "labels": {"kubernetes.io/service-name": "queue"}},
           "endpoints": [{"addresses": [host]}], "ports": [{"name": "https", "port": queue.port}]}
    yield {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": f"v1beta1.{GROUP}"},
           "spec": {"group": GROUP, "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
                    "insecureSkipTLSVerify": True, "service": {"name": "queue", "namespace": namespace, "port": 443}}}


def is_available():
    return '"queue"' in kubectl("get", "--raw", f"/apis/{GROUP}/v1beta1", check=False).stdout


@pytest.fixture(name="queue")
def queue_fixture(shop, tmp_path):
    host = os.environ["WEIR_HOST_IP"]
    with contextlib.closing(Queue(tmp_path, host)) as queue:
        objects = list(behind_the_api_server(shop.namespace, queue, host))
        kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        try:
            eventually("the metric is served", is_available, timeout=SOON)
            yield queue
        finally:
            kubectl("delete", "apiservice", f"v1beta1.{GROUP}")


def autoscaler(namespace):
    metric = {"type": "External", "external": {"metric": {"name": "queue"},
                                               "target": {"type": "AverageValue", "averageValue": str(EACH)}}}
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "shop", "namespace": namespace},
            "spec": {"scaleTargetRef": {"apiVersion": "weir.dev/v1alpha1", "kind": "Release", "name": "shop"},
                     "minReplicas": 2, "maxReplicas": 6, "metrics": [metric]}}


def test_an_autoscaler_scales_the_release_and_counts_who_serves(shop, weir, queue):
    shop.apply_policy(steps=[step(50, "600s"), step(100)], objectives=[], drain="1s", watch="1s")
    stable = shop.start("v1", replicas=2)
    kubectl("apply", "-f", "-", stdin=json.dumps(autoscaler(shop.namespace)))
    with shop.callers(rps=50) as callers:
        queue.length = 4 * EACH
        eventually("four pods of stable", lambda: sum(map(is_serving, shop.pods(stable))) == 4, timeout=SOON)
        # As a Git that leaves the count to the autoscaler.
        template = release(shop.namespace, "v2")["spec"]["template"]
        generation = shop.api.merge("Release", shop.namespace, shop.name, {"spec": {"template": template}})["metadata"]["generation"]
        canary = shop.canary_revision(generation)
        shop.wait_accepted(canary, 50)
        # Six pods serve; four are what a revision that serves everything has, and what the autoscaler is to go by.
        assert shop.api.get("Release", shop.namespace, shop.name)["spec"]["replicas"] == 4
        queue.length = 6 * EACH
        eventually("both have grown, each as its share needs",
                   lambda: [sum(map(is_serving, shop.pods(r))) for r in (stable, canary)] == [6, 3], timeout=SOON)
        weir.out("promote", "shop")
        final = shop.wait("it is promoted", lambda s: s.get("phase") == "Healthy" and s["stable"]["revision"] == canary)
    assert final.object["spec"]["replicas"] == 6
    assert not callers.outside.all.failed() and not callers.inside.all.failed()
