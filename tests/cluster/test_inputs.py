"""Wrong inputs: refused with the field's path, or said by a condition of the Release; nothing moves; mended, it goes on."""
import copy
import time
from pathlib import Path

import pytest
import yaml

from kube import APPLY_PATCH, kubectl, path_of
from story import accepted_weights, uids
from weir_objects import canary_policy, errors_at_most, release, step, web_container

TABLE = yaml.safe_load((Path(__file__).parents[1] / "contract/inputs.yaml").read_text(encoding="utf-8"))


def merged(target, patch):
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"])
def test_the_server_and_the_operator_take_the_same_inputs(api, operator, case):
    thing = merged(copy.deepcopy(TABLE["bases"][case["base"]]), case["patch"])
    path = path_of(thing["kind"], thing["metadata"]["namespace"])
    reply = api.request("POST", path, thing, dryRun="All", fieldValidation="Strict")
    message = reply.body.get("message", "")
    assert (reply.status < 300) == case["accepted"], f"{reply.status}: {message}"
    assert case.get("path", "") in message


# ---- what the server refuses, in each way that people send it ----


def test_a_long_name_is_refused(api, namespace):
    reply = api.request("POST", path_of("Release", namespace), release(namespace, "v1", name="a" * 60))
    assert reply.status == 422 and "metadata.name" in reply.body["message"], reply.body


def misspelt(namespace):
    thing = release(namespace, "v1")
    thing["spec"]["replcas"] = 3
    return thing


def test_an_unknown_field_is_refused_by_kubectl(namespace):
    done = kubectl("apply", "-f", "-", stdin=yaml.safe_dump(misspelt(namespace)), check=False)
    assert done.returncode != 0 and "spec.replcas" in done.stderr, done.stderr


def test_an_unknown_field_is_refused_by_server_side_apply(api, namespace):
    reply = api.request("PATCH", path_of("Release", namespace, "shop"), misspelt(namespace), APPLY_PATCH, fieldManager="stories")
    assert reply.status >= 400 and "spec.replcas" in reply.body["message"], reply.body


def test_an_unknown_field_is_pruned_with_a_warning_by_the_raw_api(api, namespace):
    reply = api.request("POST", path_of("Release", namespace), misspelt(namespace))
    assert reply.status == 201 and "replcas" not in reply.body["spec"]
    assert any("spec.replcas" in warning for warning in reply.warnings), reply.warnings


# ---- what only the operator, or the world, can refuse ----


class Mistake:
    """How to make it, what must then be said, and how to mend it. `release` is merged over the right Release, `policy` over the
    right policy's spec."""

    def __init__(self, says, release=None, policy=None, before=None, mend=None):
        self.says, self.release, self.policy = says, release or {}, policy or {}
        self.before, self.mend = before, mend


def pod_spec(**changes):
    return {"spec": {"template": {"spec": changes}}}


def gateway(**changes):
    return {"spec": {"traffic": {"gatewayAPI": changes}}}


def foreign_service(shop):
    shop.api.create({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": shop.name, "namespace": shop.namespace},
        "spec": {"ports": [{"port": 80}]},
    })


def without_foreign_service(shop):
    shop.api.delete("Service", shop.namespace, shop.name)


NO_POLICY = {"spec": {"strategy": {"canary": {"policyRef": {"name": "nobody"}}}}}
NO_IMAGE = pod_spec(containers=[{**web_container(VERSION="v2"), "image": "localhost/nothing:1"}])
BAD_POD = pod_spec(restartPolicy="Never")
BAD_RULE = gateway(rules=[{"matches": [{"path": {"type": "Exact", "value": "no-slash"}}]}])

AT_FIRST = {
    "a policy that does not exist": Mistake("spec.strategy.canary.policyRef.name", NO_POLICY),
    "a gateway that does not exist": Mistake("parentRef", gateway(parentRefs=[{"name": "nobody"}])),
    "a pod that no ReplicaSet may make": Mistake("spec.template.spec.restartPolicy", BAD_POD),
    "a rule that the route refuses": Mistake("path", BAD_RULE),
    "a Service of somebody else": Mistake("not ours", before=foreign_service, mend=without_foreign_service),
    "an image that does not exist": Mistake("0 of 1 pods", NO_IMAGE),
}


