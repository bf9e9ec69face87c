#include "app/measurer.h"

#include "base/log.h"

namespace weir {
namespace {

constexpr std::size_t kMaxClients = 64;  // sources; a policy can name any URL

Error too_many() { return {ErrorKind::Unavailable, "too many measurements are waiting"}; }

SourceKey source_of(const Plugins& plugins, const WaitingQuestion& waiting) {
  const auto& source = waiting.question->source;
  const MetricProvider* provider = plugins.provider(source);
  if (!provider) return {};
  const auto secret = provider->secret(source);
  return {std::string(provider->name()), provider->url(source),
          secret.empty() ? ObjectKey{} : ObjectKey{waiting.release.ns, secret},
          provider->timeout(source)};
}

}  // namespace

void Measurer::start(const StartMeasurement& measurement) {
  const WaitingQuestion waiting{
      measurement.key, std::static_pointer_cast<const ReleaseQuestion>(measurement.question)};
  const auto& question = *waiting.question;
  if (!book_.begin(question.evidence, question.objective, question.asking)) return;
  const bool taken = question.alone ? ask_alone(waiting) : ask_with_others(waiting);
  if (!taken) book_.fold(question.evidence, question.objective, too_many());
}

bool Measurer::ask_alone(const WaitingQuestion& waiting) {
  return pool_.submit([this, waiting](const std::stop_token&) {
    const auto past = past_of(waiting);
    settle(waiting, ask(waiting), past);
  });
}

bool Measurer::ask_with_others(const WaitingQuestion& waiting) {
  const auto source = source_of(plugins_, waiting);
  const auto added = queues_.add(source, waiting);
  if (added == SourceQueues::Added::MustAsk) take_turn(source);
  return added != SourceQueues::Added::Refused;
}

// One query a task: other sources have theirs in between.
void Measurer::take_turn(const SourceKey& source) {
  const bool taken = pool_.submit([this, source](const std::stop_token&) {
    const auto waiting = queues_.next(source);
    if (waiting.empty()) return;
    ask_together(source, waiting);
    take_turn(source);
  });
  if (taken) return;
  for (const auto& waiting : queues_.drop(source)) settle(waiting, too_many());
}

void Measurer::ask_together(const SourceKey& source, const std::vector<WaitingQuestion>& waiting) {
  Questions questions;
  for (const auto& each : waiting) questions.push_back(each.question);
  const auto begun = clock_.monotonic();
  auto answer = measure(waiting.front(), joined(questions));
  // One of them is wrong, and the source does not tell which.
  if (!answer && answer.error().kind == ErrorKind::Invalid && waiting.size() > 1) {
    for (const auto& each : waiting) settle(each, ask(each));
    return;
  }
  queues_.told(source, answer.has_value(),
               std::chrono::duration_cast<milliseconds>(clock_.monotonic() - begun));
  if (!answer) {
    for (const auto& each : waiting) settle(each, answer);
    return;
  }
  const auto parts = parted(*std::move(answer), questions);
  for (std::size_t i = 0; i < parts.size(); ++i) settle(waiting[i], parts[i]);
}

void Measurer::settle(const WaitingQuestion& waiting, const Answer& answer,
                      const PastCounts& past) {
  const auto& question = *waiting.question;
  if (const auto* provider = plugins_.provider(question.source))
    metrics_.count_measurement(provider->name(), answer ? "ok" : to_string(answer.error().kind));
  book_.fold(question.evidence, question.objective, answer, past);
  wake_(waiting.release);
}

// A Release, its policy and the Secrets of its sources are in one namespace.
Result<std::shared_ptr<HttpClient>> Measurer::reach(const MetricProvider& provider,
                                                    const ReleaseQuestion& question,
                                                    const std::string& ns) {
  SourceAccess access;
  const auto secret = provider.secret(question.source);
  if (!secret.empty()) {
    ASSIGN_OR_RETURN(access, secrets_.read({ns, secret}));
  }
  return client_for(provider.url(question.source), access);
}

Measurer::Answer Measurer::ask(const WaitingQuestion& waiting) {
  return measure(waiting, waiting.question->expressions);
}

Measurer::Answer Measurer::measure(const WaitingQuestion& waiting,
                                   const std::vector<MetricExpression>& expressions) {
  const auto& question = *waiting.question;
  const MetricProvider* provider = plugins_.provider(question.source);
  if (!provider) return Error{ErrorKind::Invalid, "no provider for source " + question.source.name};
  auto answer = [&]() -> Answer {
    ASSIGN_OR_RETURN(const auto client, reach(*provider, question, waiting.release.ns));
    const auto deadline = Deadline::after(clock_, provider->timeout(question.source));
    return provider->measure(expressions, *client, deadline);
  }();
  if (!answer)
    log_warn("source not readable",
             {{"source", question.source.name}, {"error", to_string(answer.error())}});
  return answer;
}

PastCounts Measurer::past_of(const WaitingQuestion& waiting) {
  const auto& question = *waiting.question;
  const MetricProvider* provider = plugins_.provider(question.source);
  if ((question.past.empty() && !question.missed) || !provider) return {};
  const auto client = reach(*provider, question, waiting.release.ns);
  if (!client) return {};
  const auto deadline = Deadline::after(clock_, provider->timeout(question.source));
  return ask_past(question, *provider, **client, deadline, [&](const Error& error) {
    log_warn("the past of a source is not readable",
             {{"source", question.source.name}, {"error", to_string(error)}});
  });
}

Result<std::shared_ptr<HttpClient>> Measurer::client_for(const std::string& url,
                                                         const SourceAccess& access) {
  Lock lock(mutex_);
  const auto found = clients_.find({url, access});
  if (found != clients_.end()) return found->second;
  ASSIGN_OR_RETURN(std::shared_ptr<HttpClient> client, connect_(url, access));
  if (clients_.size() >= kMaxClients) clients_.erase(clients_.begin());
  clients_.emplace(std::pair(url, access), client);
  return client;
}

}  // namespace weir
