#!/usr/bin/env python3
"""Speaks as much of Prometheus' API as the operator asks for: every query is a scrape of its own.

Usage: stub_prometheus.py PORT

Each question finds REQUESTS more requests served by each revision that it names, none of them bad unless its Service was
declared bad, or its Release and it is the revision that is judged. A process of its own, so that who measures does not slow
down what it measures.
"""
import atexit
import json
import re
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REQUESTS = 1000  # per sample
# What operator/plugins/metrics/prometheus.cpp makes of the two queries below.
PART = re.compile(r'label_replace\((timestamp)?\((.*?)\n\), "weir_role", "([^"]+)", "", ""\)', re.DOTALL)
LABEL = re.compile(r'(\w+)="([^"]*)"')
TOTAL = 'requests_total{release="$(release)",service="$(service)"}'
BAD = 'requests_total{release="$(release)",service="$(service)",code="500"}'


class Counters:
    def __init__(self):
        self.lock = threading.Lock()
        self.total, self.errors = {}, {}  # by Service
        self.bad_releases, self.bad_services, self.all_bad = set(), set(), False
        self.queries = 0
        self.bad_samples = {}  # Release -> times at which a bad sample was served

    def serve(self, query):
        """The answer to one query, after another REQUESTS requests."""
        parts = [(kind, dict(LABEL.findall(text)), role) for kind, text, role in PART.findall(query)]
        assert parts, f"not understood: {query}"
        release, judged = parts[0][1]["release"], parts[0][1]["service"]  # stable comes behind
        with self.lock:
            now = time.time()
            self.queries += 1
            series = {}
            for service in {labels["service"] for _, labels, _ in parts}:
                bad = service == judged and (self.all_bad or release in self.bad_releases)
                bad = bad or service in self.bad_services
                self.total[service] = self.total.get(service, 0) + REQUESTS
                if bad:
                    self.errors[service] = self.errors.get(service, 0) + REQUESTS
                if bad and service == judged:
                    self.bad_samples.setdefault(release, []).append(now)
                series[service, None], series[service, "500"] = self.total[service], self.errors.get(service)
        result = []
        for kind, labels, role in parts:
            count = series[labels["service"], labels.get("code")]
            if count is not None:  # a counter that nothing has counted yet does not exist
                value = now if kind else count
                result.append({"metric": {**labels, "weir_role": role}, "value": [now, f"{value:.6f}" if kind else str(value)]})
        return {"status": "success", "data": {"resultType": "vector", "result": result}}

    def declare(self, bad):
        """Replaces what is bad."""
        with self.lock:
            self.bad_releases, self.bad_services = set(bad.get("releases", [])), set(bad.get("services", []))
            self.all_bad = bad.get("all", False)

    def record(self):
        with self.lock:
            return {"queries": self.queries, "bad_samples": {k: list(v) for k, v in self.bad_samples.items()}}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    counters = Counters()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/bad":
            self.counters.declare(json.loads(body))
            self.reply({})
        elif self.path.endswith("/query_range"):  # nobody has served before
            self.reply({"status": "success", "data": {"resultType": "matrix", "result": []}})
        else:
            self.reply(self.counters.serve(urllib.parse.parse_qs(body)["query"][0]))

    def do_GET(self):
        self.reply(self.counters.record())

    def reply(self, answer):
        text = json.dumps(answer).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
        self.wfile.write(head.encode() + text)

    def log_message(self, *_):
        pass


class StubPrometheus:
    """The process, as seen by who started it."""

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen([sys.executable, Path(__file__), str(port)])
        atexit.register(self.stop)  # whatever becomes of who started it
        self.bad = {"releases": set(), "services": set()}
        self.lock = threading.Lock()
        self.await_answer()

    def await_answer(self):
        for _ in range(100):
            try:
                self.record()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the stub of Prometheus does not answer")

    def record(self):
        with urllib.request.urlopen(f"{self.url}/", timeout=10) as response:
            return json.load(response)

    def declare_bad(self, releases=(), services=()):
        """More of what is bad; returns since when it is."""
        with self.lock:
            self.bad["releases"].update(releases)
            self.bad["services"].update(services)
            self.send({kind: sorted(names) for kind, names in self.bad.items()})
        return time.time()

    def declare_all_good(self):
        with self.lock:
            self.bad = {"releases": set(), "services": set()}
            self.send({})

    def send(self, bad):
        request = urllib.request.Request(f"{self.url}/bad", json.dumps(bad).encode(), {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=10).close()

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
