"""What the stubs of a cluster without a node have in common: a watch, and workers that write."""
import http.client
import json
import queue
import ssl
import sys
import threading
import time
import urllib.parse

MERGE = "application/merge-patch+json"
STRATEGIC_MERGE = "application/strategic-merge-patch+json"  # lists with keys (conditions) are merged by key
WORKERS = 4


def say(*words):
    print(time.strftime("%H:%M:%S", time.gmtime()), *words, file=sys.stderr, flush=True)


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class Client:
    def __init__(self, address, config, name):
        self.address = address
        self.tls = ssl.create_default_context(cafile=f"{config}/ca.crt")
        self.tls.load_cert_chain(f"{config}/{name}.crt", f"{config}/{name}.key")
        self.local = threading.local()

    def connect(self):
        return http.client.HTTPSConnection(self.address, timeout=600, context=self.tls)

    def write(self, method, path, body, content_type="application/json"):
        """By one kept connection per thread. An object that is gone or has changed meanwhile is none of our business."""
        if not hasattr(self.local, "connection"):
            self.local.connection = self.connect()
        request = (method, path, json.dumps(body), {"Content-Type": content_type})
        try:
            status = self.exchange(request)
        except (OSError, http.client.HTTPException):
            self.local.connection.close()  # the server ends one now and then; the next request opens it again
            status = self.exchange(request)
        if status >= 400 and status not in (404, 409):
            raise OSError(f"{method} {path}: {status}")

    def exchange(self, request):
        self.local.connection.request(*request)
        response = self.local.connection.getresponse()
        response.read()
        return response.status

    def follow(self, path, take):
        """Calls take(type, object) for all that there is, and for every change, for ever."""
        while True:
            try:
                self.follow_once(path, take)
            except (OSError, http.client.HTTPException, ValueError) as error:
                say(f"watch of {path}: {error!r}")
                time.sleep(0.5)

    def follow_once(self, path, take):
        connection = self.connect()
        connection.request("GET", path)
        listing = json.load(connection.getresponse())
        for thing in listing["items"]:
            take("ADDED", thing)
        query = urllib.parse.urlencode({"watch": "1", "resourceVersion": listing["metadata"]["resourceVersion"]})
        connection.request("GET", f"{path}?{query}")
        for line in connection.getresponse():
            event = json.loads(line)
            if event["type"] == "ERROR":
                break
            take(event["type"], event["object"])
        connection.close()


class Workers:
    """Calls act(key, newest value) for every key that was given; tries again until it succeeds."""

    def __init__(self, act):
        self.act = act
        self.lock = threading.Lock()
        self.newest = {}
        self.keys = queue.Queue()
        for _ in range(WORKERS):
            threading.Thread(target=self.run, daemon=True).start()

    def give(self, key, value):
        with self.lock:
            self.newest[key] = value
        self.keys.put(key)

    def run(self):
        while True:
            key = self.keys.get()
            with self.lock:
                value = self.newest.pop(key, None)
            if value is None:
                continue  # given twice, done once with the newest
            try:
                self.act(key, value)
            except (OSError, http.client.HTTPException) as error:
                say(f"{key}: {error!r}")
                time.sleep(0.2)
                with self.lock:
                    self.newest.setdefault(key, value)
                self.keys.put(key)
