#include "app/measurer.h"

#include "base/log.h"

namespace weir {
namespace {

constexpr std::size_t kMaxClients = 64;  // sources; a policy can name any URL

}  // namespace

void Measurer::start(const StartMeasurement& measurement) {
  const auto question = std::static_pointer_cast<const ReleaseQuestion>(measurement.question);
  if (!book_.begin(question->evidence, question->objective, question->asking)) return;
  const auto key = measurement.key;
  const bool taken = pool_.submit([this, key, question](const std::stop_token&) {
    const auto past = ask_past(*question, key.ns);
    book_.fold(question->evidence, question->objective, ask(*question, key.ns), past);
    wake_(key);
  });
  if (!taken)
    book_.fold(question->evidence, question->objective,
               Error{ErrorKind::Unavailable, "too many measurements are waiting"});
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

Result<std::vector<MetricSample>> Measurer::ask(const MetricProvider& provider,
                                                const ReleaseQuestion& question,
                                                const std::string& ns) {
  ASSIGN_OR_RETURN(const auto client, reach(provider, question, ns));
  const auto deadline = Deadline::after(clock_, provider.timeout(question.source));
  return provider.measure(question.expressions, *client, deadline);
}

Result<std::vector<MetricSample>> Measurer::ask(const ReleaseQuestion& question,
                                                const std::string& ns) {
  const MetricProvider* provider = plugins_.provider(question.source);
  if (!provider) return Error{ErrorKind::Invalid, "no provider for source " + question.source.name};
  auto answer = ask(*provider, question, ns);
  metrics_.count_measurement(provider->name(), answer ? "ok" : to_string(answer.error().kind));
  if (!answer)
    log_warn("source not readable",
             {{"source", question.source.name}, {"error", to_string(answer.error())}});
  return answer;
}

// A past that cannot be read is none: what errors are like is then learned during the release.
std::vector<MetricSample> Measurer::ask_past(const ReleaseQuestion& question,
                                             const std::string& ns) {
  const MetricProvider* provider = plugins_.provider(question.source);
  if (question.past.empty() || !provider) return {};
  const auto client = reach(*provider, question, ns);
  if (!client) return {};
  const auto deadline = Deadline::after(clock_, provider->timeout(question.source));
  auto past = provider->history(question.past, question.past_span, **client, deadline);
  if (past) return *std::move(past);
  log_warn("the past of a source is not readable",
           {{"source", question.source.name}, {"error", to_string(past.error())}});
  return {};
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
