#include "trace/trace_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "base/file.h"

namespace llama::trace {
namespace {

struct Lines {
  std::vector<std::string> lines;
  bool truncated = false;
};

Lines ReadLines(const std::string& path) {
  Lines out;
  const auto read = ReadTraceLines(
      path, [&](std::string_view line) { out.lines.emplace_back(line); }, &out.truncated);
  EXPECT_TRUE(read) << (read ? "" : read.error().message);
  return out;
}

Span Named(const std::string& name) { return StartSpan(name, {}, 1); }

bool Mentions(const std::string& line, const std::string& name) {
  return line.find("\"name\":\"" + name + "\"") != std::string::npos;
}

class TraceFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::Create();
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
    path_ = dir_->path() + "/trace.ndjson.zst";
  }

  void Write(const std::vector<std::string>& names) {
    auto writer = TraceWriter::Open(path_);
    ASSERT_TRUE(writer);
    for (const std::string& name : names) (*writer)->Add(Named(name));
  }

  void Replace(std::string_view bytes) { ASSERT_TRUE(WriteFileAtomic(path_, bytes, 0600)); }

  std::string Bytes() { return ReadFile(path_).value(); }

  std::optional<TempDir> dir_;
  std::string path_;
};

TEST_F(TraceFileTest, AppendsAndReadsBack) {
  Write({"a", "b"});
  Write({"c"});
  const Lines read = ReadLines(path_);
  ASSERT_EQ(read.lines.size(), 3u);
  EXPECT_TRUE(Mentions(read.lines[0], "a"));
  EXPECT_TRUE(Mentions(read.lines[2], "c"));
  EXPECT_FALSE(read.truncated);
  struct stat st {};
  ASSERT_EQ(stat(path_.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600u);
}

TEST_F(TraceFileTest, WritesByItselfOnceAFrameIsFull) {
  auto writer = TraceWriter::Open(path_);
  ASSERT_TRUE(writer);
  for (int i = 0; i < 2000; ++i) (*writer)->Add(Named("exec"));
  const size_t before = ReadLines(path_).lines.size();
  EXPECT_GT(before, 0u);
  ASSERT_TRUE((*writer)->Flush());
  EXPECT_EQ(ReadLines(path_).lines.size(), 2000u);
}

TEST_F(TraceFileTest, SeveralWritersAndThreadsLoseNothing) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this] {
      auto writer = TraceWriter::Open(path_);
      ASSERT_TRUE(writer);
      std::thread second([&] {
        for (int i = 0; i < 1000; ++i) (*writer)->Add(Named("y"));
      });
      for (int i = 0; i < 1000; ++i) {
        (*writer)->Add(Named("x"));
        if (i % 100 == 0) {
          ASSERT_TRUE((*writer)->Flush());
        }
      }
      second.join();
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Lines read = ReadLines(path_);
  EXPECT_EQ(read.lines.size(), 8000u);
  EXPECT_FALSE(read.truncated);
}

TEST_F(TraceFileTest, TruncatedAnywhereIsReadableUpToThere) {
  Write({"a"});
  const size_t first = Bytes().size();
  Write({"b"});
  const std::string bytes = Bytes();
  const Lines whole = ReadLines(path_);
  ASSERT_EQ(whole.lines.size(), 2u);
  for (size_t size = 1; size < bytes.size(); ++size) {
    Replace(std::string_view(bytes).substr(0, size));
    const Lines read = ReadLines(path_);
    // The last bytes of a frame are its checksum: its lines may be there before it is.
    EXPECT_GE(read.lines.size(), size < first ? 0u : 1u) << size;
    ASSERT_LE(read.lines.size(), size < first ? 1u : 2u) << size;
    for (size_t i = 0; i < read.lines.size(); ++i) EXPECT_EQ(read.lines[i], whole.lines[i]);
    EXPECT_EQ(read.truncated, size != first) << size;
  }
}

TEST_F(TraceFileTest, FramesBehindABrokenOneAreFound) {
  Write({"a"});
  const size_t first = Bytes().size();
  Write({"b"});
  const size_t second = Bytes().size();
  std::string bytes = Bytes();
  for (size_t kept = first + 1; kept < second; ++kept) {
    Replace(std::string_view(bytes).substr(0, kept));
    Write({"c"});
    const Lines read = ReadLines(path_);
    EXPECT_TRUE(Mentions(read.lines.front(), "a"));
    EXPECT_TRUE(Mentions(read.lines.back(), "c")) << kept;
    EXPECT_TRUE(read.truncated);
  }
}

TEST_F(TraceFileTest, CorruptBytesDoNotCrash) {
  Write(std::vector<std::string>(50, "exec"));
  const std::string bytes = Bytes();
  for (size_t i = 4; i < bytes.size(); ++i) {
    std::string bad = bytes;
    bad[i] = static_cast<char>(bad[i] ^ 0x55);
    Replace(bad);
    EXPECT_TRUE(ReadLines(path_).truncated) << i;
  }
}

TEST_F(TraceFileTest, ReadsPlainText) {
  struct Case {
    std::string bytes;
    std::vector<std::string> lines;
    bool truncated;
  };
  const Case cases[] = {
      {"", {}, false},
      {"{1}\n{2}\n", {"{1}", "{2}"}, false},
      {"{1}\r\n\n{2}", {"{1}", "{2}"}, false},
      {"{1}\n{\"na", {"{1}"}, true},
      {"{1}\n" + std::string((4u << 20) + 1, 'x') + "\n{2}\n", {"{1}", "{2}"}, true},
  };
  for (const Case& c : cases) {
    Replace(c.bytes);
    const Lines read = ReadLines(path_);
    EXPECT_TRUE(read.lines == c.lines);
    EXPECT_EQ(read.truncated, c.truncated);
  }
}

// A file size limit stands for the full disk: the write takes a part, then fails.
TEST_F(TraceFileTest, AFrameCutByAFullDiskIsCompletedLater) {
  Write({"a"});
  const size_t size = Bytes().size();
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  auto writer = TraceWriter::Open(path_);
  ASSERT_TRUE(writer);
  (*writer)->Add(Named("b"));
  const rlimit tight{size + 10, old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
  const auto flushed = (*writer)->Flush();
  (*writer)->Add(Named("c"));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_FALSE(flushed);
  EXPECT_EQ(Bytes().size(), size + 10);
  ASSERT_TRUE((*writer)->Flush());
  const Lines read = ReadLines(path_);
  EXPECT_EQ(read.lines.size(), 3u);
  EXPECT_FALSE(read.truncated);
  EXPECT_EQ((*writer)->dropped(), 0u);
}

TEST_F(TraceFileTest, WhatCannotBeWrittenIsBoundedAndCounted) {
  auto writer = TraceWriter::Open("/dev/full");
  ASSERT_TRUE(writer);
  Span span = Named("exec");
  span.Set("source", std::string(1u << 20, '\x01'));  // 6 MiB in JSON
  for (int i = 0; i < 16; ++i) (*writer)->Add(span);
  EXPECT_GT((*writer)->dropped(), 0u);
  EXPECT_LT((*writer)->dropped(), 8u);
}

TEST_F(TraceFileTest, MissingFileIsNotFound) {
  const auto read = ReadTraceLines(path_, [](std::string_view) {});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kNotFound);
}

}  // namespace
}  // namespace llama::trace
