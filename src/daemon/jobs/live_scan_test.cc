// The upper rung of a compile's scan: by what the files say, on a live tree.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/jobs/closure_cache.h"
#include "daemon/jobs/lookup_reports.h"
#include "daemon/jobs/testing.h"
#include "trace/names.h"

namespace llama::daemon {
namespace {

using execute::Action;
using execute::OrReason;
using execute::Outcome;

// The rung below. Says what it is told, and that it was asked.
class LowerRung final : public scan::InputFinder {
 public:
  Result<scan::Inputs> Find(const scan::ScanRequest&) override {
    ++scans;
    return scan::Inputs{"cc-M", {"a.c", "a.h"}};
  }
  int scans = 0;
};

class LiveScanTest : public testing::Test {
 protected:
  LiveScanTest() {
    world_.Write("a.c", "#include <a.h>\n");
    world_.Write("two/a.h", "int two;\n");
    world_.services().search_paths = &search_paths_;
    world_.services().closures = &closures_;
    world_.services().closure_cache = &closure_cache_;
    world_.services().reports = &reports_;
    world_.request().argv = {"cc", "-Ione", "-Itwo", "-c", "a.c", "-o", "out.o"};
    executor_.run = [this](const Action&, execute::Execution&) { return Compiled("object"); };
  }
  Outcome Compiled(const std::string& object) const {
    Outcome outcome;
    outcome.lookups.complete = true;
    outcome.files = {{world_.Path("out.o"), 0644, object}};
    return outcome;
  }

