#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "base/json.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/time_format.h"

namespace weir {
namespace {

class LogTest : public testing::Test {
 protected:
  void SetUp() override {
    set_log_sink([this](LogLevel, std::string_view line) {
      Lock lock(mutex);
      lines.emplace_back(line);
    });
  }
  void TearDown() override {
    set_log_sink({});
    set_log_level(LogLevel::Info);
  }
  Json only_line() {
    Lock lock(mutex);
    EXPECT_EQ(lines.size(), 1U);
    return lines.empty() ? Json() : *parse_json(lines.front());
  }

  Mutex mutex;
  std::vector<std::string> lines GUARDED_BY(mutex);
};

TEST_F(LogTest, WritesOneJsonObjectALine) {
  const std::string release = "shop/web";
  log_info("release promoted", {{"release", release}, {"weight", "50"}});
  const Json line = only_line();
  EXPECT_EQ(json_text(line, {"level"}), "info");
  EXPECT_EQ(json_text(line, {"msg"}), "release promoted");
  EXPECT_EQ(json_text(line, {"release"}), "shop/web");
  EXPECT_EQ(json_text(line, {"weight"}), "50");
  EXPECT_TRUE(parse_time(json_text(line, {"time"})));
}

TEST_F(LogTest, BeginsWithTimeLevelAndMessage) {
  log_warn("m", {{"a", "b"}});
  Lock lock(mutex);
  EXPECT_TRUE(lines.front().starts_with("{\"time\":\"20"));
  EXPECT_TRUE(lines.front().ends_with("Z\",\"level\":\"warn\",\"msg\":\"m\",\"a\":\"b\"}"));
}

TEST_F(LogTest, EscapesWhatWouldBreakTheLine) {
  log_error("a \"quote\"\nand a\ttab", {{"k\"ey", "va\\lue\x01"}});
  const Json line = only_line();
  EXPECT_EQ(json_text(line, {"msg"}), "a \"quote\"\nand a\ttab");
  EXPECT_EQ(json_text(line, {"k\"ey"}), "va\\lue\x01");
  Lock lock(mutex);
  EXPECT_EQ(lines.front().find('\n'), std::string::npos);
}

TEST_F(LogTest, RepairsTextThatIsNotUtf8) {
  log_info("bad \xff", {{"key\xfe", "\xc3"}});
  const Json line = only_line();
  EXPECT_EQ(json_text(line, {"msg"}), "bad \xEF\xBF\xBD");
  EXPECT_EQ(json_text(line, {"key\xEF\xBF\xBD"}), "\xEF\xBF\xBD");
}

TEST_F(LogTest, OurOwnFieldsAreNotOverwritten) {
  log_info("real", {{"msg", "fake"}, {"level", "error"}});
  EXPECT_EQ(json_text(only_line(), {"msg"}), "real");
  EXPECT_EQ(json_text(only_line(), {"level"}), "info");
}

TEST_F(LogTest, DropsLinesBelowTheLevel) {
  log_debug("no");
  set_log_level(LogLevel::Error);
  log_warn("no");
  log_error("yes");
  EXPECT_EQ(json_text(only_line(), {"msg"}), "yes");
}

TEST_F(LogTest, ManyThreadsWriteWholeLines) {
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([] {
        for (int n = 0; n < 100; ++n) log_info("m", {{"n", std::to_string(n)}});
      });
  }
  Lock lock(mutex);
  EXPECT_EQ(lines.size(), 400U);
  for (const auto& line : lines) EXPECT_TRUE(parse_json(line)) << line;
}

TEST(LogToStandardError, WritesTheLineWithItsEnd) {
  testing::internal::CaptureStderr();
  log_info("hello {}", {{"percent", "%v"}});
  const auto text = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(text.ends_with("\"msg\":\"hello {}\",\"percent\":\"%v\"}\n")) << text;
}

TEST(LogLevel, IsReadByName) {
  EXPECT_EQ(*parse_log_level("debug"), LogLevel::Debug);
  EXPECT_EQ(*parse_log_level("error"), LogLevel::Error);
  for (const char* text : {"", "Info", "warning", "trace"}) {
    const auto level = parse_log_level(text);
    ASSERT_FALSE(level) << text;
    EXPECT_EQ(level.error().kind, ErrorKind::Invalid);
  }
}

}  // namespace
}  // namespace weir
