#include "delivery/release_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "base/json.h"
#include "base/time_format.h"

namespace weir {
namespace {

constexpr std::size_t kNameHash = 10;         // symbols
constexpr milliseconds kLongStart{20'000};    // of a pod whose containers are being created
constexpr milliseconds kLookedAtFor{10'000};  // of each minute
constexpr milliseconds kLookedAtEvery{60'000};

// The template with something else in the place of the names of its config.
std::string hash_with(const Json& pod_template, const std::vector<ConfigRef>& refs,
                      const ConfigAnswers* contents) {
  ConfigNames names;
  for (const auto& ref : refs)
    names[ref] = ref.name + "@" + (contents ? contents->at(ref)->hash : "");
  return revision_of(with_names(pod_template, names));
}

std::string why_not_read(const ReleaseConfig& config, const ConfigRef& ref, const std::string& ns,
                         const Error& error) {
  const auto kind = kind_of(ref).name;
  if (error.kind == ErrorKind::NotFound)
    return fmt::format("{}: found \"{}\", must be the name of a {} in namespace {}",
                       field_of(config, ref), ref.name, kind, ns);
  if (error.kind == ErrorKind::Forbidden)
    return fmt::format(
        "{}: Weir may not read {} {}/{}; `kubectl weir lint --rbac` prints the Role that grants it",
        field_of(config, ref), kind, ns, ref.name);
  return fmt::format("{}: {} {}/{} could not be read: {}", field_of(config, ref), kind, ns,
                     ref.name, error.message);
}

// Why the content cannot be used; nothing when it can.
std::optional<Error> fault_of(const Release& release, const ConfigAnswers& answers) {
  const auto& config = release.spec->config;
  std::size_t bytes = 0;
  for (const auto& ref : refs_of(config)) {
    const auto found = answers.find(ref);
    if (found == answers.end()) return Error{ErrorKind::Internal, "an object was not asked for"};
    const auto& answer = found->second;
    if (!answer)
      return Error{answer.error().kind,
                   why_not_read(config, ref, release.meta.key.ns, answer.error())};
    bytes += answer->bytes;
  }
  if (bytes > kMaxConfigBytes)
    return Error{ErrorKind::Invalid,
                 fmt::format("spec.config: found {} bytes in all, must be at most {}", bytes,
                             kMaxConfigBytes)};
  return std::nullopt;
}

// While the content cannot be told, a revision that was made of the same template is taken to have it still: that an object is gone
// changes nothing for what runs.
std::string presumed(const ReleaseSnapshot& snapshot) {
  const auto base = hash_with(*snapshot.pod_template, refs_of(snapshot.spec().config), nullptr);
  const auto& traffic = snapshot.traffic;
  const auto phase = snapshot.release->status.phase;
  std::vector<std::string> candidates{traffic.canary, traffic.stable};
  if (traffic.rollback && (phase == Phase::RolledBack || phase == Phase::RollingBack))
    candidates.insert(candidates.begin(), traffic.rollback->revision);
  for (const auto& revision : candidates) {
    const auto mark = config_mark_of(snapshot.revision(revision));
    if (mark && mark->base == base) return revision;
  }
  return "";
}

Json copy_body(const ReleaseSnapshot& snapshot, const ConfigRef& ref, const std::string& name,
               const Json& parts) {
  const auto& set = snapshot.revision(snapshot.wanted).replica_set->meta;
  const auto& release = snapshot.release->meta.key;
  Json body = parts;
  body["apiVersion"] = "v1";
  body["kind"] = kind_of(ref).name;
  body["immutable"] = true;
  body["metadata"] = {{"name", name},
                      {"namespace", release.ns},
                      {"labels",
                       {{std::string(marks::kRelease), release.name},
                        {std::string(marks::kRevision), snapshot.wanted}}},
                      {"ownerReferences", Json::array({Json{{"apiVersion", "apps/v1"},
                                                            {"kind", "ReplicaSet"},
                                                            {"name", set.key.name},
                                                            {"uid", set.uid},
                                                            {"controller", true}}})}};
  return body;
}

bool waits_to_start(const PodView& pod) {
  if (pod.finished || pod.ready || !pod.trouble) return false;
  const auto& reason = pod.trouble->reason;
  return reason == "CreateContainerConfigError" || reason == "ContainerCreating" ||
         reason == "PodInitializing";
}

}  // namespace

std::string revision_with(const Json& pod_template, const ConfigAnswers& contents) {
  std::vector<ConfigRef> refs;
  for (const auto& [ref, content] : contents) refs.push_back(ref);
  return hash_with(pod_template, refs, &contents);
}

void observe_config(ReleaseSnapshot& snapshot, ConfigReading reading) {
  if (!snapshot.pod_template) return;
  const auto& release = *snapshot.release;
  auto& config = snapshot.config;
  config.refs = refs_of(release.spec->config);
  config.reading = std::move(reading);
  if (config.refs.empty()) {
    snapshot.wanted = revision_of(*snapshot.pod_template);
    return;
  }
  const auto& answers = config.reading.answers;
  config.unread = !answers || config.reading.answered != release.meta.generation;
  if (!config.unread) config.fault = fault_of(release, *answers);
  snapshot.wanted =
      config.known() ? revision_with(*snapshot.pod_template, *answers) : presumed(snapshot);
}

std::string encode_config_mark(const ConfigMark& mark) {
  Json copies = Json::array();
  for (const auto& [ref, copy] : mark.copies)
    copies.push_back({{"kind", kind_of(ref).name}, {"name", ref.name}, {"copy", copy}});
  return dump_json(Json{{"base", mark.base}, {"copies", std::move(copies)}});
}

std::optional<ConfigMark> config_mark_of(const RevisionView& view) {
  if (!view.replica_set) return std::nullopt;
  const auto& annotations = view.replica_set->meta.annotations;
  const auto found = annotations.find(marks::kConfig);
  if (found == annotations.end()) return std::nullopt;
  const auto json = parse_json(found->second);
  if (!json) return std::nullopt;
  ConfigMark mark{json_text(*json, {"base"}), {}};
  for (const auto& copy : json_at(*json, {"copies"})) {
    const bool secret = json_text(copy, {"kind"}) == kind_of({true, ""}).name;
    mark.copies[{secret, json_text(copy, {"name"})}] = json_text(copy, {"copy"});
  }
  return mark;
}

ConfigMark new_config_mark(const ReleaseSnapshot& snapshot, WallTime now) {
  const auto& release = *snapshot.release;
  ConfigMark mark{hash_with(*snapshot.pod_template, snapshot.config.refs, nullptr), {}};
  for (const auto& ref : snapshot.config.refs) {
    const auto text = fmt::format("{} {} {} {} {}", release.meta.uid, snapshot.wanted,
                                  kind_of(ref).name, ref.name, format_time_micro(now));
    mark.copies[ref] = child_name(release, snapshot.wanted) + "-" + short_hash(text, kNameHash);
  }
  return mark;
}

std::vector<CreateObject> config_copies(const ReleaseSnapshot& snapshot) {
  std::vector<CreateObject> creates;
  const auto& view = snapshot.revision(snapshot.wanted);
  const auto mark = config_mark_of(view);
  if (!mark || !snapshot.config.known()) return creates;
  for (const auto& [ref, name] : mark->copies) {
    const auto content = snapshot.config.reading.answers->find(ref);
    if (content == snapshot.config.reading.answers->end()) continue;
    CreateObject create{kind_of(ref),
                        {snapshot.release->meta.key.ns, name},
                        copy_body(snapshot, ref, name, content->second->parts),
                        view.replica_set->meta.uid};
    create.unmistakable = true;
    creates.push_back(std::move(create));
  }
  return creates;
}

bool may_lack_copies(const RevisionView& view, WallTime now, Plan& plan) {
  if (!config_mark_of(view) || view.lacks_config()) return false;
  bool lacks = false;
  for (const auto& pod : view.pods) {
    if (!waits_to_start(*pod) || !pod->meta.created) continue;
    const auto waited = now - (*pod->meta.created + kLongStart);
    const auto minutes = waited < WallTime::duration(0) ? 0 : waited / kLookedAtEvery + 1;
    plan.look_again_at(*pod->meta.created + kLongStart + minutes * kLookedAtEvery);
    lacks |= minutes > 0 && waited % kLookedAtEvery < kLookedAtFor;
  }
  return lacks;
}

void add_config_reading(const ReleaseSnapshot& snapshot, WallTime now, Plan& plan) {
  const auto& config = snapshot.config;
  if (config.refs.empty()) return;
  const auto& release = snapshot.release->meta;
  const auto& reading = config.reading;
  const bool current = reading.asked && reading.generation == release.generation;
  if (current && reading.waiting) return;  // its answer wakes the release
  const auto age = config.known() ? kConfigAge : kConfigRetry;
  if (current && now < *reading.asked + age) return plan.look_again_at(*reading.asked + age);
  auto question = std::make_shared<ConfigQuestion>();
  question->release_uid = release.uid;
  question->generation = release.generation;
  question->refs = config.refs;
  question->asked = now;
  plan.actions.emplace_back(StartMeasurement{release.key, std::move(question)});
}

}  // namespace weir