  LowerRung lower_;
  FakeExecutor executor_;
  JobWorld world_{"", lower_, executor_};
  bool driver_answers_ = true;
  scan::SearchPaths search_paths_{LocalFileSystem(), SystemClock(),
                                  [this](const ProcessOptions&) -> Result<ProcessResult> {
                                    if (!driver_answers_) {
                                      return Error{Code::kInvalid, "no answer"};
                                    }
                                    ProcessResult result;
                                    result.err =
                                        "#include \"...\" search starts here:\n"
                                        "#include <...> search starts here:\n"
                                        "End of search list.\n";
                                    return result;
                                  }};
  files::LiveTree tree_{world_.files().digests(), SystemClock()};
  scan::Closures closures_{tree_};
  ClosureCache closure_cache_;
  LookupReports reports_{closures_};
};

TEST_F(LiveScanTest, FindsTheInputsWithoutTheCompiler) {
  trace::Span span;
  const auto scanned = world_.Scan(span);
  ASSERT_TRUE(scanned) << scanned.error().Text();
  EXPECT_EQ(lower_.scans, 0);
  EXPECT_EQ(scanned->rung, "superset");
  EXPECT_EQ(scanned->action.outputs.object, world_.Path("out.o"));
  const tree::Manifest& own = scanned->action.closure->own;
  EXPECT_EQ(own.at(world_.Path("two/a.h")).digest, store::Sha256("int two;\n"));
  EXPECT_EQ(own.at(world_.Path("two")).type, tree::EntryType::kDir);
  EXPECT_FALSE(own.contains(world_.Path("a.c")));
  EXPECT_FALSE(own.contains(world_.Path("cc")));
  EXPECT_TRUE(scanned->action.TravelsWith(world_.Path("a.c")));
}

TEST_F(LiveScanTest, CompilesOfTheSameFilesShareAClosure) {
  EXPECT_EQ(world_.WhyHere(), "");
  EXPECT_EQ(world_.WhyHere(), "");
  ASSERT_EQ(executor_.actions.size(), 2u);
  EXPECT_EQ(executor_.actions[0].closure, executor_.actions[1].closure);
  EXPECT_NE(executor_.actions[0].closure->id, 0u);
  world_.Write("two/a.h", "int other;\n");
  EXPECT_EQ(world_.WhyHere(), "");
  EXPECT_NE(executor_.actions[2].closure->id, executor_.actions[0].closure->id);
}

TEST_F(LiveScanTest, AHeaderThatComesToShadowWhileTheJobWaitsCounts) {
  executor_.run = [this](const Action& action, execute::Execution&) -> OrReason<Outcome> {
    const bool has_one = action.closure->own.contains(world_.Path("one/a.h"));
    if (!has_one) world_.Write("one/a.h", "int one;\n");
    return Compiled(has_one ? "one" : "two");
  };
  EXPECT_EQ(world_.WhyHere(), "");
  EXPECT_EQ(world_.Object(), "one");
  EXPECT_EQ(executor_.actions.size(), 2u);
}

TEST_F(LiveScanTest, AnEditWhileTheJobWaitsIsCompiled) {
  executor_.run = [this](const Action& action, execute::Execution&) -> OrReason<Outcome> {
    const store::Digest& seen = action.closure->own.at(world_.Path("two/a.h")).digest;
    const bool is_old = seen == store::Sha256("int two;\n");
    if (is_old) world_.Write("two/a.h", "int new_;\n");
    return Compiled(is_old ? "old" : "new");
  };
  EXPECT_EQ(world_.WhyHere(), "");
  EXPECT_EQ(world_.Object(), "new");
}

TEST_F(LiveScanTest, AnEditOfTheSourceWhileTheJobWaitsIsCompiled) {
  executor_.run = [this](const Action& action, execute::Execution&) -> OrReason<Outcome> {
    const bool is_old = action.inline_files.at(0).bytes == "#include <a.h>\n";
    if (is_old) world_.Write("a.c", "#include <a.h>\nint more;\n");
    return Compiled(is_old ? "old" : "new");
  };
  EXPECT_EQ(world_.WhyHere(), "");
  EXPECT_EQ(world_.Object(), "new");
}

// What a compile looks up in vain, and how it is foretold.
class ForetoldTest : public LiveScanTest {
 protected:
  ForetoldTest() {
    // As a worker does.
    executor_.run = [this](const Action& action, execute::Execution&) -> OrReason<Outcome> {
      if (meanwhile_) std::exchange(meanwhile_, nullptr)();
      Outcome outcome = Compiled("object");
      if (std::find(action.foretold.begin(), action.foretold.end(), report_) !=
          action.foretold.end()) {
        outcome.lookups.foretold = report_;
        return outcome;
      }
      outcome.lookups.absent = {world_.Path("out.o")};
      const std::string first = world_.Path("one/a.h");
      if (action.closure->Find(first) != nullptr) {
        outcome.lookups.found = {first};
      } else {
        outcome.lookups.found = {world_.Path("two/a.h")};
        outcome.lookups.absent.push_back(first);
      }
      outcome.lookups.report = report_;
      return outcome;
    };
  }
  // How many reports the next compile's action foretells.
  size_t Foretold() {
    EXPECT_EQ(world_.WhyHere(), "");
    return executor_.actions.back().foretold.size();
  }

