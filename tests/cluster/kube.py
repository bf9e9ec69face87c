"""A small client of the API server: what the stories need, with the raw answers (status, Warning headers) that they ask about."""
import base64
import http.client
import json
import os
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse
from dataclasses import dataclass

PATHS = {
    "CanaryPolicy": "apis/weir.dev/v1alpha1/{}/canarypolicies",
    "Pipeline": "apis/weir.dev/v1alpha1/{}/pipelines",
    "PipelineRun": "apis/weir.dev/v1alpha1/{}/pipelineruns",
    "Release": "apis/weir.dev/v1alpha1/{}/releases",
    "HTTPRoute": "apis/gateway.networking.k8s.io/v1/{}/httproutes",
    "ReplicaSet": "apis/apps/v1/{}/replicasets",
    "Deployment": "apis/apps/v1/{}/deployments",
    "Service": "api/v1/{}/services",
    "Pod": "api/v1/{}/pods",
    "Job": "apis/batch/v1/{}/jobs",
    "EndpointSlice": "apis/discovery.k8s.io/v1/{}/endpointslices",
    "Lease": "apis/coordination.k8s.io/v1/{}/leases",
    "Event": "api/v1/{}/events",
    "ConfigMap": "api/v1/{}/configmaps",
    "ServiceAccount": "api/v1/{}/serviceaccounts",
    "RoleBinding": "apis/rbac.authorization.k8s.io/v1/{}/rolebindings",
    "Namespace": "api/v1/namespaces",
    "Node": "api/v1/nodes",
}
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


def path_of(kind, namespace="", name=""):
    path = "/" + PATHS[kind].format(f"namespaces/{namespace}")
    return f"{path}/{name}" if name else path


class ApiError(Exception):
    def __init__(self, reply):
        super().__init__(f"{reply.status}: {reply.body.get('message', reply.body)}")
        self.reply = reply


@dataclass
class Reply:
    status: int
    warnings: list
    body: dict


class Api:
    """Each request has a connection of its own, so any thread may call."""

    def __init__(self):
        config = json.loads(kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        server = urllib.parse.urlsplit(cluster["server"])
        self.host, self.port = server.hostname, server.port or 443
        self.tls = ssl.create_default_context(cadata=decode(cluster["certificate-authority-data"]))
        self.headers = {"Accept": "application/json"}
        if "token" in user:
            self.headers["Authorization"] = f"Bearer {user['token']}"
        else:
            load_client_certificate(self.tls, user)

    def connect(self, timeout):
        return http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=self.tls)

    def request(self, method, path, body=None, content_type="application/json", **query):
        """The answer, whatever it is."""
        if query:
            path += "?" + urllib.parse.urlencode(query)
        connection = self.connect(timeout=30)
        try:
            return self.exchange(connection, method, path, body, content_type)
        finally:
            connection.close()

    def exchange(self, connection, method, path, body, content_type):
        headers = {**self.headers, "Content-Type": content_type}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        text = response.read()
        return Reply(response.status, response.msg.get_all("Warning") or [], json.loads(text) if text else {})

    def expect(self, *arguments, **query):
        reply = self.request(*arguments, **query)
        if reply.status >= 400:
            raise ApiError(reply)
        return reply.body

    def get(self, kind, namespace, name):
        """None when there is no such object."""
        reply = self.request("GET", path_of(kind, namespace, name))
        if reply.status == 404:
            return None
        if reply.status >= 400:
            raise ApiError(reply)
        return reply.body

    def list(self, kind, namespace, selector=""):
        return self.expect("GET", path_of(kind, namespace), labelSelector=selector)["items"]

    def apply(self, thing):
        """Server-side apply, as a person's tool does it."""
        return self.expect("PATCH", self.own_path(thing), thing, APPLY_PATCH, fieldManager="stories", force="true")

    def create(self, thing):
        meta = thing["metadata"]
        return self.expect("POST", path_of(thing["kind"], meta.get("namespace", "")), thing)

    def merge(self, kind, namespace, name, patch):
        return self.expect("PATCH", path_of(kind, namespace, name), patch, MERGE_PATCH)

    def delete(self, kind, namespace, name, **query):
        reply = self.request("DELETE", path_of(kind, namespace, name), **query)
        if reply.status >= 400 and reply.status != 404:
            raise ApiError(reply)

    @staticmethod
    def own_path(thing):
        meta = thing["metadata"]
        return path_of(thing["kind"], meta.get("namespace", ""), meta["name"])


