"""Server-side apply: who owns what, and what becomes of it."""
import pytest

from conftest import config_map, release, replica_set
from server import path_of


@pytest.fixture
def maps(namespace):
    return path_of("ConfigMap", namespace)


@pytest.fixture
def releases(namespace):
    return path_of("Release", namespace)


def map_of(data, name="a", **metadata):
    thing = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}}
    return {**thing, "data": data} if data else thing


def part(name="shop", **fields):
    return {"apiVersion": "weir.dev/v1alpha1", "kind": "Release", "metadata": {"name": name}, **fields}


def fields_of(thing, manager, operation="Apply", sub=""):
    for entry in thing["metadata"].get("managedFields", []):
        if (entry["manager"], entry["operation"], entry.get("subresource", "")) == (manager, operation, sub):
            return entry["fieldsV1"]
    return None


def test_apply_makes_what_is_not_there(server, maps):
    made = server.apply(f"{maps}/a", map_of({"x": "1"})).ok(201).body
    assert made["data"] == {"x": "1"} and fields_of(made, "contract") == {"f:data": {"f:x": {}}}
    again = server.apply(f"{maps}/a", map_of({"x": "1"})).ok().body
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_what_a_manager_no_longer_sends_goes(server, maps):
    server.apply(f"{maps}/a", map_of({"x": "1", "y": "1"}, labels={"a": "b"})).ok(201)
    server.apply(f"{maps}/a", map_of({"z": "1"}), manager="other").ok()
    after = server.apply(f"{maps}/a", map_of({"x": "1"})).ok().body
    assert after["data"] == {"x": "1", "z": "1"} and "labels" not in after["metadata"]


def test_what_somebody_else_sends_too_stays(server, maps):
    server.apply(f"{maps}/a", map_of({"x": "1"})).ok(201)
    server.apply(f"{maps}/a", map_of({"x": "1"}), manager="other").ok()
    after = server.apply(f"{maps}/a", map_of({})).ok().body
    assert after["data"] == {"x": "1"} and fields_of(after, "other") == {"f:data": {"f:x": {}}}


def test_a_conflict_names_the_managers(server, maps):
    server.apply(f"{maps}/a", map_of({"x": "1", "y": "1"})).ok(201)
    reply = server.apply(f"{maps}/a", map_of({"x": "2", "y": "1"}), manager="other")
    causes = reply.refused(409, "Conflict", 'conflict with "contract"')
    assert causes == [{"reason": "FieldManagerConflict", "message": 'conflict with "contract"', "field": ".data.x"}]
    assert reply.message.startswith("Apply failed with 1 conflict: ") and reply.message.endswith(": .data.x")
    assert server.get(f"{maps}/a").body["data"] == {"x": "1", "y": "1"}


def test_two_conflicts_are_both_named(server, maps):
    server.apply(f"{maps}/a", map_of({"x": "1", "y": "1"})).ok(201)
    causes = server.apply(f"{maps}/a", map_of({"x": "2", "y": "2"}), manager="other").refused(
        409, "Conflict", "Apply failed with 2 conflicts: ")
    assert [cause["field"] for cause in causes] == [".data.x", ".data.y"]


def test_force_takes_it(server, maps):
    server.apply(f"{maps}/a", map_of({"x": "1", "y": "1"})).ok(201)
    after = server.apply(f"{maps}/a", map_of({"x": "2"}), manager="other", force="true").ok().body
    assert after["data"] == {"x": "2", "y": "1"}
    assert fields_of(after, "contract") == {"f:data": {"f:y": {}}} and fields_of(after, "other") == {"f:data": {"f:x": {}}}
    assert server.apply(f"{maps}/a", map_of({"y": "1"})).ok().body["data"] == {"x": "2", "y": "1"}


