// Between a Reflector (JSON) and a Store (typed): decodes, stores, and tells who is concerned.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "runtime/reflector.h"
#include "runtime/store.h"

namespace weir {

// T has `meta`. `store` must outlive the sink. `on_change` sees an object before it (null: new) and after it (null: gone); it is
// called from the reflector's thread and must be cheap: it turns a change into keys on a work queue.
template <typename T>
class StoreSink final : public ObjectSink {
 public:
  using Decode = std::function<Result<T>(const Json&)>;
  using OnChange = std::function<void(const T* before, const T* after)>;

  StoreSink(Store<T>& store, Decode decode, OnChange on_change)
      : store_(store), decode_(std::move(decode)), on_change_(std::move(on_change)) {}

  void put(const Json& object) override {
    if (auto entry = decode(object)) {
      const auto before = store_.put(entry);
      on_change_(before.get(), entry.get());
    }
  }

  void erase(const Json& object) override {
    if (const auto entry = decode(object)) {
      const auto before = store_.erase(entry->meta.key, entry->meta.resource_version);
      on_change_(before ? before.get() : entry.get(), nullptr);
    }
  }

  void put_page(std::vector<Json> objects) override {
    for (auto& object : objects) {
      if (auto entry = decode(object)) listed_.push_back(std::move(entry));
      object = nullptr;  // one tree at a time: a page of them is the peak of our memory
    }
  }

  void replace_all(const std::string& resource_version) override {
    const auto list = std::exchange(listed_, {});
    const auto gone = store_.replace_all(list, resource_version);
    for (const auto& entry : gone) on_change_(entry.get(), nullptr);
    for (const auto& entry : list) on_change_(nullptr, entry.get());
  }

  void drop_pages() override { listed_.clear(); }

  // The answer to a write of ours. It concerns nobody new: the writer looks again by itself when the watch delivers it.
  void put_own(const Json& object) {
    if (auto entry = decode(object)) store_.put_own(std::move(entry));
  }

 private:
  // An object that cannot be read is left out and said; the watch lives on.
  std::shared_ptr<const T> decode(const Json& object) {
    auto decoded = decode_(object);
    if (!decoded) {
      log_error("unreadable object", {{"error", to_string(decoded.error())}});
      return nullptr;
    }
    return std::make_shared<const T>(std::move(*decoded));
  }

  Store<T>& store_;
  Decode decode_;
  OnChange on_change_;
  std::vector<std::shared_ptr<const T>> listed_;  // of a list in progress
};

}  // namespace weir
