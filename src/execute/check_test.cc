#include "execute/check.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "execute/testing.h"

namespace llama::execute {
namespace {

class CheckTest : public testing::Test {
 protected:
  CheckTest() : walker_(world_.digests()), shippable_(world_.file_system()) {
    shippable_.AddFolder(world_.root());
    outcome_.lookups.complete = true;
  }
  std::string Path(const std::string& name) const { return world_.Path(name); }
  // Of an action over `names`, after the files were changed as they are now.
  OrReason<Finding> Checked() {
    return Check({&action_, &outcome_, &walker_, &world_.file_system(), &shippable_, canonical_,
                  still_agrees_});
  }
  Lacked Lacks() {
    auto finding = Checked();
    EXPECT_TRUE(finding) << finding.error().Text();
    if (!finding || !std::holds_alternative<Lacked>(*finding)) return {};
    return std::get<Lacked>(*finding);
  }
  bool Agree() {
    auto finding = Checked();
    EXPECT_TRUE(finding) << finding.error().Text();
    return finding && std::holds_alternative<Agrees>(*finding);
  }
  std::string Refusal() {
    const auto finding = Checked();
    return finding ? "" : finding.error().word;
  }
  static tree::Entry Holding(const std::string& bytes) {
    tree::Entry entry;
    entry.size_bytes = bytes.size();
    entry.digest = store::Sha256(bytes);
    return entry;
  }

