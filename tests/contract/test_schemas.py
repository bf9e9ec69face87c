"""What the definitions in crds/ refuse, fill in and drop, on both servers alike."""
import copy

import pytest

from conftest import TABLE, release
from server import path_of


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


def test_the_table_is_long_enough():
    assert len(TABLE["cases"]) >= 60


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"])
def test_an_input(server, namespace, case):
    thing = merged(copy.deepcopy(TABLE["bases"][case["base"]]), case["patch"])
    thing["metadata"]["namespace"] = namespace
    reply = server.post(path_of(thing["kind"], namespace), thing, fieldValidation="Strict")
    assert (reply.status == 201) == case["accepted"], f"{reply.status}: {reply.body.get('message')}"
    if not case["accepted"]:
        assert case.get("path", "") in reply.message
        return
    if "stored" in case:
        assert reply.body["spec"] == case["stored"]
    again = server.get(path_of(thing["kind"], namespace, thing["metadata"]["name"])).ok().body
    assert again["spec"] == reply.body["spec"]


def odd(**metadata):
    thing = release(odd=1)
    thing["spec"]["service"]["colour"] = "red"
    thing["spec"]["template"]["spec"]["anything"] = {"may": "stand", "here": None}
    thing["metadata"].update(metadata)
    return thing


def test_unknown_fields_are_dropped_with_a_warning(server, namespace):
    reply = server.post(path_of("Release", namespace), odd()).ok(201)
    spec = reply.body["spec"]
    assert "odd" not in spec and "colour" not in spec["service"]
    assert spec["template"]["spec"]["anything"]["may"] == "stand"
    assert sorted(reply.warnings) == ['299 - "unknown field \\"spec.odd\\""', '299 - "unknown field \\"spec.service.colour\\""']


def test_unknown_fields_can_be_ignored(server, namespace):
    assert server.post(path_of("Release", namespace), odd(), fieldValidation="Ignore").ok(201).warnings == []


def test_unknown_fields_can_be_refused(server, namespace):
    path = path_of("Release", namespace)
    reply = server.post(path, odd(), fieldValidation="Strict")
    reply.refused(400, "BadRequest", 'unknown field "spec.odd"')
    assert 'unknown field "spec.service.colour"' in reply.message
    server.post(path, release()).ok(201)
    server.merge(f"{path}/shop", {"spec": {"odd": 1}}, fieldValidation="Strict").refused(
        422, "Invalid", "unknown field")


def test_an_unknown_field_of_metadata_is_dropped(server, namespace):
    reply = server.post(path_of("Release", namespace), release() | {"metadata": {"name": "shop", "odd": 1}}).ok(201)
    assert "odd" not in reply.body["metadata"] and reply.warnings == ['299 - "unknown field \\"metadata.odd\\""']


@pytest.mark.parametrize("spec, field, reason", [
    ({"replicas": -1}, "spec.replicas", "FieldValueInvalid"),
    ({"replicas": "3"}, "spec.replicas", "FieldValueTypeInvalid"),
    ({"lifecycle": "Sleep"}, "spec.lifecycle", "FieldValueNotSupported"),
    ({"service": {}}, "spec.service.ports", "FieldValueRequired"),
    ({"service": {"ports": []}}, "spec.service.ports", "FieldValueInvalid"),
    ({"service": {"ports": [{"name": "a", "port": 1}, {"name": "a", "port": 2}]}}, "spec.service.ports[1]", "FieldValueDuplicate"),
    ({"service": {"name": "x" * 64, "ports": [{"name": "a", "port": 1}]}}, "spec.service.name", "FieldValueTooLong"),
    ({"service": {"name": "A", "ports": [{"name": "a", "port": 1}]}}, "spec.service.name", "FieldValueInvalid"),
    ({"keepWarm": {"for": ""}}, "spec.keepWarm.for", "FieldValueInvalid"),
    ({"template": {"spec": {"containers": [{"image": "a"}]}}}, "spec.template.spec.containers[0].name", "FieldValueRequired"),
    ({"images": [{"container": f"c{i}", "image": "a"} for i in range(65)]}, "spec.images", "FieldValueTooMany"),
])
def test_a_refusal_names_the_field_and_the_reason(server, namespace, spec, field, reason):
    reply = server.post(path_of("Release", namespace), release(**spec))
    causes = reply.refused(422, "Invalid", field)
    assert (field, reason) in [(cause.get("field"), cause["reason"]) for cause in causes], causes
    assert reply.body["details"]["kind"] == "Release" and reply.body["details"]["group"] == "weir.dev"


@pytest.mark.parametrize("spec, words", [
    ({"replicas": -1}, "Invalid value: -1: spec.replicas in body should be greater than or equal to 0"),
    ({"replicas": 10001}, "Invalid value: 10001: spec.replicas in body should be less than or equal to 10000"),
    ({"replicas": "3"}, 'Invalid value: "string": spec.replicas in body must be of type integer: "string"'),
    ({"lifecycle": "Sleep"}, 'Unsupported value: "Sleep": supported values: "PreStopSleep", "AsGiven"'),
    ({"service": {"ports": []}}, "Invalid value: 0: spec.service.ports in body should have at least 1 items"),
    ({"service": {"ports": [{"name": "a", "port": 1}, {"name": "a", "port": 2}]}}, 'Duplicate value: {"name":"a"}'),
    ({"service": {"name": "A", "ports": [{"name": "a", "port": 1}]}},
     """Invalid value: "A": spec.service.name in body should match '^[a-z]([-a-z0-9]*[a-z0-9])?$'"""),
    ({"service": {"name": "x" * 64, "ports": [{"name": "a", "port": 1}]}}, "Too long: may not be more than 63 bytes"),
    ({"keepWarm": {"for": ""}}, 'Invalid value: "": spec.keepWarm.for in body should be at least 1 chars long'),
    ({"images": [{"container": f"c{i}", "image": "a"} for i in range(65)]}, "Too many: 65: must have at most 64 items"),
])
def test_refusals_read_alike(server, namespace, spec, words):
    reply = server.post(path_of("Release", namespace), release(**spec))
    assert words in [cause["message"] for cause in reply.refused(422, "Invalid")], reply.body


def test_what_was_wrong_before_may_stay(server, namespace):
    """Nobody has to mend what he does not touch: a change elsewhere is taken."""
    path = path_of("Release", namespace)
    server.post(path, release()).ok(201)
    server.merge(f"{path}/shop/status", {"status": {"phase": "Healthy", "replicas": 3}}).ok()
    assert server.merge(f"{path}/shop/status", {"status": {"message": "x"}}).ok().body["status"] == {
        "phase": "Healthy", "replicas": 3, "message": "x"}


def test_nulls_become_defaults_or_nothing(server, namespace):
    path = path_of("Release", namespace)
    server.post(path, release(replicas=None, images=None)).ok(201)
    spec = server.get(f"{path}/shop").body["spec"]
    assert spec["replicas"] == 1 and "images" not in spec
    assert server.merge(f"{path}/shop", {"spec": {"lifecycle": None}}).ok().body["spec"]["lifecycle"] == "PreStopSleep"
