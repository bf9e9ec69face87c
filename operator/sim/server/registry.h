// The verbs of the API by their rules, as kube-apiserver has them. HTTP and the in-process client are thin over it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/server/object_store.h"
#include "sim/server/patching.h"
#include "sim/server/resource.h"
#include "sim/server/selector.h"

namespace weir::sim {

enum class FieldValidation { Ignore, Warn, Strict };

struct WriteOptions {
  std::string manager = "unknown";
  bool force = false;  // of an apply
  bool dry_run = false;
  FieldValidation validation = FieldValidation::Ignore;
  std::vector<std::string>* warnings = nullptr;  // may be null
};

enum class Propagation { Background, Foreground, Orphan };

struct DeleteOptions {
  std::string uid{};               // "" = any
  std::string resource_version{};  // "" = any
  Propagation propagation = Propagation::Background;
  bool dry_run = false;
};

struct ListQuery {
  std::string ns{};  // "" = all
  LabelSelector labels{};
  FieldSelector fields{};
  std::size_t limit = 0;  // 0 = all
  std::string next{};     // continue token
  std::uint64_t at = 0;   // the version to list at; 0 = now
};

struct Page {
  std::vector<Entry> entries;
  std::uint64_t version = 0;
  std::string next;
  std::optional<std::size_t> remaining;
};

struct Written {
  Entry entry;
  bool created = false;
};

// Not thread-safe. `clock` must outlive it.
class Registry {
 public:
  explicit Registry(const Clock& clock) : clock_(clock), store_(clock) {}

  ObjectStore& store() { return store_; }
  const ObjectStore& store() const { return store_; }

  Answer<Entry> get(const Resource& resource, const ObjectKey& key) const;
  Answer<Page> list(const Resource& resource, const ListQuery& query) const;

  Answer<Written> create(const Resource& resource, const std::string& ns, Json object,
                         const WriteOptions& options);
  // subresource: "", "status" or "scale"; of "scale" the body and the answer are an autoscaling/v1 Scale.
  Answer<Written> update(const Resource& resource, const ObjectKey& key,
                         const std::string& subresource, Json object, const WriteOptions& options);
  Answer<Written> patch(const Resource& resource, const ObjectKey& key,
                        const std::string& subresource, PatchKind kind, const Json& body,
                        const WriteOptions& options);
  // The object, when finalizers keep it; else nothing is left.
  Answer<Entry> remove(const Resource& resource, const ObjectKey& key,
                       const DeleteOptions& options);

  // By hand, without rules: the world's way.
  void force_put(const ObjectRef& ref, Json object);
  void force_erase(const ObjectRef& ref);

  Json scale_of(const Resource& resource, const Json& object) const;

 private:
  Answer<Done> check_namespace(const Resource& resource, const std::string& ns,
                               const std::string& name) const;
  Answer<Done> check_object(const Resource& resource, Json& object, const Json* old,
                            const std::string& part, const WriteOptions& options) const;
  Answer<Json> new_object(const Resource& resource, const std::string& ns, Json object);
  // The last steps of every change of an object that is there.
  Answer<Written> finish(const Resource& resource, const ObjectRef& ref, const Entry& old,
                         Json object, std::optional<Managers> managers,
                         const std::string& subresource, const WriteOptions& options);
  Answer<Written> apply(const Resource& resource, const ObjectKey& key,
                        const std::string& subresource, const Json& config,
                        const WriteOptions& options);
  Answer<Written> write_scale(const Resource& resource, const ObjectRef& ref, const Entry& old,
                              const Json& scale, const WriteOptions& options);
  Entry put(const ObjectRef& ref, Json object, std::shared_ptr<const Managers> managers);

  // Deletion: what follows from a write, until nothing follows any more.
  Entry begin_deletion(const Resource& resource, const ObjectRef& ref,
                       const Propagation& propagation);
  void follow_up(const ObjectRef& ref);
  void collect(const ObjectRef& ref);
  void collect_dependents(const std::string& owner_uid);
  void finish_foreground(const std::string& owner_uid);
  void orphan_dependents(const std::string& owner_uid);
  void drop_owners(const ObjectRef& ref, const std::vector<std::string>& uids);
  void empty_namespace(const std::string& name);
  void erase(const ObjectRef& ref);

  const Clock& clock_;
  ObjectStore store_;
  std::uint64_t uids_ = 0;
  std::uint64_t names_ = 0;
};

}  // namespace weir::sim