def test_any_other_write_owns_too(server, maps):
    server.post(maps, config_map("a", data={"x": "1"}), fieldManager="maker").ok(201)
    server.apply(f"{maps}/a", map_of({"x": "2"})).refused(409, "Conflict", 'conflict with "maker" using v1')
    server.merge(f"{maps}/a", {"data": {"y": "1"}}, fieldManager="patcher").ok()
    causes = server.apply(f"{maps}/a", map_of({"y": "2"})).refused(409, "Conflict", "patcher")
    assert causes[0]["field"] == ".data.y"
    after = server.merge(f"{maps}/a", {"data": {"x": "3"}}, fieldManager="patcher").ok().body
    assert fields_of(after, "patcher", "Update") == {"f:data": {"f:x": {}, "f:y": {}}}


def test_a_write_takes_fields_from_an_applier(server, maps):
    server.apply(f"{maps}/a", map_of({"x": "1", "y": "1"})).ok(201)
    after = server.merge(f"{maps}/a", {"data": {"x": "2"}}, fieldManager="patcher").ok().body
    assert fields_of(after, "contract") == {"f:data": {"f:y": {}}}
    causes = server.apply(f"{maps}/a", map_of({"x": "1", "y": "1"})).refused(409, "Conflict", "patcher")
    assert [cause["field"] for cause in causes] == [".data.x"]


def test_lists_of_named_things_are_merged(server, releases):
    server.post(releases, release(), fieldManager="maker").ok(201)
    ports = [{"name": "admin", "port": 81}]
    after = server.apply(f"{releases}/shop", part(spec={"service": {"ports": ports}})).ok().body
    assert sorted(p["name"] for p in after["spec"]["service"]["ports"]) == ["admin", "http"]
    assert after["spec"]["service"]["ports"][[p["name"] for p in after["spec"]["service"]["ports"]].index("admin")]["protocol"] == "TCP"
    causes = server.apply(f"{releases}/shop", part(spec={"service": {"ports": [{"name": "http", "port": 82}]}})).refused(409, "Conflict")
    assert causes[0]["field"] == '.spec.service.ports[name="http"].port'
    after = server.apply(f"{releases}/shop", part(spec={"replicas": 1})).ok().body
    assert [p["name"] for p in after["spec"]["service"]["ports"]] == ["http"]


def test_other_lists_are_one_thing(server, releases):
    server.post(releases, release(), fieldManager="maker").ok(201)
    refs = {"traffic": {"gatewayAPI": {"parentRefs": [{"name": "other"}]}}}
    causes = server.apply(f"{releases}/shop", part(spec=refs)).refused(409, "Conflict")
    assert causes[0]["field"] == ".spec.traffic.gatewayAPI.parentRefs"
    after = server.apply(f"{releases}/shop", part(spec=refs), force="true").ok().body
    assert after["spec"]["traffic"]["gatewayAPI"]["parentRefs"] == [{"name": "other"}]


def test_status_is_applied_by_itself(server, releases):
    server.apply(f"{releases}/shop", release()).ok(201)
    first = {"phase": "Progressing", "message": "m", "weights": [{"revision": "a", "weight": 90}, {"revision": "b", "weight": 10}]}
    after = server.apply(f"{releases}/shop/status", part(spec={"replicas": 9}, status=first)).ok().body
    assert after["status"] == first and after["spec"]["replicas"] == 1
    assert fields_of(after, "contract", sub="status")["f:status"]["f:phase"] == {}
    second = {"phase": "Healthy", "weights": [{"revision": "a", "weight": 100}]}
    after = server.apply(f"{releases}/shop/status", part(status=second)).ok().body
    assert after["status"] == second
    # The other part of the same manager is untouched, and no write when nothing changes.
    version = server.apply(f"{releases}/shop/status", part(status=second)).ok().version
    assert server.apply(f"{releases}/shop", release()).ok().version == version


def test_apply_of_the_spec_ignores_status(server, releases):
    server.apply(f"{releases}/shop", {**release(), "status": {"phase": "Healthy"}}).ok(201)
    assert "status" not in server.get(f"{releases}/shop").body


def test_defaults_are_nobodys(server, releases):
    server.apply(f"{releases}/shop", release()).ok(201)
    server.apply(f"{releases}/shop", part(spec={"replicas": 5}), manager="scaler").ok()
    assert server.apply(f"{releases}/shop", release()).ok().body["spec"]["replicas"] == 5


