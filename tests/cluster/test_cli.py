"""`kubectl weir` as people and pipelines use it: the real plugin against the real API server."""
import json
import os
import subprocess
import threading
from pathlib import Path

import yaml

from plugin import FAILED, FORBIDDEN, NOT_FOUND, OK, ROLLED_BACK, TIMED_OUT, USAGE
from story import accepted_weights
from weir_objects import canary_policy, release, step

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "manifests/examples"
STEPS = [step(25, "8s"), step(100)]


class Watching(threading.Thread):
    """`watch` beside a release; `end` returns its lines and exit code."""

    def __init__(self, weir, *words):
        super().__init__(daemon=True)
        command = ["kubectl", "weir", "watch", "-n", weir.namespace, *words]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=weir.environment)

    def end(self):
        out, _ = self.process.communicate(timeout=180)
        return out.splitlines(), self.process.returncode


def test_a_good_release_as_the_command_line_shows_it(shop, weir):
    assert weir("list", "-n", weir.namespace).stderr == "no releases found\n"
    weir.out("get", "shop", code=NOT_FOUND)
    shop.apply_policy(steps=STEPS, watch="5s")
    stable = shop.start("v1", replicas=2)
    with shop.callers(rps=50):
        generation = shop.apply("v2", replicas=2)
        canary = shop.canary_revision(generation)
        watching = Watching(weir, "release/shop")
        weir.out("watch", "shop", "--timeout", "1s", code=TIMED_OUT)
        shop.wait_accepted(canary, 25)
        told = weir.out("explain", "release/shop")
        assert f"{canary} is at step 1 of 2 with 25 % of the traffic" in told
        assert f'service="{shop.namespace}-{shop.name}-{canary}-http-80@kubernetesgateway",code=~"5.."' in told
        assert "Next: " in told and "then 100 %" in told
        head, row = weir.out("list").splitlines()
        assert head.split() == ["NAME", "PHASE", "STEP", "WEIGHTS", "IMAGES", "AGE"]
        assert {f"{stable}=75", f"{canary}=25"} <= set(row.split()[3].split(",")) and "1/2" in row
        lines, code = watching.end()
    assert code == OK and "Healthy" in lines[-1] and any("canary 25 %" in line for line in lines)
    shop.wait_phase("Healthy", generation)
    assert weir.out("watch", "shop").count("\n") == 1
    thing = json.loads(weir.out("get", "shop", "-o", "json"))
    assert thing["kind"] == "Release" and accepted_weights(thing["status"])[canary] == 100
    assert yaml.safe_load(weir.out("get", "shop", "-o", "yaml"))["spec"] == thing["spec"]
    assert weir.out("list", "-o", "name") == "release.weir.dev/shop\n"
    everywhere = weir("list", "-A", "-o", "wide").stdout
    assert f"\n{shop.namespace} " in everywhere and "standard" in everywhere


def test_a_bad_release_as_the_command_line_shows_it(shop, weir):
    shop.apply_policy(steps=[step(25, "60s"), step(100)])
    stable = shop.start("v1", replicas=2)
    with shop.callers(rps=100):
        generation = shop.apply("v2", replicas=2, error_rate=0.5)
        canary = shop.canary_revision(generation)
        lines, code = Watching(weir, "shop").end()
    assert code == ROLLED_BACK and "RolledBack" in lines[-1] and stable in lines[-1]
    told = weir.out("explain", "shop")
    assert f"last rollback: {canary} at " in told and "s from the first bad sample to weight 0" in told
    assert f"until the spec asks for another revision than {canary}" in told


def test_a_release_that_is_stuck_fails_the_pipeline(shop, weir):
    shop.apply("v1", replicas=1, policy="nobody")
    done = weir("watch", "-n", weir.namespace, "shop", "--timeout", "60s", code=FAILED)
    assert "spec.strategy.canary.policyRef.name" in done.stderr
    assert "\npolicy: " in weir.out("explain", "shop")


