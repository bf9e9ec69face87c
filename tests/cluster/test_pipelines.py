"""Pipelines: stages become Jobs, results flow, failures have a class, and what is cancelled stops."""
import os
import subprocess
import time
from pathlib import Path

import pytest

import git_server
from kube import kubectl
from plugin import FAILED, NOT_FOUND
from waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
# With a shell; the Dockerfile of the operator begins with it, so it is on this machine.
SHELL_IMAGE = "docker.io/library/debian:bookworm-slim"
PATIENCE = 300.0
ENDED = ("Succeeded", "Failed", "Cancelled")


@pytest.fixture(scope="session")
def shell_image(operator):
    command = [ROOT / "hack/cluster", "load", SHELL_IMAGE, "--id", os.environ["WEIR_CLUSTER"]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return SHELL_IMAGE


class Pipelines:
    def __init__(self, api, namespace, image):
        self.api, self.namespace, self.image = api, namespace, image

    def stage(self, name, script, **more):
        return {"name": name, "steps": [{"name": "do", "image": self.image, "script": script}], **more}

    def apply(self, name="shop", **spec):
        self.api.apply({"apiVersion": "weir.dev/v1alpha1", "kind": "Pipeline",
                        "metadata": {"name": name, "namespace": self.namespace}, "spec": spec})

    def start(self, run="shop-1", pipeline="shop", **spec):
        self.api.create({"apiVersion": "weir.dev/v1alpha1", "kind": "PipelineRun",
                         "metadata": {"name": run, "namespace": self.namespace},
                         "spec": {"pipelineRef": {"name": pipeline}, **spec}})

    def status(self, run="shop-1"):
        return self.api.get("PipelineRun", self.namespace, run).get("status", {})

    def stages(self, run="shop-1"):
        """(name, combination) -> status"""
        return {(s["name"], s["combination"]): s for s in self.status(run).get("stages", [])}

    def wait(self, what, holds, run="shop-1", timeout=PATIENCE):
        try:
            return eventually(what, lambda: holds(self.status(run)), timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.status(run)}") from None

    def wait_end(self, run="shop-1", timeout=PATIENCE):
        self.wait("the run has ended", lambda s: s.get("phase") in ENDED, run, timeout)
        return self.status(run)

    def wait_running(self, stage, run="shop-1"):
        self.wait(f"stage {stage} runs a step", lambda s: self.step_runs(stage), run)

    def step_runs(self, stage):
        return any("running" in c["state"] for pod in self.pods(stage)
                   for c in pod["status"].get("initContainerStatuses", []) if c["name"] == "step-do")

    def pods(self, stage):
        return self.api.list("Pod", self.namespace, f"weir.dev/stage={stage}")

    def jobs(self, run="shop-1"):
        return self.api.list("Job", self.namespace, f"weir.dev/run={run}")

    def logs(self, stage):
        pod = self.pods(stage)[0]["metadata"]["name"]
        return kubectl("logs", "-n", self.namespace, pod, "-c", "step-do")


@pytest.fixture
def pipelines(api, namespace, shell_image):
    return Pipelines(api, namespace, shell_image)


def test_a_pipeline_runs_in_its_order_and_results_flow(pipelines, figures):
    shop = pipelines
    shop.apply(
        params=[{"name": "whom", "default": "world"}],
        stages=[
            shop.stage("build", 'echo "building for $PARAM_WHOM"; echo 1.2.3 > "$RESULTS/version"; echo built > out.txt',
                       results=[{"name": "version"}]),
            shop.stage("unit", 'echo "os $MATRIX_OS"', needs=["build"], matrix={"axes": [{"name": "os", "values": ["a", "b"]}]}),
            {"name": "pack", "needs": ["unit"], "env": [{"name": "VERSION", "value": "$(stages.build.results.version)"}],
             "steps": [{"name": "write", "image": shop.image, "command": ["sh", "-c", "echo packing $VERSION > note"]},
                       {"name": "do", "image": shop.image, "script": "#!/bin/bash\ncat note; whoami || id -u"}]},
        ],
        **{"finally": [shop.stage("report", 'echo "it has $WEIR_OUTCOME"')]})
    begin = time.time()
    shop.start(params=[{"name": "whom", "value": "Ada"}])
    status = shop.wait_end()
    assert status["phase"] == "Succeeded", status
    figures.add("a pipeline of 4 stages, 5 Jobs", seconds=round(time.time() - begin, 1))
    stages = shop.stages()
    assert {key: s["phase"] for key, s in stages.items()} == dict.fromkeys(
        [("build", ""), ("unit", "os=a"), ("unit", "os=b"), ("pack", ""), ("report", "")], "Succeeded")
    assert stages["build", ""]["results"] == {"version": "1.2.3"}
    assert shop.logs("build") == "building for Ada\n"
    assert shop.logs("pack").splitlines()[0] == "packing 1.2.3" and "1000" in shop.logs("pack")
    assert shop.logs("report") == "it has Succeeded\n"
    assert len(shop.jobs()) == 5
    for before, after in (("build", "unit"), ("unit", "pack"), ("pack", "report")):
        ends = max(s["ended"] for (name, _), s in stages.items() if name == before)
        assert ends <= min(s["started"] for (name, _), s in stages.items() if name == after)
    ready = shop.api.get("Pipeline", shop.namespace, "shop")["status"]["conditions"][0]
    assert (ready["type"], ready["status"]) == ("Ready", "True")


def test_a_failing_stage_says_why_and_stops_only_what_needs_it(pipelines):
    shop = pipelines
    shop.apply(stages=[shop.stage("unit", "echo no; exit 7"), shop.stage("image", "true", needs=["unit"]),
                       shop.stage("docs", "true")],
               **{"finally": [shop.stage("report", 'echo "it has $WEIR_OUTCOME"')]})
    shop.start()
    status = shop.wait_end()
    assert (status["phase"], status["reason"]) == ("Failed", "StageFailed")
    assert status["message"] == "unit: step do failed with exit code 7"
    assert {name: s["phase"] for (name, _), s in shop.stages().items()} == {
        "unit": "Failed", "image": "Skipped", "docs": "Succeeded", "report": "Succeeded"}
    assert shop.stages()["unit", ""]["failure"] == "Test"
    assert shop.logs("report") == "it has Failed\n" and shop.logs("unit") == "no\n", "logs outlive the failure"


JUNIT = """<testsuite><testcase classname="cart" name="add" time="0.5"/>
<testcase classname="cart" name="remove" time="0.25"><failure message="2 is not 1"/></testcase></testsuite>"""


def test_reports_stand_in_status_and_their_bounds_hold(pipelines, weir):
    shop = pipelines
    shop.apply(stages=[
        shop.stage("unit", f"echo '{JUNIT}' > $REPORTS/unit.xml; exit 1",
                   reports=[{"name": "tests", "kind": "JUnit", "path": "unit.xml"}]),
        shop.stage("cover", "printf 'LF:40\\nLH:31\\n' > $REPORTS/lcov.info",
                   reports=[{"name": "coverage", "kind": "LCOV", "path": "*.info", "bounds": [{"figure": "lines", "atLeast": "75"}]}]),
        shop.stage("load", "echo p99_ms 31 > $REPORTS/load",
                   reports=[{"name": "load", "kind": "Figures", "path": "load", "bounds": [{"figure": "p99_ms", "atMost": "20"}]}])])
    shop.start()
    assert shop.wait_end()["phase"] == "Failed"
    stages = {name: s for (name, _), s in shop.stages().items()}
    assert stages["unit"]["message"] == "step do failed with exit code 1; failed: cart.remove"
    assert stages["unit"]["reports"] == [{"name": "tests", "failed": ["cart.remove"], "figures": {
        "tests": "2", "failures": "1", "errors": "0", "skipped": "0", "seconds": "0.75"}}]
    assert stages["cover"]["phase"] == "Succeeded" and stages["cover"]["reports"][0]["figures"] == {"lines": "77.5"}
    assert (stages["load"]["failure"], stages["load"]["message"]) == ("Test", "report load: p99_ms is 31, must be at most 20")
    tree = weir.out("runs", "shop-1")
    print(tree)
    assert "tests: errors 0, failures 1, seconds 0.75, skipped 0, tests 2; failed: cart.remove" in tree


def test_what_may_be_tried_again_is_and_a_step_has_its_time(pipelines):
    shop = pipelines
    shop.apply(stages=[
        shop.stage("flaky", 'case "$WEIR_ATTEMPT" in *-flaky-1-*) exit 1;; esac', retry={"attempts": 2, "classes": ["Test"]}),
        {"name": "slow", "steps": [{"name": "do", "image": shop.image, "script": "sleep 600", "timeout": "2s"}]},
        shop.stage("quiet", "sleep 600", noOutputTimeout="2s"),
        shop.stage("missing", "true", steps=[{"name": "do", "image": shop.image, "command": ["no-such-program"]}])])
    shop.start()
    shop.wait_end()
    stages = {name: s for (name, _), s in shop.stages().items()}
    assert (stages["flaky"]["phase"], stages["flaky"]["attempt"], stages["flaky"]["failures"]) == ("Succeeded", 2, 1)
    assert (stages["slow"]["failure"], stages["slow"]["message"]) == ("Timeout", "step do took too long: ended after 2s")
    assert (stages["quiet"]["failure"], stages["quiet"]["message"]) == (
        "Timeout", "step do wrote nothing for too long: no output for 2s")
    assert stages["missing"]["failure"] == "Config" and "no-such-program: No such file" in stages["missing"]["message"]


def test_a_deleted_pod_uses_up_no_attempt(pipelines):
    shop = pipelines
    shop.apply(stages=[shop.stage("unit", "sleep 5")])
    shop.start()
    shop.wait_running("unit")
    [pod] = shop.pods("unit")
    shop.api.delete("Pod", shop.namespace, pod["metadata"]["name"])
    status = shop.wait_end()
    unit = shop.stages()["unit", ""]
    assert status["phase"] == "Succeeded" and unit.get("failures", 0) == 0, status


def test_cancel_stops_what_runs_and_begins_nothing(pipelines, figures):
    shop = pipelines
    shop.apply(stages=[shop.stage("long", "trap 'exit 0' TERM; sleep 600 & wait"), shop.stage("next", "true", needs=["long"])],
               **{"finally": [shop.stage("report", "true")]})
    shop.start()
    shop.wait_running("long")
    begin = time.time()
    shop.api.merge("PipelineRun", shop.namespace, "shop-1", {"spec": {"desiredState": "Cancelled"}})
    status = shop.wait_end(timeout=60)
    figures.add("cancel of a running stage", seconds=round(time.time() - begin, 1))
    assert (status["phase"], status["reason"]) == ("Cancelled", "Cancelled")
    assert {name: s["phase"] for (name, _), s in shop.stages().items()} == dict.fromkeys(
        ["long", "next", "report"], "Cancelled")
    assert len(shop.jobs()) == 1
    eventually("no pod is left", lambda: not shop.pods("long"), timeout=60)


def test_bad_pipelines_and_runs_start_nothing(pipelines):
    shop = pipelines
    shop.apply("cycle", stages=[shop.stage("a", "true", needs=["b"]), shop.stage("b", "true", needs=["a"])])
    shop.apply("open", stages=[shop.stage("a", "true", env=[{"name": "X", "value": "$(params.no)"}])])
    shop.apply("closed", params=[{"name": "level", "allowed": ["low"]}], stages=[shop.stage("a", "true")])
    for name in ("cycle", "open", "closed"):
        shop.start(f"{name}-1", name)
    assert "spec: found the cycle a -> b -> a" in shop.wait_end("cycle-1")["message"]
    assert "spec.stages[0].env[0].value" in shop.wait_end("open-1")["message"]
    assert "spec.params: found no level" in shop.wait_end("closed-1")["message"]
    for name in ("cycle", "open"):
        ready = shop.api.get("Pipeline", shop.namespace, name)["status"]["conditions"][0]
        assert ready["status"] == "False" and ready["message"].startswith("spec")
    assert not shop.api.list("Job", shop.namespace)


def test_people_run_follow_read_and_cancel(pipelines, weir):
    shop = pipelines
    shop.apply("hello", params=[{"name": "whom", "default": "world"}], stages=[
        shop.stage("greet", 'echo "hello $PARAM_WHOM" | tee "$RESULTS/words"', results=[{"name": "words"}]),
        shop.stage("doubt", "echo why; exit 3", needs=["greet"])])
    told = weir.out("run", "hello", "whom=Ada", "--name", "hello-1", "--watch", code=FAILED)
    assert told.splitlines()[-1] == "hello-1  Failed  doubt: step do failed with exit code 3"
    tree = weir.out("runs", "hello-1")
    assert "words = hello Ada" in tree and "step do failed with exit code 3" in tree
    assert weir.out("logs", "hello-1", "greet").endswith("hello Ada\n")
    failed = weir.out("logs", "hello-1", "--failed")
    assert failed.startswith("==> doubt do (") and failed.endswith("exit code 3\nwhy\n")
    assert "taken over from hello-1" in weir.out(
        "run", "hello", "whom=Ada", "--name", "hello-2", "--rerun-of", "hello-1", "--watch", code=FAILED)
    weir.out("run", "hello", "who=Ada", code=FAILED)
    weir.out("run", "nobody", code=NOT_FOUND)
    shop.apply("long", stages=[shop.stage("wait", "sleep 600")])
    assert weir.out("run", "long", "--name", "long-1") == "pipelinerun.weir.dev/long-1\n"
    shop.wait_running("wait", "long-1")
    assert weir.out("cancel", "long-1") == "long-1: Cancelled\n"
    assert shop.wait_end("long-1", timeout=60)["phase"] == "Cancelled"
    weir.out("cancel", "long-1", code=FAILED)
    assert {line.split()[0] for line in weir.out("runs").splitlines()} == {"NAME", "hello-1", "hello-2", "long-1"}


def test_the_operator_dies_and_the_run_does_not_notice(pipelines, operator):
    shop = pipelines
    stages = [shop.stage("a", "true")] + [shop.stage(name, "sleep 1", needs=[before]) for before, name in ("ab", "bc", "cd")]
    shop.apply(stages=stages)
    shop.start()
    for stage in ("a", "c"):
        shop.wait(f"stage {stage} has begun", lambda s, stage=stage: any(
            t["name"] == stage and t["phase"] != "Waiting" for t in s.get("stages", [])))
        operator.wait_ready()
        operator.kill_process()
    assert shop.wait_end()["phase"] == "Succeeded"
    assert len(shop.jobs()) == len(stages), "each stage began once"


@pytest.fixture
def repositories(tmp_path):
    """A folder, and the URL under which pods reach the repositories in it."""
    with git_server.serving(tmp_path, os.environ["WEIR_HOST_IP"]) as url:
        yield tmp_path, url


def test_each_stage_works_on_the_commit_that_the_run_was_started_for(pipelines, repositories, figures):
    shop = pipelines
    folder, url = repositories
    library, work = folder / "library", folder / "private" / "shop"
    for repository in (library, work):
        repository.mkdir(parents=True)
        git_server.git(repository, "init", "--quiet")
    git_server.commit(library, {"name": "a library\n"})
    git_server.git(work, "submodule", "add", "--quiet", f"{url}/library", "vendor/library")
    first = git_server.commit(work, {"src/version": "1\n"})
    git_server.commit(work, {"src/version": "2\n"})
    kubectl("create", "secret", "generic", "git", "-n", shop.namespace, "--type=kubernetes.io/basic-auth",
            f"--from-literal=username={git_server.USER}", f"--from-literal=password={git_server.PASSWORD}")
    shop.apply(source={"git": {"url": f"{url}/private/shop", "secretRef": {"name": "git"}, "submodules": True}},
               stages=[shop.stage("read", 'cat src/version vendor/library/name; echo "$WEIR_COMMIT" > "$RESULTS/commit"; touch src/made',
                                  results=[{"name": "commit"}]),
                       shop.stage("clean", f"ls -A src; grep -rF '{git_server.PASSWORD}' /workspace/.git /opt/weir || echo no password",
                                  needs=["read"]),
                       shop.stage("without", "ls -A", checkout=False)])
    begin = time.time()
    shop.start(commit=first)
    status = shop.wait_end()
    assert status["phase"] == "Succeeded", status
    figures.add("a pipeline of 3 stages, 2 with a checkout", seconds=round(time.time() - begin, 1))
    assert shop.logs("read") == "1\na library\n"
    assert shop.stages()["read", ""]["results"] == {"commit": first}
    assert shop.logs("clean") == "version\nno password\n", "no stage sees what another has made, nor the Secret"
    assert shop.logs("without") == ""


def test_a_commit_that_cannot_be_had_fails_the_run_with_the_reason(pipelines, repositories):
    shop = pipelines
    folder, url = repositories
    work = folder / "private" / "shop"
    work.mkdir(parents=True)
    git_server.git(work, "init", "--quiet")
    known = git_server.commit(work, {"version": "1\n"})
    shop.apply("open", source={"git": {"url": f"{url}/private/shop"}}, stages=[shop.stage("read", "cat version")])
    kubectl("create", "secret", "generic", "git", "-n", shop.namespace, "--type=kubernetes.io/basic-auth",
            f"--from-literal=username={git_server.USER}", f"--from-literal=password={git_server.PASSWORD}")
    shop.apply(source={"git": {"url": f"{url}/private/shop", "secretRef": {"name": "git"}}}, stages=[shop.stage("read", "cat version")])
    shop.start("no-password", "open", commit=known)
    shop.start("no-commit", commit="0" * 40)
    shop.start("no-word")
    assert "the source refuses the checkout" in shop.wait_end("no-password")["message"]
    assert "spec.commit: the source has no such commit" in shop.wait_end("no-commit")["message"]
    missing = shop.wait_end("no-word")
    assert missing["reason"] == "InvalidRun" and missing["message"].startswith("spec.commit: missing")
    for run in ("no-password", "no-commit"):
        assert len(shop.jobs(run)) == 1 and shop.stages(run)["read", ""]["failure"] == "Config", "what is wrong is not tried again"
    assert not shop.jobs("no-word")
