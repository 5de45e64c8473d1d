// What of a file is read, and how often, in one daemon and in the next.
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "files/digest_log.h"
#include "files/file_digester.h"
#include "scan/closure.h"

namespace llama::scan {
namespace {

using Names = std::vector<std::string>;

// How often a file was opened since the last question. (Closings are heard as well: equal events in
// a row are one.)
class Openings {
 public:
  explicit Openings(const std::string& path) : fd_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    EXPECT_GE(inotify_add_watch(fd_.get(), path.c_str(), IN_OPEN | IN_CLOSE), 0);
  }
  int Count() {
    int count = 0;
    inotify_event event{};
    // Those of a watched file itself have no name.
    while (read(fd_.get(), &event, sizeof event) == sizeof event) {
      if ((event.mask & IN_OPEN) != 0) ++count;
    }
    return count;
  }

 private:
  Fd fd_;
};

class KeptDirectivesTest : public testing::Test {
 protected:
  struct Daemon {
    explicit Daemon(KeptDirectivesTest& test)
        : digests(*files::DigestCache::Open(test.state_ + "/digests", test.clock_)),
          cache(*DirectivesCache::Open(test.state_ + "/directives")),
          tree(*digests, test.clock_, {}),
          closures(tree, cache.get()) {}
    std::unique_ptr<files::DigestCache> digests;
    std::unique_ptr<DirectivesCache> cache;
    files::LiveTree tree;
    Closures closures;
  };

  KeptDirectivesTest() {
    EXPECT_TRUE(MakeDirs(state_) && MakeDirs(root_));
    auto path = std::make_shared<SearchPath>();
    path->id = 1;
    request_.preprocessing.path = std::move(path);
    request_.source = Path("main.c");
    request_.cwd = root_;
    Write("main.c", "#include \"a.h\"\n");
    Write("a.h", "#include \"b.h\"\n");
    Write("b.h", "\n");
    Write("c.h", "\n");
  }

  std::string Path(const std::string& name) const { return root_ + "/" + name; }
  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(WriteFileAtomic(Path(name), text, 0644));
  }
  Names Files(Daemon& daemon) {
    const auto closure = daemon.closures.Find(request_);
    if (!closure) return {closure.error().message};
    Names out;
    for (const auto& [path, entry] : (*closure)->manifest) {
      if (path.starts_with(root_ + "/")) out.push_back(path.substr(root_.size() + 1));
    }
    return out;
  }

  TempDir dir_ = *TempDir::Create("kept");
  const std::string root_ = *RealPath(dir_.path()) + "/project";
  const std::string state_ = dir_.path() + "/state";
  // An hour ahead: files made now are old enough for their digests to be remembered.
  FakeClock clock_{SystemClock().NowNs() + 3'600'000'000'000};
  ClosureRequest request_;
};

const Names kFirst = {"a.h", "b.h", "main.c"};
const Names kSecond = {"a.h", "c.h", "main.c"};

TEST_F(KeptDirectivesTest, AFileIsReadOnceAndInTheNextDaemonNotAtAll) {
  Openings openings(Path("a.h"));
  {
    Daemon daemon(*this);
    EXPECT_EQ(Files(daemon), kFirst);
    EXPECT_EQ(openings.Count(), 1);
    EXPECT_EQ(Files(daemon), kFirst);
    EXPECT_EQ(openings.Count(), 0);
  }
  Daemon daemon(*this);
  EXPECT_EQ(Files(daemon), kFirst);
  EXPECT_EQ(openings.Count(), 0);
}

TEST_F(KeptDirectivesTest, ALostCacheCostsOneMoreReading) {
  { EXPECT_EQ(Files(*std::make_unique<Daemon>(*this)), kFirst); }
  for (const char* name : {"/directives", "/digests"}) {
    ASSERT_EQ(unlink((state_ + name).c_str()), 0);
    Openings openings(Path("a.h"));
    {
      Daemon daemon(*this);
      EXPECT_EQ(Files(daemon), kFirst);
    }
    EXPECT_EQ(openings.Count(), 1) << name;
  }
}

TEST_F(KeptDirectivesTest, WhatChangedBetweenDaemonsIsRead) {
  { EXPECT_EQ(Files(*std::make_unique<Daemon>(*this)), kFirst); }
  Write("a.h", "#include \"c.h\"\n");
  { EXPECT_EQ(Files(*std::make_unique<Daemon>(*this)), kSecond); }
  Write("a.h", "#include \"b.h\"\n");
  EXPECT_EQ(Files(*std::make_unique<Daemon>(*this)), kFirst);
}

TEST_F(KeptDirectivesTest, ATextThatIsNotOfItsDigestIsNeitherReadNorKept) {
  const store::Digest other = store::Sha256("#include \"c.h\"\n");
  {
    struct stat st {};
    ASSERT_EQ(stat(Path("a.h").c_str(), &st), 0);
    auto digests = files::DigestLog::Open(state_ + "/digests");
    ASSERT_TRUE(digests);
    ASSERT_TRUE(digests->first.Append({{{st.st_dev, st.st_ino},
                                        static_cast<uint64_t>(st.st_size),
                                        files::TimeNs(st.st_mtim),
                                        files::TimeNs(st.st_ctim),
                                        other,
                                        0}}));
  }
  Daemon daemon(*this);
  const auto closure = daemon.closures.Find(request_);
  ASSERT_FALSE(closure);
  EXPECT_EQ(closure.error().code, Code::kUnavailable);
  EXPECT_FALSE(daemon.cache->Find(other));
}

TEST_F(KeptDirectivesTest, DefinitionsAreReadOnceForANameAndAContent) {
  Write("main.c", "#include \"a.h\"\n#include NAME\n");
  Write("a.h", "#define NAME \"b.h\"\n");
  Daemon daemon(*this);
  Openings openings(Path("a.h"));
  EXPECT_EQ(Files(daemon), kFirst);
  EXPECT_EQ(openings.Count(), 2);
  Write("main.c", "#include \"a.h\"\n#include NAME\nint i;\n");
  EXPECT_EQ(Files(daemon), kFirst);
  EXPECT_EQ(openings.Count(), 0);
  Write("a.h", "#define NAME \"c.h\"\n");
  EXPECT_EQ(Files(daemon), kSecond);
}

}  // namespace
}  // namespace llama::scan
