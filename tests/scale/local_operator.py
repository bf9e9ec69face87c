"""The operator as a plain process beside the cluster, under the ServiceAccount and the rights that the manifests give it."""
import atexit
import base64
import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import yaml

from kube import kubectl, path_of
from operator_process import NAMESPACE, TICKS
from waiting import eventually

ROOT = Path(__file__).resolve().parents[2]


def install(api):
    """All of the manifests but the Deployment: its pod would be played, not run."""
    things = yaml.safe_load_all(kubectl("kustomize", str(ROOT / "manifests")))
    wanted = [t for t in things if t and t["kind"] != "Deployment"]
    crds = [t for t in wanted if t["kind"] == "CustomResourceDefinition"]
    for part in (crds, wanted):
        kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all(part))
    kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    for kind in ("Release", "CanaryPolicy"):  # established is not yet served: "storage is (re)initializing"
        eventually(f"{kind} is served", lambda path=path_of(kind, "default"): api.request("GET", path).status == 200)


def write_kubeconfig(api, path):
    """A login of its own, so that the audit log tells its requests from all others."""
    token = kubectl("create", "token", "weir", "-n", NAMESPACE, "--duration=24h").strip()
    authority = base64.b64encode("".join(map(pem, api.tls.get_ca_certs(binary_form=True))).encode()).decode()
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "weir",
        "contexts": [{"name": "weir", "context": {"cluster": "weir", "user": "weir"}}],
        "clusters": [{"name": "weir", "cluster": {"server": f"https://{api.host}:{api.port}",
                                                  "certificate-authority-data": authority}}],
        "users": [{"name": "weir", "user": {"token": token}}],
    }
    Path(path).write_text(yaml.safe_dump(config), encoding="utf-8")


def pem(der):
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class LocalOperator:
    """As the Deployment runs it, with a Lease; the same name again after a crash, as a container has."""

    def __init__(self, binary, kubeconfig, folder):
        self.binary, self.kubeconfig = binary, kubeconfig
        self.log = Path(folder) / "operator.log"
        self.port = free_port()
        self.process = None
        self.started = 0.0

    def start(self):
        command = [self.binary, "operator", f"--kubeconfig={self.kubeconfig}", f"--listen=127.0.0.1:{self.port}",
                   "--log-level=info", "--leader-elect", f"--leader-elect-resource-namespace={NAMESPACE}",
                   "--leader-elect-resource-name=weir", "--leader-elect-identity=scale"]
        with open(self.log, "a", encoding="utf-8") as log:
            self.started = time.time()
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        atexit.register(self.stop)

    def wait_ready(self, timeout=60.0):
        eventually("the operator answers /readyz", self.is_ready, timeout, interval=0.05)

    def is_ready(self):
        assert self.process.poll() is None, f"the operator has ended: {self.log.read_text()[-2000:]}"
        return self.get("/readyz") is not None

    def get(self, path):
        """None when it does not answer, or says no."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as response:
                return response.read().decode()
        except OSError:
            return None

    def metric(self, name, **labels):
        """The sum over all series with these labels; 0 while there is none."""
        total = 0.0
        for line in (self.get("/metrics") or "").splitlines():
            if line.startswith(name) and all(f'{k}="{v}"' in line for k, v in labels.items()):
                total += float(line.rpartition(" ")[2])
        return total

    def kill(self):
        self.signal(signal.SIGKILL)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.signal(signal.SIGTERM)

    def signal(self, number):
        self.process.send_signal(number)
        self.process.wait(timeout=30)

    # What it costs.

    def status(self, field):
        text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(dict(line.split(":", 1) for line in text.splitlines())[field].split()[0]) / 1024

    def resident_mib(self):
        return self.status("VmRSS")

    def peak_mib(self):
        """Since the start, or since the last `forget_peak`."""
        return self.status("VmHWM")

    def forget_peak(self):
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5", encoding="ascii")

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def log_bytes(self):
        return os.path.getsize(self.log)
