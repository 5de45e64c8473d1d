#include "worker/run/lookups.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/file.h"
#include "base/process.h"
#include "worker/preload/lookup_log.h"
#include "worker/run/shipped_programs_testing.h"

namespace llama::worker {
namespace {

// A folder with a log, and commands run in it under the recorder. Roots are "": all is recorded.
class LookupsTest : public testing::Test {
 protected:
  void SetUp() override {
    Result<TempDir> dir = TempDir::Create("lookups");
    ASSERT_TRUE(dir);
    dir_ = std::make_unique<TempDir>(std::move(dir).value());
    at_ = RealPath(dir_->path()).value();
    ASSERT_TRUE(MakeDirs(at_ + "/worker"));
    log_ = LookupLog::Create(at_ + "/worker").value();
  }

  void Write(const std::string& name, std::string_view text) {
    ASSERT_TRUE(MakeDirs(std::string(DirName(at_ + "/" + name))));
    ASSERT_TRUE(WriteFileAtomic(at_ + "/" + name, text, 0644));
  }

  Lookups Run(const std::vector<std::string>& argv, const std::string& root = "") {
    EXPECT_TRUE(log_->Reset());
    ProcessOptions options;
    options.program = argv[0];
    options.argv = argv;
    options.env = {"PATH=/usr/bin:/bin", "LC_ALL=C"};
    options.cwd = at_;
    options.timeout_ms = 60'000;
    log_->AddTo(options.env);
    pid_t pid = 0;
    options.on_start = [&](pid_t p) { pid = p != 0 ? p : pid; };
    Result<ProcessResult> ran = RunProcess(options);
    EXPECT_TRUE(ran) << ran.error().message;
    status_ = ran->ExitCode();
    err_ = ran->err;
    Result<Lookups> lookups = log_->Collect(root, pid);
    EXPECT_TRUE(lookups);
    return std::move(lookups).value();
  }