  FileWorld world_;
  files::PathWalker walker_;
  Shippable shippable_;
  Action action_;
  Outcome outcome_;
  std::function<std::vector<std::string>(const std::vector<std::string>&)> canonical_;
  std::function<bool(const store::Digest&)> still_agrees_;
};

TEST_F(CheckTest, AgreesWhenEveryAnswerWasRight) {
  world_.Write("a.h", "a");
  action_ = world_.ActionOver({"a.h"}, walker_);
  outcome_.lookups.found = {world_.root(), Path("a.h")};
  outcome_.lookups.absent = {Path("b.h"), Path("no/such/dir/a.h")};
  EXPECT_TRUE(Agree());
}

TEST_F(CheckTest, SaysWhetherNamesAloneDecided) {
  const auto by_names = [&] {
    const auto finding = Checked();
    return finding && std::holds_alternative<Agrees>(*finding) &&
           std::get<Agrees>(*finding).by_names;
  };
  world_.Write("a.h", "a");
  world_.Write("here.h", "same");
  action_ = world_.ActionOver({"a.h"}, walker_);
  outcome_.lookups.found = {world_.root(), Path("a.h")};
  outcome_.lookups.absent = {Path("b.h"), Path("out.o")};
  EXPECT_FALSE(by_names()) << "each was looked at";
  canonical_ = [](const std::vector<std::string>& paths) {
    std::vector<std::string> canonical(paths.size());
    for (size_t i = 0; i < paths.size(); ++i) {
      if (!paths[i].ends_with("b.h")) canonical[i] = paths[i];
    }
    return canonical;
  };
  EXPECT_TRUE(by_names());
  outcome_.lookups.absent.emplace_back("/dev/null");
  EXPECT_FALSE(by_names()) << "what is no file";
  outcome_.lookups.absent.pop_back();
  outcome_.lookups.found.push_back(Path("here.h"));
  outcome_.lookups.shown = {{Path("here.h"), Holding("same")}};
  EXPECT_FALSE(by_names()) << "what is beyond the closure";
}

TEST_F(CheckTest, WhatWasForetoldAgreesWhileItHolds) {
  action_ = world_.ActionOver({}, walker_);
  outcome_.lookups.foretold = store::Sha256("report");
  EXPECT_EQ(Refusal(), "inputs-changed");
  bool holds = true;
  still_agrees_ = [&](const store::Digest& report) {
    return holds && report == store::Sha256("report");
  };
  EXPECT_TRUE(Agree());
  outcome_.lookups.foretold = store::Sha256("another");
  EXPECT_EQ(Refusal(), "inputs-changed");
  outcome_.lookups.foretold = store::Sha256("report");
  holds = false;
  const auto finding = Checked();
  ASSERT_FALSE(finding);
  EXPECT_EQ(finding.error().code, Code::kUnavailable) << "looked at again";
}

TEST_F(CheckTest, AFileThatWasMissedIsLackedOnce) {
  action_ = world_.ActionOver({}, walker_);
  world_.Write("inc/b.h", "b");
  outcome_.lookups.absent = {Path("inc/b.h")};
  const Lacked lacked = Lacks();
  EXPECT_TRUE(lacked.news.contains(Path("inc/b.h")));
  EXPECT_TRUE(lacked.stamps.contains(Path("inc/b.h")));
  EXPECT_EQ(lacked.example, Path("inc/b.h"));
  // The next view holds it; were it reported absent again, there would be nothing to add.
  EXPECT_TRUE(Agree());
}

TEST_F(CheckTest, AMissedFolderIsLacked) {
  action_ = world_.ActionOver({}, walker_);
  ASSERT_TRUE(MakeDirs(Path("inc")));
  outcome_.lookups.absent = {Path("inc")};
  EXPECT_TRUE(Lacks().news.contains(Path("inc")));
}

TEST_F(CheckTest, AFileFoundThereAndGoneHereIsLackedAsAbsent) {
  action_ = world_.ActionOver({}, walker_);
  outcome_.lookups.found = {Path("gone.h")};
  EXPECT_TRUE(Agree()) << "no layer has it: the worker's own";
  outcome_.lookups.shown = {{Path("gone.h"), Holding("old")}};
  const Lacked lacked = Lacks();
  ASSERT_TRUE(lacked.news.contains(Path("gone.h")));
  EXPECT_EQ(lacked.news.at(Path("gone.h")).type, tree::EntryType::kAbsent);
}

TEST_F(CheckTest, TheWayToAFoundFileIsHeldAgainstTheOneHere) {
  const auto link = [](const std::string& target) {
    tree::Entry entry;
    entry.type = tree::EntryType::kSymlink;
    entry.target = target;
    return entry;
  };
  const auto type = [](tree::EntryType kind) { return tree::Entry{kind, false, 0, {}, {}}; };
  const tree::Entry folder = type(tree::EntryType::kDir);
  world_.Write("other/a.h", "old");
  struct Case {
    std::string name;  // of all below: a.h was found in it
    tree::Manifest shown;
    tree::EntryType lacked;
  };
  ASSERT_TRUE(MakeDirs(Path("folder")));
  ASSERT_TRUE(MakeDirs(Path("was-file")));
  ASSERT_EQ(symlink("other", Path("turned").c_str()), 0);
  const std::vector<Case> cases = {
      {"gone",
       {{Path("gone"), folder}, {Path("gone/a.h"), Holding("old")}},
       tree::EntryType::kAbsent},
      {"gone-link", {{Path("gone-link"), link("other")}}, tree::EntryType::kAbsent},
      {"folder", {{Path("folder"), link("other")}}, tree::EntryType::kDir},
      {"was-file", {{Path("was-file"), Holding("old")}}, tree::EntryType::kDir},
      {"turned", {{Path("turned"), link("elsewhere")}}, tree::EntryType::kSymlink},
      {"turned", {{Path("turned"), folder}}, tree::EntryType::kSymlink},
  };
  for (const Case& c : cases) {
    for (const bool is_closure : {false, true}) {
      // That what is found here is an input anyway decides nothing.
      files::PathWalker walker(world_.digests());
      action_ =
          is_closure ? world_.ActionOver({"other/a.h"}, walker) : world_.ActionOver({}, walker);
      outcome_.lookups.found = {Path(c.name + (c.name == "was-file" ? "" : "/a.h"))};
      outcome_.lookups.shown = c.shown;
      const auto finding =
          Check({&action_, &outcome_, &walker, &world_.file_system(), &shippable_, canonical_});
      ASSERT_TRUE(finding && std::holds_alternative<Lacked>(*finding)) << c.name;
      const tree::Manifest& news = std::get<Lacked>(*finding).news;
      ASSERT_TRUE(news.contains(Path(c.name))) << c.name;
      EXPECT_EQ(news.at(Path(c.name)).type, c.lacked) << c.name;
      EXPECT_TRUE(tree::CheckManifest(news)) << c.name;
    }
  }
  outcome_.lookups.found = {Path("folder")};
  outcome_.lookups.shown = {{Path("folder"), folder}};
  canonical_ = [](const std::vector<std::string>& paths) { return paths; };
  const auto finding = Checked();
  ASSERT_TRUE(finding && std::holds_alternative<Agrees>(*finding));
  EXPECT_FALSE(std::get<Agrees>(*finding).by_names) << "another view may have a link there";
}

TEST_F(CheckTest, AStaleOutputThatWasFoundIsLackedAsAbsent) {
  action_ = world_.ActionOver({}, walker_);
  outcome_.lookups.found = {Path("out.o"), Path("out.i")};
  outcome_.lookups.shown = {{Path("out.i"), Holding("of another job")}};
  const Lacked lacked = Lacks();
  ASSERT_TRUE(lacked.news.contains(Path("out.i")));
  EXPECT_FALSE(lacked.news.contains(Path("out.o")));
}

TEST_F(CheckTest, AFileFoundThereWithOtherContentIsLacked) {
  action_ = world_.ActionOver({}, walker_);
  world_.Write("a.h", "new");
  outcome_.lookups.found = {Path("a.h")};
  outcome_.lookups.shown = {{Path("a.h"), Holding("old")}};
  EXPECT_EQ(Lacks().news.at(Path("a.h")).digest, store::Sha256("new"));
}

TEST_F(CheckTest, AFileOfWhichItIsNotKnownWhatTheViewHadIsLacked) {
  action_ = world_.ActionOver({}, walker_);
  world_.Write("a.h", "same");
  outcome_.lookups.found = {Path("a.h")};
  EXPECT_TRUE(Lacks().news.contains(Path("a.h")));
}

TEST_F(CheckTest, AFileBeyondTheClosureWithTheViewsContentIsFine) {
  action_ = world_.ActionOver({}, walker_);
  world_.Write("a.h", "same");
  outcome_.lookups.found = {Path("a.h")};
  outcome_.lookups.shown = {{Path("a.h"), Holding("same")}};
  EXPECT_TRUE(Agree());
}

TEST_F(CheckTest, AnOutputThatStandsIsOnesOwnHoweverItIsSpelt) {
  action_ = world_.ActionOver({}, walker_);
  action_.standing = {Path("out.o")};
  world_.Write("out.o", "of before");
  ASSERT_TRUE(MakeDirs(Path("sub")));
  outcome_.lookups.found = {Path("sub/../out.o")};
  EXPECT_TRUE(Agree());
  canonical_ = [&](const std::vector<std::string>& paths) {
    return std::vector<std::string>(paths.size(), Path("out.o"));
  };
  for (const bool is_found : {true, false}) {
    outcome_.lookups.found.clear();
    outcome_.lookups.absent.clear();
    (is_found ? outcome_.lookups.found : outcome_.lookups.absent).push_back(Path("sub/../out.o"));
    EXPECT_TRUE(Agree()) << is_found;
  }
  action_.standing.clear();
  outcome_.lookups.found = {Path("sub/../out.o")};
  EXPECT_FALSE(Agree()) << "it came while the command ran, or is another job's";
}

TEST_F(CheckTest, ALoopOfLinksIsTheSameHere) {
  action_ = world_.ActionOver({}, walker_);
  ASSERT_EQ(symlink("loop", Path("loop").c_str()), 0);
  outcome_.lookups.found = {Path("loop/a.h")};
  EXPECT_TRUE(Agree());
}

TEST_F(CheckTest, WhatMayNotBeLookedAtIsNotAbsent) {
  action_ = world_.ActionOver({}, walker_);
  outcome_.lookups.absent = {Path("locked/a.h")};
  EXPECT_TRUE(Agree());
  world_.file_system().Deny(Path("locked/a.h"));
  EXPECT_EQ(Refusal(), "verify");
}

TEST_F(CheckTest, OwnOutputsAndDevicesAreIgnored) {
  action_ = world_.ActionOver({}, walker_);
  world_.Write("out.o", "made meanwhile");
  outcome_.lookups.absent = {"/dev/null", Path("out.o")};
  EXPECT_TRUE(Agree());
}

TEST_F(CheckTest, UnrecordedLookupsAreAReasonOfTheirOwn) {
  action_ = world_.ActionOver({}, walker_);
  outcome_.lookups.complete = false;
  EXPECT_EQ(Refusal(), "lookups-unrecorded");
}

TEST_F(CheckTest, NothingIsReadOfWhatAWorkerNamesElsewhere) {
  TempDir elsewhere = TempDir::Create("elsewhere").value();
  const std::string key = elsewhere.path() + "/id_rsa";
  ASSERT_TRUE(WriteFileAtomic(key, "secret", 0600));
  ASSERT_TRUE(MakeDirs(Path(".ssh")));
  world_.Write(".ssh/id_rsa", "secret");
  ASSERT_EQ(symlink(key.c_str(), Path("link.h").c_str()), 0);
  ASSERT_EQ(mkfifo(Path("fifo.h").c_str(), 0600), 0);
  world_.Write("huge.h", "");
  ASSERT_EQ(truncate(Path("huge.h").c_str(), int64_t{1} << 40), 0);
  for (const std::string& path :
       {key, Path(".ssh/id_rsa"), Path("link.h"), Path("fifo.h"), Path("huge.h"),
        std::string("/etc/shadow"), std::string("/etc/passwd"), std::string("/proc/self/environ"),
        Path("../../etc/passwd")}) {
    struct stat st {};
    if (stat(path.c_str(), &st) != 0) continue;
    files::PathWalker walker(world_.digests());
    action_ = world_.ActionOver({}, walker);
    for (auto* list : {&outcome_.lookups.absent, &outcome_.lookups.found}) {
      outcome_.lookups.absent.clear();
      outcome_.lookups.found.clear();
      *list = {path};
      const auto finding =
          Check({&action_, &outcome_, &walker, &world_.file_system(), &shippable_});
      if (finding) {
        // Sockets and FIFOs are passed over where they were looked for in vain.
        EXPECT_TRUE(std::holds_alternative<Agrees>(*finding)) << path;
      } else {
        EXPECT_EQ(finding.error().word, "not-shippable") << path;
      }
      for (const auto& [sent, entry] : walker.manifest()) {
        EXPECT_NE(entry.type, tree::EntryType::kFile) << sent;
      }
    }
  }
}

TEST_F(CheckTest, TenThousandNamesAreTooMany) {
  action_ = world_.ActionOver({}, walker_);
  for (int i = 0; i < 2'000; ++i) {
    const std::string name = "f" + std::to_string(10'000 + i);
    world_.Write(name, "x");
    outcome_.lookups.absent.push_back(Path(name));
  }
  EXPECT_EQ(Refusal(), "not-shippable");
}

TEST(Shippable, AHomeIsNotTakenWhole) {
  FileWorld world;
  world.Write("a.h", "a");
  world.Write("Documents/letter", "a");
  Shippable shippable(world.file_system(), world.root());
  shippable.AddFolder(world.root());
  EXPECT_EQ(shippable.WhyNot(world.Path("a.h")), "");
  EXPECT_NE(shippable.WhyNot(world.Path("Documents/letter")), "");
  shippable.AddFolder(world.Path("Documents"));
  EXPECT_EQ(shippable.WhyNot(world.Path("Documents/letter")), "");
}

}  // namespace
}  // namespace llama::execute