def test_words_that_are_wrong(weir):
    assert 'did you mean "explain"?' in weir("explian", code=USAGE).stderr
    assert "did you mean --all-namespaces?" in weir("list", "--all-namespace", code=USAGE).stderr
    assert weir("list", "--kubeconfig", "/nonexistent", code=FAILED).stderr
    assert weir("help").stdout.startswith("weir ")


def test_a_person_without_rights_is_told_so(api, weir, tmp_path):
    api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody", "namespace": weir.namespace}})
    token = api.expect("POST", f"/api/v1/namespaces/{weir.namespace}/serviceaccounts/nobody/token",
                       {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}})["status"]["token"]
    config = kubeconfig_with(tmp_path, {"token": token})
    assert "forbidden" in weir("list", "-n", weir.namespace, "--kubeconfig", config, code=FORBIDDEN).stderr
    wrong = kubeconfig_with(tmp_path, {"token": "nonsense"})
    assert token not in weir("list", "--kubeconfig", wrong, code=FORBIDDEN).stderr


def kubeconfig_with(folder, user):
    """The cluster's kubeconfig with another user."""
    config = yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text())
    config["users"] = [{"name": config["contexts"][0]["context"]["user"], "user": user}]
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


def test_a_credential_plugin_is_run_again_when_its_token_is_refused(api, weir, tmp_path):
    """The first token is nonsense, the second real: one call, two runs."""
    token = api.expect("POST", f"/api/v1/namespaces/{weir.namespace}/serviceaccounts/default/token",
                       {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}})["status"]["token"]
    api.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
               "metadata": {"name": "viewer", "namespace": weir.namespace},
               "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
               "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": weir.namespace}]})
    (tmp_path / "token").write_text(token)
    program = tmp_path / "plugin"
    program.write_text(f"""#!/bin/sh
echo run >>{tmp_path}/runs
token=nonsense
[ $(wc -l <{tmp_path}/runs) -lt 2 ] || token=$(cat {tmp_path}/token)
echo "{{\\"apiVersion\\": \\"client.authentication.k8s.io/v1\\", \\"kind\\": \\"ExecCredential\\","
echo " \\"status\\": {{\\"token\\": \\"$token\\"}}}}"
""")
    program.chmod(0o755)
    config = kubeconfig_with(tmp_path, {"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin", "interactiveMode": "Never"}})
    assert weir("list", "-n", weir.namespace, "--kubeconfig", config).stderr == "no releases found\n"
    assert (tmp_path / "runs").read_text().count("run") == 2


def test_completion_offers_what_the_cluster_has(shop, weir):
    shop.apply("v1", replicas=1)
    done = subprocess.run(["kubectl", "__complete", "weir", "explain", "-n", weir.namespace, "sh"], text=True,
                          capture_output=True, env=weir.environment, timeout=60, check=True)
    assert done.stdout.splitlines()[0] == "shop"
    for shell, check in (("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-execute"])):
        script = weir("completion", shell).stdout
        assert "__complete" in script
        if subprocess.run(["which", check[0]], capture_output=True, check=False).returncode == 0:
            subprocess.run(check, input=script, text=True, check=True)


# ---- lint: offline, and of one mind with the API server ----


def test_lint_has_nothing_to_say_about_the_examples(weir):
    done = weir("lint", EXAMPLES, ROOT / "crds")
    assert done.stdout == "" and done.stderr.startswith("2 objects of weir.dev in ")


def test_lint_says_what_the_server_would(weir, namespace):
    thing = release(namespace, "v1")
    thing["spec"]["replcas"] = 3
    things = [canary_policy(namespace, "http://p:9090"), thing]
    done = weir("lint", "-", stdin=yaml.safe_dump_all(things), code=FAILED)
    [line] = done.stdout.splitlines()
    assert line.endswith('error: Release/shop: spec.replcas: unknown field, did you mean "replicas"?'), line
    applied = subprocess.run(["kubectl", "apply", "--dry-run=server", "-f", "-"], input=yaml.safe_dump(thing), text=True,
                             capture_output=True, env=weir.environment, check=False)
    assert applied.returncode and "spec.replcas" in applied.stderr