  std::unique_ptr<TempDir> dir_;
  std::string at_;
  std::unique_ptr<LookupLog> log_;
  int status_ = -1;
  std::string err_;
};

// The names in make rules as the compiler writes them.
std::vector<std::string> DependencyNames(const std::string& rules) {
  std::vector<std::string> names;
  std::string name;
  for (char c : rules.substr(rules.find(':') + 1) + " ") {
    if (c != ' ' && c != '\n' && c != '\\') {
      name.push_back(c);
    } else if (!name.empty()) {
      names.push_back(std::exchange(name, ""));
    }
  }
  return names;
}

class CompilerLookups : public LookupsTest, public testing::WithParamInterface<const char*> {};

TEST_P(CompilerLookups, HoldsAllThatTheDependencyListHoldsAndTheMisses) {
  const std::string compiler = GetParam();
  if (access(compiler.c_str(), X_OK) != 0) GTEST_SKIP() << compiler << " is not installed";
  const bool cxx = compiler.find("++") != std::string::npos;
  Write("second/own.h", "#define OWN 1\n");
  Write("first/other.h", "");
  Write(
      "src/main.cc",
      std::string(cxx ? "#include <string>\n#include <vector>\n" : "#include <stdio.h>\n") +
          "#if __has_include(\"not_there.h\")\n#error\n#endif\n#include \"own.h\"\nint x = OWN;\n");
  const std::vector<std::string> argv = {
      compiler,    "-x", cxx ? "c++" : "c", "-g", "-O1",    "-Ifirst", "-Isecond",
      "-Inowhere", "-c", "src/main.cc",     "-o", "main.o", "-MD",     "-MF",
      "main.d"};
  const Lookups lookups = Run(argv);
  ASSERT_EQ(status_, 0) << err_;
  EXPECT_EQ(err_, "");
  EXPECT_TRUE(lookups.complete);
  const auto names = DependencyNames(ReadFile(at_ + "/main.d").value());
  EXPECT_GT(names.size(), 3u);
  for (const std::string& name : names) {
    const std::string path = CollapsePath(JoinPath(at_, name));
    EXPECT_TRUE(Has(lookups.found, path)) << path;
  }
  EXPECT_TRUE(Has(lookups.absent, at_ + "/src/own.h"));
  EXPECT_TRUE(Has(lookups.absent, at_ + "/first/own.h"));
  EXPECT_TRUE(Has(lookups.absent, at_ + "/src/not_there.h"));
  EXPECT_TRUE(Has(lookups.absent, at_ + "/first/not_there.h"));
  EXPECT_TRUE(Has(lookups.absent, at_ + "/second/not_there.h"));
  EXPECT_TRUE(Has(lookups.absent, at_ + "/nowhere"));
  EXPECT_FALSE(Has(lookups.found, at_ + "/main.d"));
}

INSTANTIATE_TEST_SUITE_P(Compilers, CompilerLookups,
                         testing::Values("/usr/bin/gcc", "/usr/bin/g++", "/usr/bin/clang",
                                         "/usr/bin/clang++"));

TEST_F(LookupsTest, TakesOnlyWhatIsBelowTheRootAndTakesTheRootOff) {
  Write("root/dir/file", "x");
  const Lookups lookups = Run({"/bin/cat", at_ + "/root/dir/file", at_ + "/root//./gone",
                               at_ + "/rootless", "root/dir/../dir/file"},
                              at_ + "/root");
  EXPECT_TRUE(Has(lookups.found, "/dir/file"));
  EXPECT_TRUE(Has(lookups.found, "/dir/../dir/file"));
  EXPECT_EQ(lookups.absent, std::vector<std::string>{"/gone"});
  EXPECT_EQ(lookups.found.size(), 2u);
}

TEST_F(LookupsTest, TheFirstLookupOfAPathCounts) {
  const Lookups lookups =
      Run({"/bin/sh", "-c", "test -e made; : > made; test -e made; test -e ./worker/; cat made"});
  EXPECT_TRUE(Has(lookups.absent, at_ + "/made"));
  EXPECT_FALSE(Has(lookups.found, at_ + "/made"));
  EXPECT_TRUE(Has(lookups.found, at_ + "/worker"));
}

TEST_F(LookupsTest, FollowsChangesOfDirectory) {
  Write("a/b/file", "x");
  const Lookups lookups = Run({"/bin/sh", "-c", "cd a; test -e one; cd b; test -e file"});
  EXPECT_TRUE(Has(lookups.absent, at_ + "/a/one"));
  EXPECT_TRUE(Has(lookups.found, at_ + "/a/b/file"));
}

TEST_F(LookupsTest, IsIncompleteWhereAProcessDidNotRecord) {
  EXPECT_TRUE(Run({"/bin/sh", "-c", "cat worker/lookups > /dev/null; exit 0"}).complete);
  // As with a static program: what cat does is not seen.
  EXPECT_FALSE(Run({"/bin/sh", "-c", "unset LD_PRELOAD; cat /dev/null; exit 0"}).complete);
}

TEST_F(LookupsTest, WorksInAFolderWithSpaces) {
  ASSERT_TRUE(MakeDirs(at_ + "/a worker"));
  log_ = LookupLog::Create(at_ + "/a worker").value();
  const Lookups lookups = Run({"/bin/sh", "-c", "cat nothing"});
  EXPECT_EQ(err_, "cat: nothing: No such file or directory\n");
  EXPECT_TRUE(lookups.complete);
  EXPECT_TRUE(Has(lookups.absent, at_ + "/nothing"));
}

TEST_F(LookupsTest, MakesADamagedLogAnew) {
  EXPECT_TRUE(Run({"/bin/sh", "-c", "rm worker/lookups"}).complete);
  EXPECT_TRUE(Has(Run({"/bin/cat", "gone"}).absent, at_ + "/gone"));
  // Too short by then to be read, which is found out; the next command has a good one.
  ASSERT_EQ(truncate((at_ + "/worker/lookups").c_str(), 4), 0);
  EXPECT_FALSE(log_->Collect("", 1));
  EXPECT_TRUE(Has(Run({"/bin/cat", "gone"}).absent, at_ + "/gone"));
}

TEST_F(LookupsTest, MakesARecorderAnewThatACommandAltered) {
  const std::string dir = at_ + "/worker/recorder";
  const std::string recorder = dir + "/llama-lookups.so";
  for (const std::string& harm : std::vector<std::string>{
           "chmod u+w " + recorder + "; : > " + recorder, "rm " + recorder, "chmod 600 " + recorder,
           "cp /bin/cat " + dir, "rm -r " + dir, "mv " + dir + " x; ln -s $PWD/x " + dir}) {
    ASSERT_EQ(std::system(("cd " + at_ + " && " + harm).c_str()), 0) << harm;
    ASSERT_TRUE(log_->Check()) << harm;
    EXPECT_EQ(*ReadFile(recorder), RecorderImage()) << harm;
    EXPECT_EQ(*ListDir(dir), std::vector<std::string>{"llama-lookups.so"}) << harm;
    EXPECT_TRUE(Run({"/bin/cat", "gone"}).complete) << harm;
  }
}

TEST_F(LookupsTest, SuitsProgramsOfItsOwnKind) {
  Write("script", "#!/bin/sh\n");
  Write("text", "hello");
  Write("elf32", std::string("\177ELF\1\1\1\0\0\0\0\0\0\0\0\0\2\0\3\0", 20) + std::string(60, 0));
  EXPECT_TRUE(log_->Suits("/proc/self/exe"));
  EXPECT_TRUE(log_->Suits(at_ + "/script"));
  EXPECT_FALSE(log_->Suits(at_ + "/text"));
  EXPECT_FALSE(log_->Suits(at_ + "/elf32"));
  EXPECT_FALSE(log_->Suits(at_ + "/gone"));
}

// A log as it could be written by anyone.
std::string LogOf(uint32_t used, uint32_t lost, std::string_view records) {
  const LookupLogHeader header = {LLAMA_LOOKUP_LOG_MAGIC, used, lost, 0};
  std::string log(reinterpret_cast<const char*>(&header), sizeof header);
  return log.append(records);
}

std::string RecordOf(uint32_t size, uint32_t kind, std::string_view payload) {
  const LookupRecord record = {size, kind};
  std::string bytes(reinterpret_cast<const char*>(&record), sizeof record);
  bytes += payload;
  bytes.resize((bytes.size() + 3) & ~size_t{3});
  return bytes;
}

TEST(ParseLookups, BelievesOnlyAWholeLog) {
  const std::string attached = RecordOf(12, LOOKUP_ATTACHED, std::string("\5\0\0\0", 4));
  const std::string path = RecordOf(16, LOOKUP_FOUND, std::string("/a/b\0", 5));
  const std::string good = attached + path;
  const auto size = [](const std::string& s) { return static_cast<uint32_t>(s.size() + 16); };
  const Lookups whole = ParseLookups(LogOf(size(good), 0, good), "", 5);
  EXPECT_TRUE(whole.complete);
  EXPECT_EQ(whole.found, std::vector<std::string>{"/a/b"});

  struct Case {
    const char* name;
    std::string log;
  };
  const std::string waited = good + RecordOf(12, LOOKUP_WAITED, std::string("\6\0\0\0", 4));
  const std::string unfinished = good + std::string(16, '\0');
  const std::string beyond = good + RecordOf(400, LOOKUP_FOUND, "/c");
  const std::string odd = good + RecordOf(13, LOOKUP_FOUND, "/cccc");
  const Case kCases[] = {
      {"empty", ""},
      {"no header", "abc"},
      {"another magic", std::string(32, 'x')},
      {"lost", LogOf(size(good), 1, good)},
      {"more claimed than there is", LogOf(size(good) + 4, 0, good)},
      {"a child that did not attach", LogOf(size(waited), 0, waited)},
      {"a record not finished", LogOf(size(unfinished), 0, unfinished)},
      {"a record beyond the end", LogOf(size(beyond), 0, beyond)},
      {"a record of an odd size", LogOf(size(odd), 0, odd)},
      {"nobody attached", LogOf(size(path), 0, path)},
  };
  for (const Case& c : kCases) EXPECT_FALSE(ParseLookups(c.log, "", 5).complete) << c.name;
  EXPECT_FALSE(ParseLookups(LogOf(size(good), 0, good), "", 7).complete);
}

TEST(CollapsePath, KeepsWhatOnlyTheKernelCanResolve) {
  const std::pair<const char*, const char*> kCases[] = {
      {"", "/"},
      {"/", "/"},
      {"/a/b", "/a/b"},
      {"//a///b/", "/a/b"},
      {"/./a/./b/.", "/a/b"},
      {"/a/../b", "/a/../b"},
      {"/a/.../.b", "/a/.../.b"},
  };
  for (const auto& [in, out] : kCases) EXPECT_EQ(CollapsePath(in), out) << in;
}

// What it recorded until then tells nothing of what it has become.
TEST_F(LookupsTest, AProgramThatBecomesAStaticOneIsNotSeenWhole) {
  const std::string program = "/sbin/ldconfig";
  if (access(program.c_str(), X_OK) != 0) GTEST_SKIP() << "no static program here";
  EXPECT_FALSE(Run({"/bin/sh", "-c", "exec /sbin/ldconfig --version"}).complete);
  EXPECT_FALSE(Run({"/bin/sh", "-c", "/sbin/ldconfig --version; true"}).complete);
}

TEST_F(LookupsTest, AChildThatStaysTheSameProgramIsSeen) {
  const Lookups lookups =
      Run({"/bin/sh", "-c", "(test -e none1; true); /no/such/program; test -e none2"});
  EXPECT_TRUE(lookups.complete);
  EXPECT_TRUE(Has(lookups.absent, at_ + "/none1"));
  EXPECT_TRUE(Has(lookups.absent, at_ + "/none2"));
}

}  // namespace
}  // namespace llama::worker