def test_the_scaler_owns_replicas(server, releases):
    server.apply(f"{releases}/shop", release(replicas=2)).ok(201)
    server.merge(f"{releases}/shop/scale", {"spec": {"replicas": 4}}, fieldManager="scaler").ok()
    causes = server.apply(f"{releases}/shop", release(replicas=2)).refused(409, "Conflict", "scaler")
    assert causes[0]["field"] == ".spec.replicas"
    assert server.apply(f"{releases}/shop", release()).ok().body["spec"]["replicas"] == 4


def test_built_in_lists_have_keys_too(server, namespace):
    path = path_of("ReplicaSet", namespace)
    server.apply(f"{path}/web", replica_set()).ok(201)
    more = replica_set()
    more["spec"] = {"template": {"spec": {"containers": [{"name": "web", "env": [{"name": "A", "value": "1"}]}]}}}
    server.apply(f"{path}/web", more, manager="other").ok()
    after = server.apply(f"{path}/web", replica_set()).ok().body
    container = after["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "web:1" and container["env"] == [{"name": "A", "value": "1"}]


def test_finalizers_are_a_set(server, maps):
    server.apply(f"{maps}/a", map_of({}, finalizers=["weir.dev/a"])).ok(201)
    after = server.apply(f"{maps}/a", map_of({}, finalizers=["weir.dev/b"]), manager="other").ok().body
    assert sorted(after["metadata"]["finalizers"]) == ["weir.dev/a", "weir.dev/b"]
    after = server.apply(f"{maps}/a", map_of({})).ok().body
    assert after["metadata"]["finalizers"] == ["weir.dev/b"]
    server.apply(f"{maps}/a", map_of({}), manager="other").ok()


def test_identity_can_be_demanded(server, maps, releases):
    for path, thing in ((maps, map_of({"x": "1"})), (releases, release("a"))):
        made = server.apply(f"{path}/a", thing).ok(201).body
        right = {**thing, "metadata": {"name": "a", "uid": made["metadata"]["uid"]}}
        server.apply(f"{path}/a", right).ok()
        other = {**thing, "metadata": {"name": "a", "uid": "00000000-dead-4000-8000-000000000000"}}
        server.apply(f"{path}/a", other).refused(422, "Invalid", "metadata.uid")
        other["metadata"]["name"] = "b"
        server.apply(f"{path}/b", other).refused(409, "Conflict", "uid mismatch")
        stale = {**thing, "metadata": {"name": "a", "resourceVersion": "1"}}
        server.apply(f"{path}/a", stale).refused(409, "Conflict", "the object has been modified")


def test_an_apply_must_be_one(server, maps, releases):
    server.apply(f"{maps}/a", {"metadata": {"name": "a"}}).refused(400, "BadRequest", "invalid object type")
    server.apply(f"{maps}/a", map_of({}, name="b")).refused(400, "BadRequest", "does not match the name on the URL")
    server.apply(f"{maps}/a", map_of({}, managedFields=[{"manager": "x"}])).refused(400, "BadRequest", "managedFields must be nil")
    server.request("PATCH", f"{maps}/a", map_of({}), "application/apply-patch+yaml").refused(422, "Invalid", "fieldManager: Required value")
    server.apply(f"{releases}/shop/status", part(status={})).refused(404, "NotFound")
    server.apply(f"{releases}/shop", {**release(), "spec": {"odd": 1}}).refused(500, "", ".spec.odd: field not declared in schema")
    server.apply(f"{releases}/shop", release(replicas=-1)).refused(422, "Invalid", "spec.replicas")


def test_ownership_can_be_moved_by_hand(server, maps):
    made = server.apply(f"{maps}/a", map_of({"x": "1"})).ok(201).body
    entry = {**made["metadata"]["managedFields"][0], "manager": "heir"}
    after = server.json_patch(f"{maps}/a", [{"op": "replace", "path": "/metadata/managedFields", "value": [entry]}]).ok().body
    assert fields_of(after, "contract") is None and fields_of(after, "heir") == {"f:data": {"f:x": {}}}
