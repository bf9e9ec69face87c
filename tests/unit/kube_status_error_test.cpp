#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>

#include "kube/status_error.h"

namespace weir {
namespace {

std::string status(std::string_view reason, int code, std::string_view details = "{}") {
  return fmt::format(R"({{"kind":"Status","apiVersion":"v1","status":"Failure","message":"why",)"
                     R"("reason":"{}","code":{},"details":{}}})",
                     reason, code, details);
}

struct Row {
  std::string_view reason;
  int code;
  ErrorKind kind;
};

TEST(StatusError, MapsReasons) {
  const std::array<Row, 20> table{{
      {"Unauthorized", 401, ErrorKind::Forbidden},
      {"Forbidden", 403, ErrorKind::Forbidden},
      {"NotFound", 404, ErrorKind::NotFound},
      {"AlreadyExists", 409, ErrorKind::AlreadyExists},
      {"Conflict", 409, ErrorKind::Conflict},
      {"Gone", 410, ErrorKind::Gone},
      {"Expired", 410, ErrorKind::Gone},
      {"Invalid", 422, ErrorKind::Invalid},
      {"BadRequest", 400, ErrorKind::Invalid},
      {"MethodNotAllowed", 405, ErrorKind::Invalid},
      {"NotAcceptable", 406, ErrorKind::Invalid},
      {"UnsupportedMediaType", 415, ErrorKind::Invalid},
      {"RequestEntityTooLarge", 413, ErrorKind::Invalid},
      {"TooManyRequests", 429, ErrorKind::Throttled},
      {"Timeout", 504, ErrorKind::Timeout},
      {"ServerTimeout", 500, ErrorKind::Unavailable},
      {"InternalError", 500, ErrorKind::Unavailable},
      {"ServiceUnavailable", 503, ErrorKind::Unavailable},
      {"Expired", 400, ErrorKind::Gone},
      {"SomethingNew", 409, ErrorKind::Conflict},
  }};
  for (const Row& row : table) {
    const auto error = response_error({row.code, {}, status(row.reason, row.code)});
    EXPECT_EQ(error.kind, row.kind) << row.reason;
    EXPECT_EQ(error.message, "why");
  }
}

TEST(StatusError, MapsCodesWhereThereIsNoStatus) {
  const std::array<Row, 17> table{{
      {"", 400, ErrorKind::Invalid},
      {"", 401, ErrorKind::Forbidden},
      {"", 403, ErrorKind::Forbidden},
      {"", 404, ErrorKind::NotFound},
      {"", 408, ErrorKind::Timeout},
      {"", 409, ErrorKind::Conflict},
      {"", 410, ErrorKind::Gone},
      {"", 413, ErrorKind::Invalid},
      {"", 422, ErrorKind::Invalid},
      {"", 429, ErrorKind::Throttled},
      {"", 431, ErrorKind::Invalid},
      {"", 500, ErrorKind::Unavailable},
      {"", 502, ErrorKind::Unavailable},
      {"", 503, ErrorKind::Unavailable},
      {"", 504, ErrorKind::Timeout},
      {"", 302, ErrorKind::Unavailable},
      {"", 101, ErrorKind::Unavailable},
  }};
  for (const Row& row : table)
    EXPECT_EQ(response_error({row.code, {}, "<html>"}).kind, row.kind) << row.code;
}

TEST(StatusError, ShowsTheBeginningOfAForeignBody) {
  EXPECT_EQ(response_error({502, {}, "Bad\r\nGateway\n"}).message, "HTTP 502: Bad  Gateway");
  EXPECT_EQ(response_error({502, {}, ""}).message, "HTTP 502");
  EXPECT_LT(response_error({502, {}, std::string(100'000, 'x')}).message.size(), 400U);
}

TEST(StatusError, ThrottledCarriesRetryAfter) {
  EXPECT_EQ(response_error({429, {{"retry-after", "7"}}, ""}).retry_after, seconds(7));
  EXPECT_EQ(response_error({429, {}, ""}).retry_after, seconds(1));
  EXPECT_EQ(response_error({429, {{"retry-after", "Wed, 21 Oct"}}, ""}).retry_after, seconds(1));
  EXPECT_EQ(response_error({429, {}, status("TooManyRequests", 429, R"({"retryAfterSeconds":9})")})
                .retry_after,
            seconds(9));
  EXPECT_EQ(response_error({429, {{"retry-after", "999999"}}, ""}).retry_after, seconds(300));
  EXPECT_EQ(response_error({429, {{"retry-after", "-5"}}, ""}).retry_after, seconds(0));
}

TEST(StatusError, UnavailableWithRetryAfterIsThrottled) {
  const auto error = response_error({503, {{"retry-after", "3"}}, ""});
  EXPECT_EQ(error.kind, ErrorKind::Throttled);
  EXPECT_EQ(error.retry_after, seconds(3));
  EXPECT_EQ(response_error({503, {}, ""}).retry_after, std::nullopt);
  EXPECT_EQ(response_error({500, {{"retry-after", "3"}}, ""}).kind, ErrorKind::Unavailable);
}

TEST(StatusError, ReadsTheStatusOfAnErrorEvent) {
  const auto error = status_error(*parse_json(status("Expired", 410)));
  EXPECT_EQ(error.kind, ErrorKind::Gone);
  EXPECT_EQ(error.message, "why");
}

TEST(StatusError, SurvivesAStatusOfTheWrongShape) {
  EXPECT_EQ(
      response_error({500, {}, R"({"kind":"Status","reason":5,"message":[],"details":7})"}).kind,
      ErrorKind::Unavailable);
  EXPECT_EQ(response_error({409, {}, R"([1,2])"}).kind, ErrorKind::Conflict);
  EXPECT_EQ(status_error(Json()).kind, ErrorKind::Unavailable);
}

TEST(StatusError, TellsAnUnappliedPatchFromARefusedOne) {
  constexpr std::string_view kUnapplied =
      R"({"kind":"Status",)"
      R"("message":"the server rejected our request due to an error in our request",)"
      R"("reason":"Invalid","details":{},"code":422})";
  EXPECT_TRUE(is_unapplied_patch({422, {}, std::string(kUnapplied)}));
  EXPECT_FALSE(is_unapplied_patch({409, {}, std::string(kUnapplied)}));
  EXPECT_FALSE(is_unapplied_patch({422, {}, status("Invalid", 422, R"({"name":"x"})")}));
  EXPECT_FALSE(is_unapplied_patch({422, {}, status("Invalid", 422)}));
  EXPECT_FALSE(is_unapplied_patch({422, {}, "text"}));
}

}  // namespace
}  // namespace weir
