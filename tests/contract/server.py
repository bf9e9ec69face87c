"""A bare client of an API server: raw answers, because they are what the contract is about."""
import base64
import http.client
import json
import os
import ssl
import subprocess
import tempfile
import time
import urllib.parse
from dataclasses import dataclass

import yaml

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
STRATEGIC = "application/strategic-merge-patch+json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

PATHS = {
    "CanaryPolicy": "apis/weir.dev/v1alpha1/{}/canarypolicies",
    "Pipeline": "apis/weir.dev/v1alpha1/{}/pipelines",
    "PipelineRun": "apis/weir.dev/v1alpha1/{}/pipelineruns",
    "Release": "apis/weir.dev/v1alpha1/{}/releases",
    "ReplicaSet": "apis/apps/v1/{}/replicasets",
    "HTTPRoute": "apis/gateway.networking.k8s.io/v1/{}/httproutes",
    "EndpointSlice": "apis/discovery.k8s.io/v1/{}/endpointslices",
    "Lease": "apis/coordination.k8s.io/v1/{}/leases",
    "ConfigMap": "api/v1/{}/configmaps",
    "Service": "api/v1/{}/services",
    "Event": "api/v1/{}/events",
}


def path_of(kind, namespace="", name="", sub=""):
    if kind == "Namespace":
        path = "/api/v1/namespaces"
    else:
        path = "/" + PATHS[kind].format(f"namespaces/{namespace}" if namespace else "").replace("//", "/")
    return "/".join(part for part in (path, name, sub) if part)


@dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: object  # JSON, or text

    @property
    def warnings(self):
        return self.headers.get_all("Warning") or []

    @property
    def version(self):
        return int(self.body["metadata"]["resourceVersion"])

    @property
    def message(self):
        return self.body["message"]

    def refused(self, code, reason="", text=""):
        """Checks a Status; returns its causes."""
        assert self.status == code, f"{self.status} in place of {code}: {self.body}"
        assert self.body["kind"] == "Status" and self.body["code"] == code, self.body
        assert self.body.get("reason", "") == reason and text in self.message, self.body
        return self.body.get("details", {}).get("causes", [])

    def ok(self, code=200):
        assert self.status == code, f"{self.status} in place of {code}: {self.body}"
        return self


class Server:
    def __init__(self, kubeconfig):
        config = yaml.safe_load(open(kubeconfig, encoding="utf-8"))
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        url = urllib.parse.urlsplit(cluster["server"])
        self.host, self.port, self.tls = url.hostname, url.port, None
        if url.scheme == "https":
            self.tls = tls_of(cluster, user, os.path.dirname(kubeconfig))
        self.kubeconfig = kubeconfig

    def connect(self, timeout=30):
        if self.tls:
            return http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=self.tls)
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def request(self, method, path, body=None, content_type="application/json", accept="application/json", **query):
        if query:
            path += "?" + urllib.parse.urlencode({k.rstrip("_"): v for k, v in query.items()})
        connection = self.connect()
        try:
            headers = {"Accept": accept, "Content-Type": content_type, "User-Agent": "contract/1"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read().decode()
            try:
                return Reply(response.status, response.msg, json.loads(text) if text else {})
            except ValueError:
                return Reply(response.status, response.msg, text)
        finally:
            connection.close()

    def get(self, path, **query):
        return self.request("GET", path, **query)

    def post(self, path, body, **query):
        return self.request("POST", path, body, **query)

    def put(self, path, body, **query):
        return self.request("PUT", path, body, **query)

    def merge(self, path, body, **query):
        return self.request("PATCH", path, body, MERGE, **query)

    def json_patch(self, path, body, **query):
        return self.request("PATCH", path, body, JSON_PATCH, **query)

    def apply(self, path, body, manager="contract", **query):
        return self.request("PATCH", path, body, APPLY, fieldManager=manager, **query)

    def delete(self, path, options=None, **query):
        return self.request("DELETE", path, options, **query)

    def watch(self, path, enough, timeout=15, accept="application/json", **query):
        """Events until `enough(events)`; fails when that does not come."""
        query = {"watch": "true", "timeoutSeconds": timeout, **query}
        connection = self.connect(timeout=timeout + 5)
        events = []
        try:
            connection.request("GET", f"{path}?{urllib.parse.urlencode(query)}", headers={"Accept": accept})
            response = connection.getresponse()
            assert response.status == 200, response.read()
            for line in response:
                events.append(json.loads(line))
                if enough(events):
                    return events
        finally:
            connection.close()
        raise AssertionError(f"not enough in {timeout} s: {[(e['type'], name_of(e)) for e in events]}")

    def kubectl(self, *arguments, stdin=None, check=True, timeout=60):
        env = {**os.environ, "KUBECONFIG": str(self.kubeconfig)}
        done = subprocess.run(["kubectl", *arguments], input=stdin, capture_output=True, text=True, timeout=timeout,
                              env=env, check=False)
        assert not check or done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout if check else done


def name_of(event):
    return event["object"].get("metadata", {}).get("name", "")


def count(number):
    return lambda events: len(events) >= number


def seen(events):
    return [(event["type"], name_of(event)) for event in events]


def tls_of(cluster, user, folder):
    def data(thing, name):
        if f"{name}-data" in thing:
            return base64.b64decode(thing[f"{name}-data"]).decode()
        with open(os.path.join(folder, thing[name]), encoding="utf-8") as file:
            return file.read()

    tls = ssl.create_default_context(cadata=data(cluster, "certificate-authority"))
    # ssl reads certificates from files only.
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(data(user, "client-certificate") + "\n" + data(user, "client-key"))
        file.flush()
        tls.load_cert_chain(file.name)
    return tls


def eventually(what, attempt, timeout=30.0, interval=0.1):
    """Calls `attempt` until it returns something true, and returns that."""
    deadline = time.monotonic() + timeout
    while True:
        result = attempt()
        if result:
            return result
        assert time.monotonic() < deadline, f"waited {timeout:g} s in vain for: {what}"
        time.sleep(interval)
