#include "job/job.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

namespace llama::job {
namespace {

Job FullJob() {
  Job job;
  job.parent = {trace::TraceId{1, 2}, 3};
  job.view.layers = {{"layers/aa", 10}, {"layers/bb", 0}};
  job.view.files = {{"/src/a.c", false, "int main;\0x"}, {"/bin/x", true, std::string("\0\1", 2)}};
  job.view.extra["/lib"] = {tree::EntryType::kSymlink, false, 0, {}, "usr/lib"};
  job.view.extra["/include"].type = tree::EntryType::kDir;
  job.program = "/usr/bin/gcc";
  job.argv = {"gcc", std::string("\0/src/a.c", 9), ""};
  job.env = {"LANG=C", "A="};
  job.cwd = "/src";
  job.umask = 077;
  job.output_dirs = {"/src", "/out"};
  job.placeholders = {"/src/a.o"};
  job.inodes = {{"/src/a.c", -1, 1}, {"/src/b.h", 1'700'000'000'000'000'001, 2}};
  job.record_reads = false;
  job.timeout_ms = 12345;
  job.max_answer_bytes = 1 << 20;
  job.any_command = true;
  job.outputs = {{"/src/out", false}, {"/src/tree", true}};
  job.input = "stdin";
  job.in_image = true;
  job.foretold = {store::Sha256("one"), store::Sha256("two")};
  return job;
}

Answer FullAnswer() {
  Answer answer;
  answer.outcome = Outcome::kRan;
  answer.error = "none";
  answer.missing = {"layers/aa"};
  answer.status = 139;
  answer.root = "/tmp/w/root";
  answer.out = "out";
  answer.err = std::string(100'000, 'e');
  answer.outputs = {{"/src/a.o", 0600, "\177ELF"}, {"/src/a.d", 0644, ""}};
  answer.deleted = {"/src/old"};
  answer.lookups_complete = true;
  answer.found = {"/usr", "/usr/include", "/usr/include/stdio.h", "/usr/include/stdlib.h"};
  answer.absent = {"/usr/local/include/stdio.h"};
  answer.listed = {"/usr/include", "/usr/lib"};
  answer.refused = {"/src/d: a directory"};
  answer.timed_out = true;
  answer.usage = {1, 2, 3, 4};
  answer.worker = {"w1", 7, true};
  answer.fetched_objects = 2;
  answer.fetched_bytes = 99;
  trace::Span span = trace::StartSpan("worker", {trace::TraceId{1, 2}, 3}, 1000);
  span.duration_ns = 50;
  span.Set("outcome", "ran");
  answer.spans = {span};
  return answer;
}

TEST(JobEncoding, KeepsEveryFieldOfAJob) {
  const Job job = FullJob();
  const std::string bytes = EncodeJob(job);
  Result<Job> back = DecodeJob(bytes);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->parent, job.parent);
  EXPECT_EQ(back->view, job.view);
  EXPECT_EQ(back->argv, job.argv);
  EXPECT_EQ(back->env, job.env);
  EXPECT_EQ(back->cwd, job.cwd);
  EXPECT_EQ(back->output_dirs, job.output_dirs);
  EXPECT_EQ(back->placeholders, job.placeholders);
  EXPECT_EQ(back->inodes, job.inodes);
  EXPECT_EQ(back->foretold, job.foretold);
  // The same fields encode to the same bytes: nothing was dropped on the way.
  EXPECT_EQ(EncodeJob(*back), bytes);
}

TEST(JobEncoding, KeepsEveryFieldOfAnAnswer) {
  const Answer answer = FullAnswer();
  const std::string bytes = EncodeAnswer(answer);
  Result<Answer> back = DecodeAnswer(bytes);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->status, 139);
  EXPECT_EQ(back->err, answer.err);
  EXPECT_EQ(back->outputs[0].mode, 0600u);
  EXPECT_EQ(back->found, answer.found);
  EXPECT_EQ(back->absent, answer.absent);
  EXPECT_TRUE(back->lookups_complete);
  EXPECT_EQ(back->usage.max_rss_bytes, 4);
  EXPECT_EQ(back->worker.id, "w1");
  EXPECT_EQ(back->spans.at(0).name, "worker");
  EXPECT_EQ(EncodeAnswer(*back), bytes);
}

TEST(JobEncoding, AReportIsKnownByWhatWasTold) {
  Answer answer = FullAnswer();
  const store::Digest report = ReportDigest(answer.found, answer.absent);
  EXPECT_EQ(DecodeAnswer(EncodeAnswer(answer))->report, report);
  answer.listed.clear();
  EXPECT_EQ(DecodeAnswer(EncodeAnswer(answer))->report, report);
  answer.absent.push_back("/usr/local/include/stdlib.h");
  EXPECT_NE(DecodeAnswer(EncodeAnswer(answer))->report, report);
  EXPECT_NE(ReportDigest({"/a"}, {}), ReportDigest({}, {"/a"}));
  answer.lookups_complete = false;
  EXPECT_FALSE(DecodeAnswer(EncodeAnswer(answer))->report);
}

TEST(JobEncoding, AReportThatWasForetoldIsLeftOut) {
  Answer answer = FullAnswer();
  answer.foretold = 2;
  answer.found.clear();
  answer.absent.clear();
  const Result<Answer> back = DecodeAnswer(EncodeAnswer(answer));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->foretold, 2u);
  EXPECT_FALSE(back->report);
}

