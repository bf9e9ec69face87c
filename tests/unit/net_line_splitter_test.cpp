#include <gtest/gtest.h>

#include <vector>

#include "net/line_splitter.h"

namespace weir {
namespace {

using Lines = std::vector<std::string>;

struct Fixture {
  explicit Fixture(std::size_t limit) : splitter(limit) {}
  bool feed(std::string_view bytes) {
    return splitter.feed(bytes, [this](std::string_view line) { lines.emplace_back(line); });
  }
  LineSplitter splitter;
  Lines lines;
};

TEST(LineSplitter, FindsAllLinesOfOneSlice) {
  Fixture f(100);
  EXPECT_TRUE(f.feed("one\ntwo\nthree\n"));
  EXPECT_EQ(f.lines, (Lines{"one", "two", "three"}));
}

TEST(LineSplitter, JoinsALineOverManySlices) {
  Fixture f(100);
  for (const char* piece : {"o", "n", "e\nt", "", "wo", "\n", "rest"}) EXPECT_TRUE(f.feed(piece));
  EXPECT_EQ(f.lines, (Lines{"one", "two"}));
}

TEST(LineSplitter, SkipsEmptyLinesAndStripsCarriageReturns) {
  Fixture f(100);
  EXPECT_TRUE(f.feed("\n\r\none\r\n\n"));
  EXPECT_TRUE(f.feed("two\r"));
  EXPECT_TRUE(f.feed("\n"));
  EXPECT_EQ(f.lines, (Lines{"one", "two"}));
}

TEST(LineSplitter, KeepsBytesAsTheyAre) {
  Fixture f(100);
  EXPECT_TRUE(f.feed(std::string_view("a\0b\xff\n", 5)));
  EXPECT_EQ(f.lines, (Lines{std::string("a\0b\xff", 4)}));
}

TEST(LineSplitter, ALineOfExactlyTheLimitPasses) {
  Fixture f(5);
  EXPECT_TRUE(f.feed("12345\n"));
  EXPECT_TRUE(f.feed("123"));
  EXPECT_TRUE(f.feed("45"));
  EXPECT_TRUE(f.feed("\n"));
  EXPECT_EQ(f.lines, (Lines{"12345", "12345"}));
}

TEST(LineSplitter, ALongerLineIsRefusedWithOrWithoutItsEnd) {
  EXPECT_FALSE(Fixture(5).feed("123456\n"));
  EXPECT_FALSE(Fixture(5).feed("123456"));
  Fixture f(5);
  EXPECT_TRUE(f.feed("ok\n123"));
  EXPECT_FALSE(f.feed("456"));
  EXPECT_EQ(f.lines, (Lines{"ok"}));
}

}  // namespace
}  // namespace weir
