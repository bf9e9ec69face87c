#include "sim/instance.h"

#include <algorithm>

#include "base/json.h"
#include "kube/kinds.h"
#include "plugins/all.h"
#include "sim/inputs.h"
#include "sim/pipeline_bugs.h"

namespace weir::sim {
namespace {

constexpr SimTime kSourceLag = milliseconds(50);
constexpr SimTime kReadLag = milliseconds(20);
constexpr SimTime kBookmarkEvery = seconds(30);
const Deadline kNever(SteadyTime::max());

JobSettings job_settings() { return {"weir:1", "checkout:1"}; }

}  // namespace

// ---- watches ----

WatchThreads::WatchThreads(const Network& network, FaultyApi& api, std::vector<Feed> feeds)
    : net_(network), api_(api) {
  for (auto& feed : feeds) {
    const auto lag = static_cast<double>(net_.faults.watch_lag_max.count()) * net_.random.uniform();
    Watch watch;
    watch.reflector = std::make_unique<Reflector>(*feed.sink, net_.random);
    watch.feed = std::move(feed);
    watch.lag = SimTime(static_cast<std::int64_t>(lag));
    watches_.push_back(std::move(watch));
  }
}

bool WatchThreads::synced() const {
  return std::all_of(watches_.begin(), watches_.end(),
                     [](const Watch& watch) { return watch.reflector->synced(); });
}

void WatchThreads::list_again() {
  for (auto& watch : watches_)
    watch.reflector = std::make_unique<Reflector>(*watch.feed.sink, net_.random);
  due_for_version_ = 0;
}

std::optional<SimTime> WatchThreads::due() const {
  if (api_.crashed()) return std::nullopt;
  if (due_for_version_ != net_.server.version()) {
    due_.reset();
    for (const auto& watch : watches_) due_ = earlier(due_, due(watch));
    due_for_version_ = net_.server.version();
  }
  return due_;
}

std::optional<SimTime> WatchThreads::due(const Watch& watch) const {
  const auto next = watch.reflector->next(net_.stage.clock().monotonic());
  if (next.what == Reflector::Next::Do::Wait) return SimClock::elapsed_at(next.until);
  if (next.what == Reflector::Next::Do::List) return SimTime(0);
  const auto events = net_.server.since(parse_resource_version(next.position), watch.feed.kind);
  if (!events) return SimTime(0);
  if (events->empty()) return watch.next_bookmark;
  return std::max(net_.stage.clock().elapsed_at(events->front()->at) + watch.lag, watch.held_until);
}

void WatchThreads::act() {
  due_for_version_ = 0;
  for (auto& watch : watches_) {
    const auto at = due(watch);
    if (at && *at <= net_.stage.clock().elapsed()) advance(watch);
  }
}

void WatchThreads::advance(Watch& watch) {
  const auto now = net_.stage.clock().monotonic();
  const auto next = watch.reflector->next(now);
  if (next.what == Reflector::Next::Do::List) return list(watch, next.position);
  if (next.what != Reflector::Next::Do::Watch) return;
  const auto events = net_.server.since(parse_resource_version(next.position), watch.feed.kind);
  if (!events)
    watch.reflector->on_closed(events.error(), now);
  else if (events->empty())
    bookmark(watch);
  else
    deliver(watch, *events->front());
}

void WatchThreads::list(Watch& watch, const std::string& next) {
  watch.reflector->on_page(api_.list(watch.feed.kind, {"", watch.feed.labels}, next, kNever),
                           net_.stage.clock().monotonic());
  watch.next_bookmark = net_.stage.clock().elapsed() + kBookmarkEvery;
}

void WatchThreads::bookmark(Watch& watch) {
  watch.next_bookmark = net_.stage.clock().elapsed() + kBookmarkEvery;
  (void)watch.reflector->on_line(bookmark_line(watch.feed.kind, net_.server.version()),
                                 net_.stage.clock().monotonic());
}

bool WatchThreads::is_planned_late(Watch& watch, const ServerEvent& event) {
  const auto version = static_cast<int>(event.version);
  if (watch.counted == version) return false;
  watch.counted = version;
  if (!net_.planned.strikes_delivery()) return false;
  watch.held_until = net_.stage.clock().elapsed() + net_.planned.late_by;
  return true;
}

void WatchThreads::deliver(Watch& watch, const ServerEvent& event) {
  const auto now = net_.stage.clock().monotonic();
  const auto draws = [this](double chance) { return chance > 0 && net_.random.uniform() < chance; };
  const auto seen = seen_by(event, {"", watch.feed.labels});
  if (!seen) {
    // The position must move past it; a real stream would do so with its next line or bookmark.
    (void)watch.reflector->on_line(bookmark_line(watch.feed.kind, event.version), now);
    return;
  }
  if (is_planned_late(watch, event)) return;
  if (draws(net_.faults.watch_gap)) {
    watch.reflector->on_closed(Error{ErrorKind::Gone, "simulated"}, now);
    return;
  }
  Json line{{"type", seen->type}};
  line["object"] = *seen->object;
  if (watch.reflector->on_event(line, now) && draws(net_.faults.watch_repeat))
    (void)watch.reflector->on_event(line, now);
}

// ---- measurements ----

void MeasuringThreads::start(const StartMeasurement& measurement) {
  const auto question = std::static_pointer_cast<const ReleaseQuestion>(measurement.question);
  if (!evidence_.begin(question->evidence, question->objective, question->asking)) return;
  asked_.push_back({net_.stage.clock().elapsed() + kSourceLag, measurement.key, question});
}

std::optional<SimTime> MeasuringThreads::due() const {
  std::optional<SimTime> due;
  for (const auto& asked : asked_) due = earlier(due, asked.answered);
  return due;
}

void MeasuringThreads::act() {
  const auto due =
      std::min_element(asked_.begin(), asked_.end(),
                       [](const Asked& a, const Asked& b) { return a.answered < b.answered; });
  const Asked asked = *due;
  asked_.erase(due);
  const auto& question = *asked.question;
  const auto* provider = all_plugins().provider(question.source);
  const auto past = ask_past(question, *provider, source_, kNever, [](const Error&) {});
  evidence_.fold(question.evidence, question.objective,
                 provider->measure(question.expressions, source_, kNever), past);
  wake_(asked.key);
}

// ---- config ----

void ConfigThreads::start(const ObjectKey& release,
                          std::shared_ptr<const ConfigQuestion> question) {
  if (book_.begin(*question))
    asked_.push_back({net_.stage.clock().elapsed() + kReadLag, release, std::move(question)});
}

std::optional<SimTime> ConfigThreads::due() const {
  return asked_.empty() || api_.crashed() ? std::nullopt : std::optional(asked_.front().answered);
}

void ConfigThreads::act() {
  const Asked asked = std::move(asked_.front());
  asked_.pop_front();
  ConfigAnswers answers;
  for (const auto& ref : asked.question->refs) {
    const auto object = api_.get(kind_of(ref), {asked.release.ns, ref.name}, kNever);
    answers.emplace(ref, object ? Result<ConfigContent>(content_of(ref, *object))
                                : Result<ConfigContent>(object.error()));
  }
  book_.settle(*asked.question, std::move(answers));
  wake_(asked.release);
}

// ---- work ----

std::optional<SimTime> Worker::due() const {
  if (api_.crashed() || !watches_.synced()) return std::nullopt;
  if (!lease_.leads() && !(ever_led_is_enough_ && lease_.has_led())) return std::nullopt;
  std::optional<SimTime> due;
  for (auto* controller : controllers_) {
    if (const auto next = controller->next_due()) due = earlier(due, SimClock::elapsed_at(*next));
  }
  return due;
}

void Worker::act() {
  for (auto* controller : controllers_) {
    const auto key = controller->take_due();
    if (!key) continue;
    api_.begin_pass();
    controller->pass(*key);
    return;
  }
}

// ---- leadership ----

LeaseThread::LeaseThread(const Network& network, FaultyApi& api, const Clock& clock,
                         const std::string& identity, WatchThreads& watches)
    : net_(network),
      api_(api),
      elector_({std::string(kNamespace), "weir"}, identity, clock, net_.random),
      watches_(watches) {}

std::optional<SimTime> LeaseThread::due() const {
  return api_.crashed() ? std::nullopt : std::optional(due_);
}

void LeaseThread::act() {
  using Do = LeaseElector::Next::Do;
  const auto next = elector_.next();
  const Deadline until(next.until);
  const auto& key = elector_.key();
  if (next.what == Do::Wait) {
    due_ = SimClock::elapsed_at(next.until);
  } else if (next.what == Do::Lost) {
    if (net_.bug != Bug::FenceDropped) api_.crash();
    due_ = net_.stage.clock().elapsed() + SimTime(seconds(3));
  } else if (next.what == Do::Read) {
    elector_.on_read(api_.get(kinds::kLease, key, until));
  } else if (next.what == Do::Create) {
    elector_.on_written(api_.create(kinds::kLease, key.ns, next.body, false, until));
  } else {
    const Patch patch{Patch::Type::JsonMerge, dump_json(next.body)};
    elector_.on_written(api_.patch(kinds::kLease, key, patch, until));
  }
  // As the process does: a leader's caches are listed after it took the Lease.
  if (elector_.leads() && !std::exchange(led_, true)) watches_.list_again();
}

// ---- the process ----

Instance::Instance(const Network& network, World& world, const std::string& pod, int id,
                   SimTime clock_error)
    : net_(network),
      id_(id),
      machine_(network.stage.clock(), clock_error),
      clock_(machine_),
      api_(network, id),
      writer_(buggy_api(api_, network.stage, network.bug)),
      feeds_(
          caches_, evidence_, config_, [this](const ObjectKey& key) { releases_.enqueue(key); },
          [this](const ObjectKey& key) { policies_.enqueue(key); }),
      pipeline_feeds_(
          pipeline_caches_, [this](const ObjectKey& key) { runs_.enqueue(key); },
          [this](const ObjectKey& key) { pipelines_.enqueue(key); }),
      watches_(network, api_, all_feeds()),
      lease_(network, api_, clock_, pod, watches_),
      measuring_(network, world.prometheus(), evidence_,
                 [this](const ObjectKey& key) { releases_.enqueue(key); }),
      config_threads_(network, api_, config_,
                      [this](const ObjectKey& key) { releases_.enqueue(key); }),
      executor_(
          *writer_, clock_, fence(), metrics_,
          [this](const Kind& kind, const Json& object) { keep_own(kind, object); },
          [this](const StartMeasurement& asked) { ask(asked); },
          [this](const LookUp& asked, std::vector<Json> objects) {
            keep_found(asked, std::move(objects));
          }),
      observer_(caches_, evidence_, config_, all_plugins()),
      release_reconciler_(observer_),
      policy_reconciler_(caches_),
      buggy_reconciler_(buggy_reconciler(observer_, network.bug)),
      run_observer_(pipeline_caches_),
      run_reconciler_(run_observer_, job_settings()),
      pipeline_reconciler_(pipeline_caches_),
      buggy_run_reconciler_(buggy_run_reconciler(run_observer_, job_settings(), network.bug)),
      releases_(reconciler(), executor_, clock_, metrics_),
      policies_(policy_reconciler_, executor_, clock_, metrics_),
      runs_(run_reconciler(), executor_, clock_, metrics_),
      pipelines_(pipeline_reconciler_, executor_, clock_, metrics_),
      worker_(api_, watches_, lease_, {&policies_, &releases_, &pipelines_, &runs_},
              network.bug == Bug::FenceDropped),
      threads_{{watches_, paused_until_},
               {lease_, paused_until_},
               {measuring_, paused_until_},
               {config_threads_, paused_until_},
               {worker_, paused_until_}} {
  for (auto& thread : threads_) net_.stage.enter(thread);
}

Instance::~Instance() {
  for (auto& thread : threads_) net_.stage.leave(thread);
}

const WriteFence& Instance::fence() const {
  if (net_.bug == Bug::FenceDropped) return no_fence_;
  return lease_;
}

const Reconciler& Instance::reconciler() const {
  if (net_.bug == Bug::None) return release_reconciler_;
  return *buggy_reconciler_;
}

const Reconciler& Instance::run_reconciler() const {
  if (net_.bug == Bug::None) return run_reconciler_;
  return *buggy_run_reconciler_;
}

std::vector<Feed> Instance::all_feeds() const {
  auto all = feeds_.all();
  const auto& more = pipeline_feeds_.all();
  if (net_.runs_pipelines) all.insert(all.end(), more.begin(), more.end());
  return all;
}

void Instance::ask(const StartMeasurement& asked) {
  if (auto config = std::dynamic_pointer_cast<const ConfigQuestion>(asked.question))
    config_threads_.start(asked.key, std::move(config));
  else
    measuring_.start(asked);
}

void Instance::keep_own(const Kind& kind, const Json& object) const {
  if (net_.bug == Bug::OwnWritesForgotten) return;
  feeds_.put_own(kind, object);
  if (net_.runs_pipelines) pipeline_feeds_.put_own(kind, object);
}

void Instance::keep_found(const LookUp& asked, std::vector<Json> objects) {
  const auto& of = asked.name.empty() ? asked.labels : asked.name;
  caches_.sightings.put(asked.concerning, asked.kind, {std::move(objects), of, clock_.now()});
  releases_.enqueue(asked.concerning);
}

bool Instance::idle() const {
  return std::none_of(std::begin(threads_), std::end(threads_),
                      [this](const Pausable& thread) { return net_.stage.acts(thread); });
}

}  // namespace weir::sim