TEST(JobEncoding, ForetellsFewReports) {
  Job job;
  job.foretold.resize(kMaxForetold);
  EXPECT_TRUE(DecodeJob(EncodeJob(job)));
  job.foretold.resize(kMaxForetold + 1);
  EXPECT_FALSE(DecodeJob(EncodeJob(job)));
}

TEST(JobEncoding, DefaultsSurvive) {
  EXPECT_TRUE(DecodeJob(EncodeJob({})));
  EXPECT_TRUE(DecodeAnswer(EncodeAnswer({})));
}

struct Damage {
  const char* name;
  std::function<std::string(std::string)> apply;
};

TEST(JobEncoding, RefusesWhatIsDamaged) {
  const Damage kDamages[] = {
      {"empty", [](std::string) { return std::string(); }},
      {"magic only", [](std::string s) { return s.substr(0, 3); }},
      {"no frame", [](std::string s) { return s.substr(0, 4); }},
      {"another magic", [](std::string s) { return s.replace(0, 3, "abc"); }},
      {"another version", [](std::string s) { return s.replace(3, 1, "\x09"); }},
      {"last byte missing", [](std::string s) { return s.substr(0, s.size() - 1); }},
      {"bytes after the frame", [](std::string s) { return s + "x"; }},
      {"frame twice", [](std::string s) { return s + s.substr(4); }},
      {"half", [](std::string s) { return s.substr(0, s.size() / 2); }},
  };
  const std::string job = EncodeJob(FullJob());
  const std::string answer = EncodeAnswer(FullAnswer());
  for (const Damage& damage : kDamages) {
    EXPECT_FALSE(DecodeJob(damage.apply(job))) << damage.name;
    EXPECT_FALSE(DecodeAnswer(damage.apply(answer))) << damage.name;
  }
  EXPECT_FALSE(DecodeJob(answer));
  EXPECT_FALSE(DecodeAnswer(job));
}

// A zstd frame header that claims an exabyte, and nothing behind it.
TEST(JobEncoding, RefusesAnAbsurdSizeBeforeAllocatingIt) {
  const std::string frame("\x28\xb5\x2f\xfd\xe0\xff\xff\xff\xff\xff\xff\xff\x0f\x01\x00\x00", 16);
  Result<Job> job = DecodeJob(EncodeJob({}).substr(0, 4) + frame);
  ASSERT_FALSE(job);
  EXPECT_EQ(job.error().code, Code::kInvalid);
  EXPECT_EQ(job.error().message, "job: malformed frame");
}

TEST(JobEncoding, RefusesBombs) {
  Answer zeros;
  zeros.out = std::string(200 << 20, '\0');
  const std::string small = EncodeAnswer(zeros);
  ASSERT_LT(small.size(), 100'000u);
  EXPECT_FALSE(DecodeAnswer(small));
  // As many as there is room for in a message of that size, each a byte.
  Answer many;
  many.missing.resize(1 << 20);
  many.refused.resize(1 << 20);
  many.deleted.resize(1 << 20);
  EXPECT_FALSE(DecodeAnswer(EncodeAnswer(many)));
  // What an object may well be.
  Answer honest;
  honest.outputs = {{"/a.o", 0644, std::string(20 << 20, '\0')}};
  EXPECT_TRUE(DecodeAnswer(EncodeAnswer(honest)));
}

TEST(JobEncoding, SurvivesRandomDamage) {
  std::mt19937 random(7);
  const std::string job = EncodeJob(FullJob());
  const std::string answer = EncodeAnswer(FullAnswer());
  int refused = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string bytes = round % 2 == 0 ? job : answer;
    for (int flips = 0; flips < 1 + round % 4; ++flips) {
      bytes[4 + random() % (bytes.size() - 4)] = static_cast<char>(random());
    }
    refused += round % 2 == 0 ? !DecodeJob(bytes) : !DecodeAnswer(bytes);
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace llama::job