  const store::Digest report_ = store::Sha256("report");
  std::function<void()> meanwhile_;
};

TEST_F(ForetoldTest, AReportThatAgreedIsForetold) {
  EXPECT_EQ(Foretold(), 0u);
  EXPECT_EQ(Foretold(), 1u) << "its own object is no input";
  EXPECT_EQ(Foretold(), 1u);
  EXPECT_EQ(executor_.actions.size(), 3u);
  EXPECT_GT(reports_.name_count(), 0u);
}

TEST_F(ForetoldTest, ANameThatComesEndsIt) {
  EXPECT_EQ(Foretold(), 0u);
  ASSERT_TRUE(MakeDirs(world_.Path("one")));
  EXPECT_EQ(Foretold(), 0u);
  EXPECT_EQ(Foretold(), 1u);
  world_.Write("unrelated.h", "1");
  EXPECT_EQ(Foretold(), 1u);
}

TEST_F(ForetoldTest, AnotherClosureIsAnotherMatter) {
  EXPECT_EQ(Foretold(), 0u);
  world_.Write("two/a.h", "int other;\n");
  EXPECT_EQ(Foretold(), 0u);
  EXPECT_EQ(Foretold(), 1u);
  world_.request().argv.back() = "another.o";
  EXPECT_EQ(executor_.actions.size(), 3u);
  executor_.run = [this](const Action& action, execute::Execution&) -> OrReason<Outcome> {
    EXPECT_TRUE(action.foretold.empty()) << "what is an output there is an input here";
    Outcome outcome = Compiled("object");
    outcome.files[0].path = world_.Path("another.o");
    return outcome;
  };
  EXPECT_EQ(world_.WhyHere(), "");
}

TEST_F(ForetoldTest, ANameThatComesWhileTheJobRunsIsCompiled) {
  EXPECT_EQ(Foretold(), 0u);
  // It had been foretold, and holds no more: so all is told, and it shows what comes of it.
  meanwhile_ = [this] { world_.Write("one/a.h", "int one;\n"); };
  EXPECT_EQ(world_.WhyHere(), "");
  ASSERT_EQ(executor_.actions.size(), 3u);
  EXPECT_EQ(executor_.actions[1].foretold.size(), 1u);
  EXPECT_TRUE(executor_.actions[2].foretold.empty());
  EXPECT_TRUE(executor_.actions[2].closure->own.contains(world_.Path("one/a.h")));
}

TEST_F(ForetoldTest, WhatTheNamesAloneDidNotDecideIsNotForetold) {
  world_.Write("beyond.h", "same");
  executor_.run = [this](const Action& action, execute::Execution&) -> OrReason<Outcome> {
    EXPECT_TRUE(action.foretold.empty());
    Outcome outcome = Compiled("object");
    outcome.lookups.found = {world_.Path("beyond.h")};
    outcome.lookups.report = report_;
    tree::Entry same;
    same.size_bytes = 4;
    same.digest = store::Sha256("same");
    outcome.lookups.shown = {{world_.Path("beyond.h"), same}};
    return outcome;
  };
  EXPECT_EQ(world_.WhyHere(), "");
  EXPECT_EQ(world_.WhyHere(), "");
  EXPECT_EQ(executor_.actions.size(), 2u);
}

TEST_F(LiveScanTest, WhatItCannotDecideIsTheRungBelows) {
  driver_answers_ = false;
  world_.Write("a.h", "int a;\n");
  trace::Span span;
  const auto scanned = world_.Scan(span);
  ASSERT_TRUE(scanned) << scanned.error().Text();
  EXPECT_EQ(lower_.scans, 1);
  EXPECT_EQ(scanned->rung, "cc-M");
  const trace::Value* reason = span.Find(trace::field::kRungReason);
  ASSERT_NE(reason, nullptr);
  EXPECT_FALSE(scanned->action.closure->first_change);
}

TEST_F(LiveScanTest, WhatTheRungBelowFoundIsRemembered) {
  // More values than are tried.
  std::string many;
  for (int i = 0; i < 5000; ++i) {
    many += "#define NAME <n" + std::to_string(i) + ".h>\n#undef NAME\n";
  }
  world_.Write("a.h", "int a;\n");
  world_.Write("a.c", many + "#define NAME <a.h>\n#include NAME\n");
  const auto rung = [&] {
    trace::Span span;
    const auto scanned = world_.Scan(span);
    EXPECT_TRUE(scanned) << scanned.error().Text();
    return scanned ? scanned->rung : "";
  };
  EXPECT_EQ(rung(), "cc-M");
  EXPECT_EQ(rung(), "learned");
  EXPECT_EQ(rung(), "learned");
  EXPECT_EQ(lower_.scans, 1);
  trace::Span span;
  const auto scanned = world_.Scan(span);
  ASSERT_TRUE(scanned);
  EXPECT_TRUE(scanned->action.closure->own.contains(world_.Path("a.h")));
  // A lookup that shows that it was not all: the next one asks again.
  executor_.run = [this](const Action& action, execute::Execution&) -> OrReason<Outcome> {
    Outcome outcome = Compiled("object");
    const std::string more = world_.Path("two/a.h");
    if (action.closure->Find(more) == nullptr) outcome.lookups.absent = {more};
    return outcome;
  };
  EXPECT_EQ(world_.WhyHere(), "");
  EXPECT_EQ(executor_.actions.size(), 2u);
  EXPECT_EQ(rung(), "cc-M");
}

TEST_F(LiveScanTest, AnAbsoluteNameIsSentLikeAnyOther) {
  world_.Write("a.c", "#include \"" + world_.Path("two/a.h") + "\"\n");
  EXPECT_EQ(world_.WhyHere(), "");
  ASSERT_EQ(executor_.actions.size(), 1u);
  EXPECT_NE(executor_.actions[0].closure->Find(world_.Path("two/a.h")), nullptr);
}

// A mirror keeps contents, not what tells files of one content apart.
TEST_F(LiveScanTest, FilesThatAreEqualAreToldApartWhereTheCompilerMayAsk) {
  world_.Write("a.c", "#include \"two/a.h\"\n#include \"two/b.h\"\n");
  const auto sent = [&]() -> std::string {
    executor_.actions.clear();
    EXPECT_EQ(world_.WhyHere(), "");
    if (executor_.actions.empty() || !executor_.actions[0].inodes) return "";
    std::string out;
    for (const tree::Inode& inode : *executor_.actions[0].inodes) {
      out += std::string(BaseName(inode.path)) + std::to_string(inode.number) + " ";
    }
    return out;
  };
  world_.Write("two/a.h", "int two;\n");
  world_.Write("two/b.h", "int two;\n");
  EXPECT_EQ(sent(), "");
  for (const char* text : {"#pragma once\nint two;\n", "#import \"c.h\"\n"}) {
    world_.Write("two/a.h", text);
    EXPECT_EQ(sent(), "");
    world_.Write("two/b.h", text);
    EXPECT_EQ(sent(), "a.h1 b.h2 ");
  }
  ASSERT_EQ(unlink(world_.Path("two/b.h").c_str()), 0);
  ASSERT_EQ(link(world_.Path("two/a.h").c_str(), world_.Path("two/b.h").c_str()), 0);
  EXPECT_EQ(sent(), "a.h1 b.h1 ");
  world_.Write("a.c", "#import \"two/a.h\"\n#include \"two/b.h\"\n");
  ASSERT_EQ(unlink(world_.Path("two/b.h").c_str()), 0);
  world_.Write("two/a.h", "int two;\n");
  world_.Write("two/b.h", "int two;\n");
  EXPECT_EQ(sent(), "a.h1 b.h2 ");
}

TEST_F(LiveScanTest, TimesAreSentWhereTheyAreSeen) {
  const auto count = [&] {
    executor_.actions.clear();
    EXPECT_EQ(world_.WhyHere(), "");
    const tree::Inodes& inodes = executor_.actions.at(0).inodes;
    return inodes ? inodes->size() : 0;
  };
  world_.Write("two/a.h", "// as __TIMESTAMP__ has it\nint two;\n");
  EXPECT_EQ(count(), 0u);
  for (const char* text : {"const char* t = __TIMESTAMP__;\n", "C(__TIME, STAMP__)\n",
                           "#pragma GCC dependency \"y\"\n"}) {
    world_.Write("two/a.h", text);
    EXPECT_EQ(count(), 2u) << text;
  }
  world_.Write("two/a.h", "int two;\n");
  world_.request().argv.insert(world_.request().argv.begin() + 1, "-DT=__TIMESTAMP__");
  EXPECT_EQ(count(), 2u);
}

TEST_F(LiveScanTest, AnOutputWithAttributesOfItsOwnIsTheLocalCompilersToWrite) {
  const std::string object = world_.Path("out.o");
  world_.Write("out.o", "old");
  ASSERT_EQ(chmod(object.c_str(), 0600), 0);
  EXPECT_EQ(world_.WhyHere(), "") << "it is replaced";
  world_.Write("out.o", "");
  ASSERT_EQ(chmod(object.c_str(), 0600), 0);
  EXPECT_EQ(world_.WhyHere(), "output-attributes: " + object) << "it is written into";
}

TEST_F(LiveScanTest, AMissingOutputFolderIsForTheLocalCompiler) {
  world_.request().argv.back() = "none/out.o";
  EXPECT_EQ(world_.WhyHere().substr(0, 7), "output:");
}

}  // namespace
}  // namespace llama::daemon