def decode(text):
    return base64.b64decode(text).decode()


def load_client_certificate(tls, user):
    # ssl reads certificates from files only.
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(decode(user["client-certificate-data"]) + "\n" + decode(user["client-key-data"]))
        file.flush()
        tls.load_cert_chain(file.name)


def kubectl(*arguments, stdin=None, check=True, timeout=60):
    """Its standard output; with check=False the finished process."""
    done = subprocess.run(["kubectl", *arguments], input=stdin, capture_output=True, text=True, timeout=timeout,
                          env=os.environ, check=False)
    if not check:
        return done
    if done.returncode:
        raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


@dataclass
class Seen:
    at: float  # when the change arrived here, seconds since the epoch
    type: str  # ADDED | MODIFIED | DELETED
    object: dict


class Watch(threading.Thread):
    """Records every change of some objects from now on, with the moment it arrived."""

    def __init__(self, api, kind, namespace, selector="", name=""):
        super().__init__(daemon=True)
        self.api, self.path, self.kind = api, path_of(kind, namespace), kind
        self.query = {"labelSelector": selector} if selector else {}
        if name:
            self.query["fieldSelector"] = f"metadata.name={name}"
        self.seen = []
        self.changed = threading.Condition()
        self.stopped = False
        self.lists_again = False  # for stories that restart the API server, which forgets what it has not told yet
        self.broken = ""
        self.list("ADDED")
        self.start()

    def list(self, type_):
        listing = self.api.expect("GET", self.path, **self.query)
        self.version = listing["metadata"]["resourceVersion"]
        for item in listing["items"]:
            self.record(type_, item)

    def record(self, type_, thing):
        with self.changed:
            self.seen.append(Seen(time.time(), type_, thing))
            self.changed.notify_all()

    def run(self):
        while not self.stopped and not self.broken:
            try:
                self.follow()
            except (OSError, http.client.HTTPException, ApiError, json.JSONDecodeError):  # the last: cut off within a line
                time.sleep(0.1)

    def follow(self):
        query = {**self.query, "watch": "1", "resourceVersion": self.version, "allowWatchBookmarks": "true"}
        connection = self.api.connect(timeout=600)
        try:
            connection.request("GET", f"{self.path}?{urllib.parse.urlencode(query)}", headers=self.api.headers)
            response = connection.getresponse()
            if response.status not in (200, 410):
                raise OSError(f"watch of {self.kind}: {response.status}")  # a server that has just started
            for line in response:
                if self.stopped:
                    return
                event = json.loads(line)
                if response.status == 410 or event["type"] == "ERROR":
                    self.lost(event)
                    return
                self.version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    self.record(event["type"], event["object"])
        finally:
            connection.close()

    def lost(self, why):
        # Changes may have been missed: a story that goes on would judge half of what happened.
        if self.lists_again:
            self.list("MODIFIED")
        else:
            self.broken = f"watch of {self.kind} ended: {why}"

    def stop(self):
        self.stopped = True

    def snapshot(self):
        with self.changed:
            assert not self.broken, self.broken
            return list(self.seen)

    def until(self, what, wanted, timeout):
        """The first change, past or to come, for which `wanted(object)` holds."""
        deadline = time.monotonic() + timeout
        position = 0
        with self.changed:
            while True:
                for seen in self.seen[position:]:
                    if seen.type != "DELETED" and wanted(seen.object):
                        return seen
                position = len(self.seen)
                left = deadline - time.monotonic()
                assert not self.broken, self.broken
                if left <= 0 or not self.changed.wait(left):
                    raise AssertionError(f"waited {timeout:g} s in vain for: {what}")
