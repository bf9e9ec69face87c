#include "sim/instance.h"

#include "base/json.h"
#include "plugins/all.h"

namespace weir::sim {
namespace {

constexpr milliseconds kSourceLag{50};

}  // namespace

Instance::Instance(ApiServer& server, World& world, SimClock& clock, Random& random,
                   const FaultOptions& faults)
    : server_(server),
      world_(world),
      clock_(clock),
      random_(random),
      faults_(faults),
      api_(server, random, faults),
      observer_(caches_, evidence_, all_plugins()),
      release_reconciler_(observer_),
      policy_reconciler_(caches_),
      executor_(
          api_, clock, fence_, metrics_,
          [this](const Kind& kind, const Json& object) { feeds_.put_own(kind, object); },
          [this](const StartMeasurement& measurement) { ask(measurement); }),
      releases_(release_reconciler_, executor_, clock, metrics_),
      policies_(policy_reconciler_, executor_, clock, metrics_),
      feeds_(
          caches_, evidence_, [this](const ObjectKey& key) { releases_.enqueue(key); },
          [this](const ObjectKey& key) { policies_.enqueue(key); }) {
  for (const auto& feed : feeds_.all()) {
    const auto lag = static_cast<std::int64_t>(random.uniform() *
                                               static_cast<double>(faults.watch_lag_max.count()));
    watches_.push_back({&feed, Reflector(*feed.sink, random), milliseconds(lag)});
  }
}

bool Instance::synced() const {
  return std::all_of(watches_.begin(), watches_.end(),
                     [](const Watch& watch) { return watch.reflector.synced(); });
}

void Instance::tick() {
  for (auto& watch : watches_) feed(watch);
  answer();
  if (!synced()) return;
  while (!api_.crashed()) {
    if (const auto key = policies_.take_due()) {
      policies_.pass(*key);
    } else if (const auto release = releases_.take_due()) {
      ++passes_;
      releases_.pass(*release);
    } else {
      return;
    }
  }
}

void Instance::feed(Watch& watch) {
  if (api_.crashed()) return;
  const auto now = clock_.monotonic();
  if (faults_.watch_gap > 0 && random_.uniform() < faults_.watch_gap && watch.reflector.synced()) {
    (void)watch.reflector.on_line(
        R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}})", now);
  }
  const auto next = watch.reflector.next(now);
  if (next.what == Reflector::Next::Do::List) {
    watch.reflector.on_page(api_.list(watch.feed->kind, {"", watch.feed->labels}, next.position,
                                      Deadline(SteadyTime::max())),
                            now);
  } else if (next.what == Reflector::Next::Do::Watch) {
    deliver(watch, next.position);
  }
}

void Instance::deliver(Watch& watch, const std::string& from) {
  const auto position = parse_resource_version(from);
  const auto& log = server_.log();
  const auto first = std::upper_bound(
      log.begin(), log.end(), position,
      [](std::uint64_t version, const ServerEvent& event) { return version < event.version; });
  for (auto event = first; event != log.end(); ++event) {
    if (event->at + watch.lag > clock_.now()) return;
    if (event->ref.plural != watch.feed->kind.plural) continue;
    if (!selected(event->object, watch.feed->labels)) continue;
    if (!deliver_event(watch, *event)) return;
  }
}

bool Instance::deliver_event(Watch& watch, const ServerEvent& event) {
  const auto line = dump_json(Json{{"type", event.type}, {"object", event.object}});
  const bool twice = faults_.watch_repeat > 0 && random_.uniform() < faults_.watch_repeat;
  for (int i = 0; i < (twice ? 2 : 1); ++i) {
    if (!watch.reflector.on_line(line, clock_.monotonic())) return false;
  }
  return true;
}

void Instance::ask(const StartMeasurement& measurement) {
  const auto question = std::static_pointer_cast<const ReleaseQuestion>(measurement.question);
  if (!evidence_.begin(question->evidence, question->objective.name, question->asked,
                       question->judged_from, question->checkpoint))
    return;
  asked_.push_back({clock_.now() + kSourceLag, measurement.key, question});
}

void Instance::answer() {
  std::vector<Asked> waiting;
  for (auto& asked : std::exchange(asked_, {})) {
    if (asked.due > clock_.now()) {
      waiting.push_back(std::move(asked));
      continue;
    }
    evidence_.fold(asked.question->evidence, asked.question->objective, measure(*asked.question));
    releases_.enqueue(asked.key);
  }
  asked_.insert(asked_.end(), waiting.begin(), waiting.end());
}

Result<std::vector<MetricSample>> Instance::measure(const ReleaseQuestion& question) {
  if (random_.uniform() < faults_.source_error)
    return Error{ErrorKind::Timeout, "simulated: the source is slow"};
  std::vector<MetricSample> samples;
  const auto counters = world_.scraped(question.evidence.revision);
  if (!counters || random_.uniform() < faults_.source_empty) return samples;
  samples.push_back({std::string(roles::kTotal), "all", counters->total, counters->at});
  if (counters->bad > 0)
    samples.push_back({std::string(roles::kBad), "500", counters->bad, counters->at});
  return samples;
}

}  // namespace weir::sim
