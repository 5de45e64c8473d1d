// Loading from files: what is around the lines.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <thread>

#include "base/file.h"
#include "builds/record.h"
#include "traces/columns/testing.h"
#include "traces/load/loader.h"

namespace llama::traces {
namespace {

std::string Zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  out.resize(ZSTD_compress2(context.get(), out.data(), out.size(), text.data(), text.size()));
  return out;
}

std::string Gzip(std::string_view text) {
  std::string out(compressBound(text.size()) + 64, '\0');
  std::string in(text);
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Spans(int trace, int count) {
  std::string text;
  for (int i = 1; i <= count; ++i) {
    text += SpanText(trace, i, i == 1 ? 0 : 1, "exec", i, 1, R"("n":)" + std::to_string(i));
  }
  return text;
}

class LoaderFileTest : public testing::Test {
 protected:
  std::string Write(const std::string& name, std::string_view bytes) {
    const std::string path = dir_.path() + "/" + name;
    EXPECT_TRUE(MakeDirs(std::string(DirName(path)), 0700));
    EXPECT_TRUE(WriteFileAtomic(path, bytes, 0600));
    return path;
  }
  static Result<Columns> Load(std::vector<std::string> paths) { return LoadFiles(paths); }

  TempDir dir_ = *TempDir::Create();
};

TEST_F(LoaderFileTest, ReadsPlainAndCompressedAndSeveralFrames) {
  const std::string skippable("\x50\x2a\x4d\x18\x04\0\0\0abcd", 12);
  for (const std::string& bytes :
       {Spans(1, 50), Zstd(Spans(1, 50)), Zstd(Spans(1, 20)) + Zstd("") + Zstd(Spans(2, 30)),
        skippable + Zstd(Spans(1, 50))}) {
    const auto columns = Load({Write("trace", bytes)});
    ASSERT_TRUE(columns);
    EXPECT_EQ(columns->size(), 50u);
    EXPECT_EQ(columns->report().truncated, 0u);
    EXPECT_EQ(columns->report().lines, 50u);
  }
}

TEST_F(LoaderFileTest, ReadsGzip) {
  const std::string large = Spans(1, 20'000);
  for (const std::string& bytes : {Gzip(large), Gzip(large) + std::string(512, '\0'),
                                   Gzip(large.substr(0, 300'001)) + Gzip(large.substr(300'001))}) {
    const auto columns = Load({Write("trace.gz", bytes)});
    ASSERT_TRUE(columns);
    EXPECT_EQ(columns->size(), 20'000u);
    EXPECT_EQ(columns->report().truncated, 0u);
    EXPECT_EQ(columns->report().bytes, large.size());
  }
}

TEST_F(LoaderFileTest, OfBrokenGzipThereIsWhatCameBefore) {
  const std::string whole = Gzip(Spans(1, 20'000));
  std::string garbled = whole;
  for (size_t i = whole.size() / 2; i < whole.size(); ++i)
    garbled[i] = static_cast<char>(~garbled[i]);
  for (const std::string& bytes : {whole.substr(0, whole.size() / 2), garbled}) {
    const auto columns = Load({Write("trace.gz", bytes)});
    ASSERT_TRUE(columns);
    EXPECT_GT(columns->size(), 5'000u);
    EXPECT_LT(columns->size(), 20'000u);
    EXPECT_EQ(columns->report().truncated, 1u);
  }
  const auto none = Load({Write("trace.gz", whole.substr(0, 5))});
  ASSERT_TRUE(none);
  EXPECT_EQ(none->size(), 0u);
  EXPECT_EQ(none->report().truncated, 1u);
}

TEST_F(LoaderFileTest, ReadsOtherFormatsCompressedAndBesideOurs) {
  const std::string chrome =
      R"([{"ph":"X","name":"a","ts":1,"dur":1},{"ph":"X","name":"b","ts":5,"dur":1}])";
  for (const std::string& bytes : {chrome, Gzip(chrome), Zstd(chrome)}) {
    const auto columns =
        Load({Write("a.json", bytes), Write("b.json", bytes), Write("c", Spans(1, 3))});
    ASSERT_TRUE(columns);
    EXPECT_EQ(columns->size(), 7u);
    EXPECT_EQ(columns->report().duplicates, 0u) << "events of two files are two things";
  }
}

TEST_F(LoaderFileTest, AFormatThatIsNotReadIsNamed) {
  const std::string path =
      Write("jaeger.json.gz", Gzip(R"({"data":[{"traceID":"1","spans":[]}]})"));
  const auto columns = Load({path});
  ASSERT_FALSE(columns);
  EXPECT_EQ(columns.error().code, Code::kInvalid);
  EXPECT_TRUE(columns.error().message.starts_with(path + ": not read, since this is Jaeger's"));
}

TEST_F(LoaderFileTest, SeveralFilesAreOneTrace) {
  const auto columns = Load({Write("a/trace.ndjson", SpanText(1, 2, 1, "child", 0, 1)),
                             Write("b", Zstd(SpanText(1, 1, 0, "root", 0, 1)))});
  ASSERT_TRUE(columns);
  EXPECT_EQ(columns->parent()[0], 1u);
  EXPECT_EQ(columns->report().files, 2u);
  EXPECT_EQ(columns->text(columns->builds()[columns->build()[0]].id), "a");
  EXPECT_EQ(columns->text(columns->builds()[columns->build()[1]].id), "b");
}

TEST_F(LoaderFileTest, MissingFileAndFolderAreErrorsThatNameIt) {
  const auto missing = Load({dir_.path() + "/none"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  EXPECT_NE(missing.error().message.find("/none"), std::string::npos);
  const auto folder = Load({dir_.path()});
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error().message.find(dir_.path()), std::string::npos);
}

TEST_F(LoaderFileTest, EmptyFilesAreNoErrors) {
  for (const std::string& bytes : {std::string(), std::string("\n"), Zstd("")}) {
    const auto columns = Load({Write("trace", bytes)});
    ASSERT_TRUE(columns);
    EXPECT_EQ(columns->size(), 0u);
    EXPECT_EQ(columns->report().truncated, 0u);
    EXPECT_EQ(columns->report().malformed, 0u);
  }
}

TEST_F(LoaderFileTest, FileThatEndsInsideALine) {
  const std::string text = Spans(1, 3);
  for (const std::string& bytes :
       {text.substr(0, text.size() - 30), Zstd(text.substr(0, text.size() - 30))}) {
    const auto columns = Load({Write("trace", bytes)});
    ASSERT_TRUE(columns);
    EXPECT_EQ(columns->size(), 2u);
    EXPECT_EQ(columns->report().malformed, 0u);
    EXPECT_EQ(columns->report().truncated, 1u);
  }
  const auto whole = Load({Write("trace", text.substr(0, text.size() - 1))});
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->size(), 3u);  // only the newline is missing
  EXPECT_EQ(whole->report().truncated, 0u);
}

// Wherever a file of two frames is cut, what was whole is read, and only then nothing is said.
TEST_F(LoaderFileTest, FileThatEndsInsideAFrame) {
  const std::string first = Zstd(Spans(1, 20));
  const std::string both = first + Zstd(Spans(2, 20));
  for (size_t size = 1; size < both.size(); size += 7) {
    const auto columns = Load({Write("trace", both.substr(0, size))});
    ASSERT_TRUE(columns) << size;
    EXPECT_GE(columns->size(), size >= first.size() ? 20u : 0u) << size;
    EXPECT_EQ(columns->report().truncated, size == first.size() ? 0u : 1u) << size;
    EXPECT_EQ(columns->report().malformed, 0u) << size;
  }
}

// A process died while writing; another went on.
TEST_F(LoaderFileTest, GoesOnAfterABrokenFrame) {
  const std::string broken = Zstd(Spans(1, 20));
  const auto columns = Load({Write("trace", Zstd(Spans(2, 20)) + broken.substr(0, 40) +
                                                Zstd(Spans(3, 20)) + Zstd(Spans(4, 20)))});
  ASSERT_TRUE(columns);
  EXPECT_EQ(columns->size(), 60u);
  EXPECT_EQ(columns->report().truncated, 1u);
}

TEST_F(LoaderFileTest, LinesAcrossBlocksAndLongOnes) {
  std::string text;
  for (int i = 1; i <= 40; ++i) {
    text += SpanText(1, i, 0, "x", 0, 1,
                     R"("v":")" + std::string(static_cast<size_t>(i) * 37'000, 'v') + '"');
  }
  for (const std::string& bytes : {text, Zstd(text)}) {
    const auto columns = Load({Write("trace", bytes)});
    ASSERT_TRUE(columns);
    ASSERT_EQ(columns->size(), 40u);
    for (Row row = 0; row < 40; ++row) {
      EXPECT_EQ(columns->text(*columns->field("v").StringAt(row)).size(), 37'000u * (row + 1));
    }
  }
}

TEST_F(LoaderFileTest, LineOfAHundredMegabytesIsNoSpan) {
  const std::string text = Spans(1, 2) + std::string(100'000'000, 'x') + "\n" + Spans(2, 3);
  for (const std::string& bytes : {text, Zstd(text)}) {
    const auto columns = Load({Write("trace", bytes)});
    ASSERT_TRUE(columns);
    EXPECT_EQ(columns->size(), 5u);
    EXPECT_EQ(columns->report().too_long, 1u);
    EXPECT_EQ(columns->report().malformed, 1u);
    EXPECT_EQ(columns->report().lines, 6u);
    ASSERT_EQ(columns->report().examples.size(), 1u);
    EXPECT_NE(columns->report().examples[0].find("trace:3: longer than 4 MiB"), std::string::npos);
  }
}

TEST_F(LoaderFileTest, WhatIsOutOfProportionIsRefused) {
  std::string rows;
  for (int i = 1; i <= 400'000; ++i) {
    rows += R"({"trace_id":"00000000000000000000000000000001","span_id":")" +
            trace::Hex(static_cast<uint64_t>(i) << 8) +
            R"(","name":"","start":"2026-01-01T00:00:00Z","duration":0})"
            "\n";
  }
  const struct {
    const char* what;
    std::string text;
    const char* wrong;
  } cases[] = {
      {"text", std::string(160 << 20, '\n'), "of text"},
      {"rows", std::string(rows), "of memory"},
      {"document", R"([{"ph":"X","ts":1})" + std::string(100 << 20, ' ') + "]", "of memory"},
  };
  for (const auto& c : cases) {
    const auto columns = Load({Write("trace", Zstd(c.text))});
    EXPECT_FALSE(columns) << c.what;
    if (columns) continue;
    EXPECT_EQ(columns.error().code, Code::kInvalid);
    EXPECT_NE(columns.error().message.find(c.wrong), std::string::npos) << columns.error().message;
  }
  // In proportion to its file it is none.
  const auto plain = Load({Write("trace", rows)});
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(plain->size(), 400'000u);
}

TEST_F(LoaderFileTest, ReadsStandardInput) {
  const Fd file = *OpenFile(Write("trace", Zstd(Spans(1, 5))), 0);
  const Fd before(dup(STDIN_FILENO));
  ASSERT_EQ(dup2(file.get(), STDIN_FILENO), STDIN_FILENO);
  const auto columns = Load({"-"});
  dup2(before.get(), STDIN_FILENO);
  ASSERT_TRUE(columns);
  EXPECT_EQ(columns->size(), 5u);
}

class BuildLoadTest : public LoaderFileTest {
 protected:
  // Large enough to be cached.
  std::string Build(const std::string& id, int trace = 1) {
    Write(id + "/trace.ndjson.zst", Zstd(Spans(trace, 2000)));
    return dir_.path() + "/" + id;
  }
  static Columns LoadThem(std::vector<std::string> dirs) {
    auto columns = LoadBuilds(dirs);
    EXPECT_TRUE(columns) << columns.error().message;
    return columns ? std::move(*columns) : Columns();
  }
};

TEST_F(BuildLoadTest, SecondLoadIsFromTheColumnarFile) {
  const std::string dir = Build("b1");
  EXPECT_EQ(LoadThem({dir}).report().cached_files, 0u);
  const Columns columns = LoadThem({dir});
  EXPECT_EQ(columns.report().cached_files, 1u);
  EXPECT_EQ(columns.size(), 2000u);
  EXPECT_EQ(columns.text(columns.builds()[0].id), "b1");
  EXPECT_EQ(FieldsOf(columns, 1999), R"({"n":2000})");
  struct stat status {};
  ASSERT_EQ(stat(builds::ColumnsPath(dir).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(BuildLoadTest, TraceThatGrewIsReadAnew) {
  const std::string dir = Build("b1");
  LoadThem({dir});
  const std::string bytes = *ReadFile(builds::TracePath(dir)) + Zstd(Spans(2, 1));
  ASSERT_TRUE(WriteFileAtomic(builds::TracePath(dir), bytes, 0600));
  const Columns columns = LoadThem({dir});
  EXPECT_EQ(columns.report().cached_files, 0u);
  EXPECT_EQ(columns.size(), 2001u);
  EXPECT_EQ(LoadThem({dir}).report().cached_files, 1u);
}

// As long, and as old, but another.
TEST_F(BuildLoadTest, TraceThatWasReplacedIsReadAnew) {
  const std::string dir = Build("b1");
  struct stat status {};
  ASSERT_EQ(stat(builds::TracePath(dir).c_str(), &status), 0);
  LoadThem({dir});
  std::string bytes = *ReadFile(builds::TracePath(dir));
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  ASSERT_TRUE(WriteFileAtomic(builds::TracePath(dir), bytes, 0600));
  const timespec times[2] = {status.st_atim, status.st_mtim};
  ASSERT_EQ(utimensat(AT_FDCWD, builds::TracePath(dir).c_str(), times, 0), 0);
  EXPECT_EQ(LoadThem({dir}).report().cached_files, 0u);
}

TEST_F(BuildLoadTest, DamagedColumnarFileIsMadeAnew) {
  const std::string dir = Build("b1");
  LoadThem({dir});
  const std::string good = *ReadFile(builds::ColumnsPath(dir));
  for (const size_t at : {size_t{0}, size_t{9}, size_t{17}, size_t{30}, good.size() - 1}) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    ASSERT_TRUE(WriteFileAtomic(builds::ColumnsPath(dir), bad, 0600));
    const Columns columns = LoadThem({dir});
    EXPECT_EQ(columns.report().cached_files, 0u) << at;
    EXPECT_EQ(columns.size(), 2000u) << at;
    EXPECT_EQ(*ReadFile(builds::ColumnsPath(dir)), good) << at;
  }
}

TEST_F(BuildLoadTest, SmallTracesHaveNoColumnarFile) {
  Write("b1/trace.ndjson.zst", Zstd(Spans(1, 20)));
  const std::string dir = dir_.path() + "/b1";
  LoadThem({dir});
  EXPECT_FALSE(ReadFile(builds::ColumnsPath(dir)));
}

// From the trace or from the columnar file, one by one or together.
TEST_F(BuildLoadTest, SeveralBuildsStandSideBySide) {
  const std::vector<std::string> dirs = {Build("b1", 1), Build("b2", 2), Build("b3", 1)};
  LoadThem({dirs[1]});
  for (const uint64_t cached : {1u, 3u}) {
    const Columns columns = LoadThem(dirs);
    EXPECT_EQ(columns.report().cached_files, cached);
    EXPECT_EQ(columns.report().files, 3u);
    EXPECT_EQ(columns.report().duplicates, 0u);
    ASSERT_EQ(columns.size(), 6000u);
    ASSERT_EQ(columns.builds().size(), 3u);
    for (uint32_t i = 0; i < 3; ++i) {
      EXPECT_EQ(columns.text(columns.builds()[i].id), "b" + std::to_string(i + 1));
      EXPECT_EQ(columns.builds()[i].begin, i * 2000);
      EXPECT_EQ(columns.builds()[i].end, (i + 1) * 2000);
    }
    EXPECT_EQ(columns.parent()[2001], 2000u);
    EXPECT_EQ(columns.parent()[5999], 4000u);  // of its own build, though the ids are b1's
    EXPECT_EQ(columns.field("n").size(), 6000u);
    EXPECT_EQ(FieldsOf(columns, 5999), R"({"n":2000})");
    EXPECT_EQ(columns.rows_named("exec").size(), 6000u);
    EXPECT_EQ(columns.traces().size(), 2u);
  }
}

// Fields are read and names are listed when they are first asked for: by any thread.
TEST_F(BuildLoadTest, ManyThreadsMayAskAtOnce) {
  const std::vector<std::string> dirs = {Build("b1", 1), Build("b2", 2)};
  LoadThem(dirs);
  const Columns columns = LoadThem(dirs);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      EXPECT_EQ(columns.field("n").size(), 4000u);
      EXPECT_EQ(columns.rows_named("exec").size(), 4000u);
      EXPECT_EQ(columns.span_names().size(), 1u);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(BuildLoadTest, BuildWithoutATraceIsNotFound) {
  ASSERT_TRUE(MakeDirs(dir_.path() + "/b1", 0700));
  const std::vector<std::string> dirs = {dir_.path() + "/b1"};
  const auto columns = LoadBuilds(dirs);
  ASSERT_FALSE(columns);
  EXPECT_EQ(columns.error().code, Code::kNotFound);
}

}  // namespace
}  // namespace llama::traces
