#include "kube/exec_credentials.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/mutex.h"
#include "base/time_format.h"
#include "kube/plugin_process.h"

namespace weir {
namespace {

constexpr milliseconds kLimit{60'000};
constexpr milliseconds kLimitOnTerminal{600'000};

Error bad_answer(std::string_view why) {
  return Error{ErrorKind::Invalid, fmt::format("its answer {}", why)};
}

class ExecCredentials final : public CredentialSource {
 public:
  ExecCredentials(ExecPlugin plugin, const Clock& clock)
      : plugin_(std::move(plugin)), clock_(clock) {}

  Result<Credential> get() override {
    Lock lock(mutex_);
    if (answer_ && (!answer_->expires || clock_.now() < *answer_->expires))
      return answer_->credential;
    ASSIGN_OR_RETURN(answer_, ask());
    return answer_->credential;
  }

  void refused(const Credential& credential) override {
    Lock lock(mutex_);
    if (answer_ && answer_->credential == credential) answer_.reset();
  }

 private:
  // Named in every error, for a kubeconfig has many users.
  Error told(Error error) const {
    error.message = fmt::format("credential plugin {}: {}", plugin_.command, error.message);
    if (error.kind != ErrorKind::NotFound) return error;
    error.kind = ErrorKind::Invalid;  // "not found" is what a cluster says of an object
    if (!plugin_.install_hint.empty()) error.message += "\n" + plugin_.install_hint;
    return error;
  }

  Result<std::optional<ExecAnswer>> ask() const {
    const bool terminal = ::isatty(STDIN_FILENO) != 0;
    if (plugin_.interactive == InteractiveMode::Always && !terminal)
      return told({ErrorKind::Invalid, "it needs a terminal, and there is none"});
    PluginRequest request{plugin_.command, plugin_.arguments, plugin_.environment};
    request.on_terminal = terminal && plugin_.interactive != InteractiveMode::Never;
    request.limit = request.on_terminal ? kLimitOnTerminal : kLimit;
    Json info{{"apiVersion", plugin_.api_version},
              {"kind", "ExecCredential"},
              {"spec", {{"interactive", request.on_terminal}}}};
    if (plugin_.cluster) info["spec"]["cluster"] = *plugin_.cluster;
    request.environment.emplace_back("KUBERNETES_EXEC_INFO", dump_json(info));
    const auto output = run_plugin(request);
    if (!output) return told(output.error());
    auto answer = parse_exec_answer(*output, plugin_.api_version);
    if (!answer) return told(answer.error());
    return std::optional<ExecAnswer>(*std::move(answer));
  }

  const ExecPlugin plugin_;
  const Clock& clock_;
  Mutex mutex_;
  std::optional<ExecAnswer> answer_ GUARDED_BY(mutex_){};
};

}  // namespace

Result<ExecAnswer> parse_exec_answer(const std::string& text, const std::string& api_version) {
  const auto json = parse_json(text);
  // The parser's own words would quote the token.
  if (!json) return bad_answer("is no JSON");
  if (json_text(*json, {"kind"}) != "ExecCredential") return bad_answer("is no ExecCredential");
  if (json_text(*json, {"apiVersion"}) != api_version)
    return bad_answer(fmt::format("is not of version {}", api_version));
  ExecAnswer answer;
  answer.credential = {json_text(*json, {"status", "token"}),
                       json_text(*json, {"status", "clientCertificateData"}),
                       json_text(*json, {"status", "clientKeyData"})};
  const auto& [token, cert, key] = answer.credential;
  if (cert.empty() != key.empty())
    return bad_answer("has only one of clientCertificateData and clientKeyData");
  if (token.empty() && cert.empty()) return bad_answer("has neither token nor certificate");
  const Json& expires = json_at(*json, {"status", "expirationTimestamp"});
  if (!expires.is_null()) {
    const auto time = parse_time(expires.is_string() ? expires.get<std::string>() : "");
    if (!time) return bad_answer("has an expirationTimestamp that is no time");
    answer.expires = *time;
  }
  return answer;
}

std::shared_ptr<CredentialSource> make_exec_credentials(ExecPlugin plugin, const Clock& clock) {
  return std::make_shared<ExecCredentials>(std::move(plugin), clock);
}

}  // namespace weir
