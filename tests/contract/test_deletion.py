"""Deletion and what follows from it. A real cluster's garbage collector takes its time: what it does is waited for."""
import pytest

from conftest import config_map
from server import eventually, path_of


@pytest.fixture
def maps(namespace):
    return path_of("ConfigMap", namespace)


def make(server, maps, name, *owners, block=False, **metadata):
    refs = [{"apiVersion": "v1", "kind": "ConfigMap", "name": o["metadata"]["name"], "uid": o["metadata"]["uid"],
             "blockOwnerDeletion": block} for o in owners]
    thing = config_map(name, **metadata)
    if refs:
        thing["metadata"]["ownerReferences"] = refs
    return server.post(maps, thing).ok(201).body


def is_gone(server, path):
    return lambda: server.get(path).status == 404


def test_a_deletion_says_what_went(server, maps):
    made = make(server, maps, "a")
    reply = server.delete(f"{maps}/a").ok()
    assert reply.body["status"] == "Success" and reply.body["details"] == {
        "name": "a", "kind": "configmaps", "uid": made["metadata"]["uid"]}
    server.get(f"{maps}/a").refused(404, "NotFound")
    server.delete(f"{maps}/a").refused(404, "NotFound")


def test_a_deletion_can_ask_for_identity(server, maps):
    made = make(server, maps, "a")
    server.delete(f"{maps}/a", {"preconditions": {"uid": "other"}}).refused(409, "Conflict", "UID in the precondition (other)")
    server.delete(f"{maps}/a", {"preconditions": {"resourceVersion": "1"}}).refused(
        409, "Conflict", "ResourceVersion in the precondition (1)")
    meta = made["metadata"]
    server.delete(f"{maps}/a", {"preconditions": {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}}).ok()


def test_a_finalizer_keeps_what_is_deleted(server, maps):
    make(server, maps, "a", finalizers=["weir.dev/x", "weir.dev/y"])
    kept = server.delete(f"{maps}/a").ok().body
    assert kept["kind"] == "ConfigMap" and kept["metadata"]["deletionTimestamp"]
    assert kept["metadata"]["deletionGracePeriodSeconds"] == 0
    again = server.delete(f"{maps}/a").ok().body
    assert again["metadata"]["resourceVersion"] == kept["metadata"]["resourceVersion"]
    server.post(maps, config_map("a")).refused(409, "AlreadyExists")
    server.merge(f"{maps}/a", {"metadata": {"finalizers": ["weir.dev/x", "weir.dev/new"]}}).refused(
        422, "Invalid", "no new finalizers can be added if the object is being deleted")
    server.merge(f"{maps}/a", {"metadata": {"deletionTimestamp": None}}).ok()
    assert server.merge(f"{maps}/a", {"metadata": {"finalizers": ["weir.dev/y"]}}).ok().body["metadata"]["deletionTimestamp"]
    server.merge(f"{maps}/a", {"metadata": {"finalizers": None}}).ok()
    assert is_gone(server, f"{maps}/a")()


def test_a_deletion_with_finalizers_is_seen_by_watchers(server, maps):
    begin = server.get(maps).version
    make(server, maps, "a", finalizers=["weir.dev/x"])
    server.delete(f"{maps}/a").ok()
    server.merge(f"{maps}/a", {"metadata": {"finalizers": []}}).ok()
    events = server.watch(maps, lambda events: events[-1]["type"] == "DELETED", resourceVersion=begin,
                          fieldSelector="metadata.name=a")
    assert [e["type"] for e in events][:2] == ["ADDED", "MODIFIED"]
    assert events[1]["object"]["metadata"]["deletionTimestamp"]


def test_a_deletion_is_a_new_generation(server, namespace):
    from conftest import release

    path = path_of("Release", namespace)
    thing = release()
    thing["metadata"]["finalizers"] = ["weir.dev/x"]
    server.post(path, thing).ok(201)
    assert server.delete(f"{path}/shop").ok().body["metadata"]["generation"] == 2
    server.merge(f"{path}/shop", {"metadata": {"finalizers": None}}).ok()


def test_children_go_with_their_owner(server, maps):
    owner = make(server, maps, "owner")
    child = make(server, maps, "child", owner)
    make(server, maps, "grandchild", child)
    server.delete(f"{maps}/owner", {"propagationPolicy": "Background"}).ok()
    assert is_gone(server, f"{maps}/owner")()
    eventually("the child is gone", is_gone(server, f"{maps}/child"))
    eventually("the grandchild is gone", is_gone(server, f"{maps}/grandchild"))