def said(status):
    judged = [f"{j['verdict']} {j.get('message', '')}" for j in status.get("judgement", [])]
    return [status.get("message", "")] + [c.get("message", "") for c in status.get("conditions", [])] + judged


def says(text):
    return lambda status: any(text in words for words in said(status))


def make(shop, mistake, version, **how):
    if mistake.before:
        mistake.before(shop)
    if mistake.policy:
        shop.api.apply(merged(canary_policy(shop.namespace, shop.prometheus_url), {"spec": mistake.policy}))
    thing = merged(release(shop.namespace, version, replicas=1, **how), mistake.release)
    return shop.api.apply(thing)["metadata"]["generation"]


def is_ready(status):
    return any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", []))


@pytest.mark.parametrize("mistake", AT_FIRST.values(), ids=AT_FIRST.keys())
def test_a_mistake_in_the_first_release_is_said_and_can_be_mended(shop, mistake):
    shop.apply_policy(steps=[step(50, "1s"), step(100)])
    make(shop, mistake, "v1")
    shop.wait(f"status says {mistake.says!r}", says(mistake.says), timeout=30)
    assert not is_ready(shop.status())
    if mistake.mend:
        mistake.mend(shop)
    shop.start("v1", replicas=1)


LATER = {
    "a policy that does not exist": Mistake("spec.strategy.canary.policyRef.name", NO_POLICY),
    "a pod that no ReplicaSet may make": Mistake("spec.template.spec.restartPolicy", BAD_POD),
    "a rule that the route refuses": Mistake("path", BAD_RULE),
    "an image that does not exist": Mistake("ImagePull", NO_IMAGE),
}


@pytest.mark.parametrize("mistake", LATER.values(), ids=LATER.keys())
def test_a_mistake_in_a_later_release_moves_nothing(shop, mistake):
    shop.apply_policy(steps=[step(50, "1s"), step(100)], objectives=[])
    stable = shop.start("v1", replicas=1)
    before = shop.pods(stable)
    make(shop, mistake, "v2")
    shop.wait(f"status says {mistake.says!r}", says(mistake.says), timeout=30)
    time.sleep(3)
    assert accepted_weights(shop.status())[stable] == 100
    assert all(w.of.get(stable, 0) == 100 for w in shop.written()) and uids(shop.pods(stable)) == uids(before)
    mended = shop.apply("v2", replicas=1)
    final = shop.wait_phase("Healthy", mended)
    assert final["stable"]["revision"] != stable


# A source that cannot be read is no reason to go on, and none to go back.
SOURCES = {
    "a wrong address": Mistake("SourceError", policy={"sources": [{"name": "p", "prometheus": {"url": "http://127.0.0.1:9"}}]}),
    "a name without address": Mistake("SourceError", policy={"sources": [{"name": "p", "prometheus": {"url": "http://nobody:9090"}}]}),
    "a query that is none": Mistake(
        "SourceError", policy={"objectives": [merged(errors_at_most("5%"), {"ratio": {"badQuery": "sum((("}})]}),
}


@pytest.mark.parametrize("mistake", SOURCES.values(), ids=SOURCES.keys())
def test_a_source_that_cannot_be_read_holds_the_first_step(shop, mistake):
    steps = [step(50, "2s"), step(100)]
    shop.apply_policy(steps=steps)
    stable = shop.start("v1", replicas=1)
    mistake.policy["steps"] = steps
    generation = make(shop, mistake, "v2")
    canary = shop.canary_revision(generation)
    shop.wait_accepted(canary, 50)
    shop.wait("the message tells that the source cannot be read",
              lambda s: mistake.says in s.get("message", ""), timeout=30)
    time.sleep(5)
    assert accepted_weights(shop.status()) == {stable: 50, canary: 50}
    # A policy is pinned when a release starts: mended, it is the next release's.
    shop.apply_policy(steps=steps, objectives=[])
    mended = shop.apply("v3", replicas=1)
    final = shop.wait_phase("Healthy", mended)
    assert final["stable"]["revision"] not in (stable, canary)
    assert canary not in [r for w in shop.written()[-1:] for r, weight in w.of.items() if weight]
