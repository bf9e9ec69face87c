#include "delivery/joint_question.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace weir {
namespace {

// "3 bad" is "bad" of the fourth question.
std::string role_of(std::size_t question, std::string_view role) {
  return fmt::format("{} {}", question, role);
}

std::optional<std::size_t> take_question(std::string& role) {
  std::size_t question = 0;
  const char* end = role.data() + role.size();
  const auto [at, error] = std::from_chars(role.data(), end, question);
  if (error != std::errc() || at == end || *at != ' ') return std::nullopt;
  role.erase(0, static_cast<std::size_t>(at - role.data()) + 1);
  return question;
}

}  // namespace

std::vector<MetricExpression> joined(const Questions& questions) {
  std::vector<MetricExpression> result;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    for (const auto& [role, text] : questions[i]->expressions)
      result.push_back({role_of(i, role), text});
  }
  return result;
}

std::vector<Result<std::vector<MetricSample>>> parted(std::vector<MetricSample> answer,
                                                      const Questions& questions) {
  std::vector<std::vector<MetricSample>> parts(questions.size());
  for (auto& sample : answer) {
    const auto question = take_question(sample.role);
    if (question && *question < parts.size()) parts[*question].push_back(std::move(sample));
  }
  std::vector<Result<std::vector<MetricSample>>> result;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].size() > most_series(questions[i]->expressions))
      result.emplace_back(too_many_series());
    else
      result.emplace_back(std::move(parts[i]));
  }
  return result;
}

}  // namespace weir
