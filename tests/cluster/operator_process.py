"""The operator as the node sees it: its process, what it costs, and how to kill it."""
import os
import signal
import threading
from pathlib import Path

from kube import kubectl
from waiting import eventually

NAMESPACE = "weir-system"
SELECTOR = "app.kubernetes.io/name=weir"
TICKS = os.sysconf("SC_CLK_TCK")


class Operator:
    def __init__(self, api):
        self.api = api

    def pod(self):
        """The running one; None while there is none."""
        pods = self.api.list("Pod", NAMESPACE, SELECTOR)
        running = [p for p in pods if p["status"].get("phase") == "Running" and "deletionTimestamp" not in p["metadata"]]
        return running[0] if running else None

    def is_ready(self):
        pod = self.pod()
        return pod is not None and is_ready(pod)

    def wait_ready(self, timeout=60.0):
        eventually("the operator is Ready", self.is_ready, timeout)

    def pid(self):
        return pid_of(self.pod())

    def kill_process(self):
        os.kill(self.pid(), signal.SIGKILL)

    def delete_pod_at_once(self):
        self.api.delete("Pod", NAMESPACE, self.pod()["metadata"]["name"], gracePeriodSeconds=0)

    def restarts(self):
        return sum(s["restartCount"] for s in self.pod()["status"]["containerStatuses"])

    def logs(self, lines=200):
        arguments = ["logs", "-n", NAMESPACE, "-l", SELECTOR, f"--tail={lines}", "--prefix"]
        texts = [kubectl(*arguments, *more, check=False).stdout for more in ([], ["--previous"])]
        return "\n--- before its restart:\n".join(t for t in texts if t)


def find_pid(pod):
    """On this machine: the process named weir in a cgroup of the pod; None while there is none."""
    uid = pod["metadata"]["uid"]
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "comm").read_text().strip() == "weir" and uid in (folder / "cgroup").read_text():
                return int(folder.name)
        except OSError:
            continue  # it has ended meanwhile
    return None


def pid_of(pod):
    pid = find_pid(pod)
    assert pid, f"no process of the operator's pod {pod['metadata']['name']}"
    return pid


class Leaders:
    """The replicas of the operator, and which of them leads. Pods by name."""

    def __init__(self, api):
        self.api = api

    def pods(self):
        return {pod["metadata"]["name"]: pod for pod in self.api.list("Pod", NAMESPACE, SELECTOR)}

    def spec(self):
        return self.api.get("Lease", NAMESPACE, "weir")["spec"]

    def leader(self):
        """"" while there is none."""
        return self.spec().get("holderIdentity", "")

    def leading_pid(self):
        """None while the one that holds the Lease does not run."""
        pod = self.pods().get(self.leader())
        return pod and find_pid(pod)

    def wait_other(self, than, timeout):
        """Until another leads, and says so in the Lease."""
        other = lambda: self.leader() not in ("", than) and self.leader()
        return eventually(f"another than {than} leads", other, timeout, interval=0.05)

    def wait_two(self):
        eventually("two replicas are ready", lambda: sum(map(is_ready, self.pods().values())) == 2, timeout=60)

    def signal(self, name, number):
        os.kill(pid_of(self.pods()[name]), number)

    def delete(self, name, **how):
        self.api.delete("Pod", NAMESPACE, name, **how)


def is_ready(pod):
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))


class Cost(threading.Thread):
    """Memory and processor time of the operator while a story runs."""

    def __init__(self, operator):
        super().__init__(daemon=True)
        self.folder = Path(f"/proc/{operator.pid()}")
        self.ended = threading.Event()
        self.peak_kib = self.resident_kib()
        self.begin_seconds = self.cpu_seconds()
        self.start()

    def run(self):
        while not self.ended.wait(0.5):
            self.peak_kib = max(self.peak_kib, self.resident_kib())

    def resident_kib(self):
        fields = dict(line.split(":", 1) for line in (self.folder / "status").read_text().splitlines())
        return int(fields["VmRSS"].split()[0])

    def cpu_seconds(self):
        # After the name in parentheses: field 3 on; 14 and 15 are user and system time.
        fields = (self.folder / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def stop(self):
        self.ended.set()
        self.join()
        return {"peak_rss_mib": round(self.peak_kib / 1024, 1), "cpu_s": round(self.cpu_seconds() - self.begin_seconds, 2)}