def test_a_child_of_two_stays_with_the_other(server, maps):
    one, two = make(server, maps, "one"), make(server, maps, "two")
    make(server, maps, "child", one, two)
    server.delete(f"{maps}/one").ok()
    eventually("the reference is gone", lambda: [
        o["name"] for o in server.get(f"{maps}/child").body["metadata"]["ownerReferences"]] == ["two"])
    server.delete(f"{maps}/two").ok()
    eventually("the child is gone", is_gone(server, f"{maps}/child"))


def test_a_child_that_comes_late_goes_too(server, maps):
    owner = make(server, maps, "owner")
    server.delete(f"{maps}/owner").ok()
    make(server, maps, "late", owner)
    eventually("the late child is gone", is_gone(server, f"{maps}/late"))


def test_in_the_foreground_children_go_first(server, maps):
    owner = make(server, maps, "owner")
    make(server, maps, "child", owner, block=True, finalizers=["weir.dev/x"])
    kept = server.delete(f"{maps}/owner", {"propagationPolicy": "Foreground"}).ok().body
    assert kept["metadata"]["finalizers"] == ["foregroundDeletion"] and kept["metadata"]["deletionTimestamp"]
    eventually("the child is being deleted", lambda: server.get(f"{maps}/child").body["metadata"].get("deletionTimestamp"))
    assert server.get(f"{maps}/owner").status == 200
    server.merge(f"{maps}/child", {"metadata": {"finalizers": None}}).ok()
    eventually("the owner is gone", is_gone(server, f"{maps}/owner"))
    assert is_gone(server, f"{maps}/child")()


def test_a_child_with_another_owner_is_only_let_go(server, maps):
    owner, other = make(server, maps, "owner"), make(server, maps, "other")
    make(server, maps, "child", owner, other, block=True)
    server.delete(f"{maps}/owner", {"propagationPolicy": "Foreground"}).ok()
    eventually("the owner is gone", is_gone(server, f"{maps}/owner"))
    kept = server.get(f"{maps}/child").ok().body["metadata"]
    assert [each["name"] for each in kept["ownerReferences"]] == ["other"] and "deletionTimestamp" not in kept


def test_children_that_do_not_block_are_not_waited_for(server, maps):
    owner = make(server, maps, "owner")
    make(server, maps, "child", owner, finalizers=["weir.dev/x"])
    server.delete(f"{maps}/owner", {"propagationPolicy": "Foreground"}).ok()
    eventually("the owner is gone", is_gone(server, f"{maps}/owner"))
    eventually("the child is being deleted", lambda: server.get(f"{maps}/child").body["metadata"].get("deletionTimestamp"))
    server.merge(f"{maps}/child", {"metadata": {"finalizers": None}}).ok()


def test_orphans_stay(server, maps):
    owner = make(server, maps, "owner")
    make(server, maps, "child", owner)
    server.delete(f"{maps}/owner", {"propagationPolicy": "Orphan"}).ok()
    eventually("the owner is gone", is_gone(server, f"{maps}/owner"))
    assert "ownerReferences" not in server.get(f"{maps}/child").ok().body["metadata"]


def test_an_owner_has_a_name_and_a_uid(server, maps):
    owner = make(server, maps, "owner")
    for missing in ("apiVersion", "kind", "name", "uid"):
        ref = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
        ref[missing] = ""
        server.post(maps, config_map("child", ownerReferences=[ref])).refused(
            422, "Invalid", f"metadata.ownerReferences.{missing}" if missing != "apiVersion" else "metadata.ownerReferences")


def test_a_policy_must_be_one(server, maps):
    make(server, maps, "a")
    server.delete(f"{maps}/a", {"propagationPolicy": "Sideways"}).refused(422, "Invalid", "propagationPolicy")


def test_many_go_at_once(server, maps):
    for name in "abc":
        make(server, maps, name, labels={"by": "us", "last": str(name == "c")})
    server.delete(maps, labelSelector="by=us,last=False").ok()
    assert [i["metadata"]["name"] for i in server.get(maps, labelSelector="by=us").body["items"]] == ["c"]


def test_a_namespace_takes_everything_along(server, namespace, maps):
    make(server, maps, "a", finalizers=["weir.dev/x"])
    make(server, maps, "b")
    path = path_of("Namespace", name=namespace)
    assert server.get(path).ok().body["status"]["phase"] == "Active"
    server.delete(path).ok()
    assert server.get(path).ok().body["status"]["phase"] == "Terminating"
    causes = server.post(maps, config_map("c")).refused(403, "Forbidden", "because it is being terminated")
    assert causes[0]["reason"] == "NamespaceTerminating"
    eventually("b is gone", is_gone(server, f"{maps}/b"))
    eventually("a is being deleted", lambda: server.get(f"{maps}/a").body["metadata"].get("deletionTimestamp"))
    server.merge(f"{maps}/a", {"metadata": {"finalizers": None}}).ok()
    eventually("the namespace is gone", is_gone(server, path), timeout=60)
