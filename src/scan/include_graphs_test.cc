// Closures held against the truth, which is what the compilers themselves name (-M), over random
// include graphs and random changes to them (include_graph_testing.h).
//
//   LLAMA_GRAPHS=5000 LLAMA_GRAPHS_SEED=1 scan_test --gtest_filter='*IncludeGraphs*'
//
// LLAMA_GRAPHS_STEPS=40 makes more changes to each, LLAMA_GRAPHS_ALONE=20 compiles one in 20 of
// them with nothing but its closure instead of each, which takes most of the time where steps are
// few, and LLAMA_GRAPHS_KEEP=1 leaves the first graph that fails where it is.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/process.h"
#include "compiler/discovery.h"
#include "compiler/plan.h"
#include "files/live_tree.h"
#include "files/path_walker.h"
#include "scan/closure.h"
#include "scan/include_graph_testing.h"
#include "scan/search/search_path.h"

namespace llama::scan {
namespace {

size_t FromEnvironment(const char* name, size_t otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoul(value, nullptr, 10);
}

compiler::Toolchain ToolchainOf(const std::string& driver) {
  compiler::Toolchain toolchain;
  toolchain.driver = driver;
  toolchain.version = "1";
  toolchain.is_cxx_driver = driver.ends_with("++");
  if (BaseName(driver).starts_with("clang")) {
    toolchain.family = compiler::Family::kClang;
    if (auto said = compiler::RunDriver(driver, {"-dumpversion"}, {})) {
      toolchain.major = std::stoi(said->out);
    }
  }
  return toolchain;
}

struct Counts {
  size_t compiles = 0;
  size_t failed = 0;  // the compiler's: there is no truth then
  size_t files = 0;   // named by compilers
  std::map<std::string, size_t> refused;
};

// One graph, its live tree, and the commands that were looked at so far.
class Comparison {
 public:
  Comparison(uint32_t seed, const files::LiveTreeOptions& options, SearchPaths& paths,
             const std::vector<compiler::Toolchain>& toolchains, Counts& counts)
      : graph_(*RealPath(dir_.path()), seed),
        is_checked_alone_(seed % FromEnvironment("LLAMA_GRAPHS_ALONE", 1) == 0),
        options_(options),
        paths_(paths),
        toolchains_(toolchains),
        counts_(counts) {}

  // Empty: all is as it should be.
  std::string Run() {
    for (size_t step = 0; step < steps_; ++step) {
      if (step > 0) MakeChanges();
      // Some commands twice in a row, some after all the others.
      if (step % 3 == 0) {
        at_ = {graph_.chance().Below(toolchains_.size()),
               graph_.chance().Below(IncludeGraph::kCommands)};
      }
      std::string wrong = Step();
      if (wrong.empty() && step + 1 == steps_ && is_checked_alone_) wrong = CheckAlone();
      if (wrong.empty()) continue;
      if (std::getenv("LLAMA_GRAPHS_KEEP") != nullptr) {
        wrong += "kept as " + dir_.path() + "\n";
        new TempDir(std::move(dir_));
      }
      return wrong;
    }
    return {};
  }

  std::string Describe() const {
    std::string out = history_ + "cd " + graph_.cwd() + " &&";
    for (size_t i = 2; i < graph_.env().size(); ++i) out += " '" + graph_.env()[i] + "'";
    out += " " + toolchain().driver + " -w -E -M";
    for (const std::string& arg : graph_.args(at_.second)) out += " '" + arg + "'";
    return out + "\n" + graph_.Dump();
  }

 private:
  struct Known {
    ClosureRequest request;
    std::shared_ptr<const Closure> closure;
  };

  void MakeChanges() {
    only_unrelated_ = true;
    for (size_t n = 1 + graph_.chance().Below(3); n > 0; --n) {
      bool is_unrelated = false;
      const std::string what = graph_.Change(is_unrelated);
      history_ += what + "\n";
      if (what != "nothing") only_unrelated_ = only_unrelated_ && is_unrelated;
    }
  }

  const compiler::Toolchain& toolchain() const { return toolchains_[at_.first]; }

  compiler::Command Command() const {
    std::vector<std::string> args = graph_.args(at_.second);
    args.insert(args.begin(), "-c");
    return compiler::Parse(args, {.cwd = graph_.cwd(),
                                  .is_clang = toolchain().family == compiler::Family::kClang,
                                  .is_cxx_driver = toolchain().is_cxx_driver});
  }

  Result<ClosureRequest> Request(const compiler::Command& command) {
    ClosureRequest request;
    request.cwd = graph_.cwd();
    ASSIGN_OR_RETURN(request.preprocessing, paths_.Get({.command = &command,
                                                        .toolchain = &toolchain(),
                                                        .argv0 = {},
                                                        .env = graph_.env(),
                                                        .cwd = graph_.cwd(),
                                                        .cancelled = {}}));
    request.source = JoinPath(request.cwd, command.source);
    request.others.push_back(request.cwd);
    // As compiler/plan.h has it.
    for (const compiler::Arg& arg : command.args) {
      if (arg.kind != compiler::ArgKind::kSearchDir) continue;
      std::string path = JoinPath(request.cwd, arg.path);
      struct stat st {};
      if (stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode)) {
        request.others.push_back(std::move(path));
      }
    }
    return request;
  }

  Result<ProcessResult> RunCompiler(const compiler::Command& command) {
    ProcessOptions options;
    options.program = toolchain().driver;
    options.argv = compiler::DependencyArgs(command);
    options.argv.insert(options.argv.begin(), options.program);
    options.env = graph_.env();
    options.cwd = graph_.cwd();
    ++counts_.compiles;
    return RunProcess(options);
  }

  // What the compiler names, and the ways to it; nothing if it fails.
  std::optional<tree::Manifest> Truth(const compiler::Command& command) {
    const auto result = RunCompiler(command);
    if (!result || result->ExitCode() != 0) {
      ++counts_.failed;
      if (result && std::getenv("LLAMA_GRAPHS_ERRORS") != nullptr) {
        std::cout << result->err.substr(0, 300) << "\n";
      }
      return std::nullopt;
    }
    const auto names = compiler::ParseDepfile(result->out);
    EXPECT_TRUE(names) << result->out;
    if (!names) return std::nullopt;
    const auto digests = files::DigestCache::Open("", SystemClock()).value();
    files::PathWalker walker(*digests);
    for (const std::string& name : *names) {
      const auto added = walker.Add(JoinPath(graph_.cwd(), name));
      EXPECT_TRUE(added) << added.error().message;
    }
    counts_.files += names->size();
    return walker.manifest();
  }

  // The first entry of `some` that `all` has not, or otherwise.
  static std::string FirstMiss(const tree::Manifest& some, const tree::Manifest& all) {
    for (const auto& [path, entry] : some) {
      const auto other = all.find(path);
      if (other == all.end()) return path + " is missing";
      if (entry != other->second) return path + " is not what it was";
    }
    return {};
  }

  // Whether each entry is what is there now.
  static std::string FirstUntruth(const tree::Manifest& manifest, const std::string& root) {
    for (const auto& [path, entry] : manifest) {
      if (!path.starts_with(root)) continue;
      struct stat st {};
      if (lstat(path.c_str(), &st) != 0) return path + " is not there";
      if (S_ISREG(st.st_mode)) {
        const auto text = ReadFile(path);
        if (entry.type != tree::EntryType::kFile) return path + " is a file";
        if (!text || store::Sha256(*text) != entry.digest) return path + " has another content";
        if (entry.executable != ((st.st_mode & 0111) != 0)) return path + " has another mode";
        if (entry.size_bytes != text->size()) return path + " has another size";
      } else if (S_ISLNK(st.st_mode)) {
        if (entry.type != tree::EntryType::kSymlink) return path + " is a link";
        if (entry.target != *ReadLink(path)) return path + " leads elsewhere";
      } else if (entry.type != tree::EntryType::kDir) {
        return path + " is a folder";
      }
    }
    const auto valid = tree::CheckManifest(manifest);
    return valid ? "" : valid.error().message;
  }

  // Whether the compiler says the same where there is nothing but the closure, as in a worker.
  std::string CheckAlone() {
    const compiler::Command command = Command();
    const auto request = Request(command);
    if (!request) return {};
    const auto closure = closures_.Find(*request);
    if (!closure) return {};
    const auto before = RunCompiler(command);
    const std::string root = *RealPath(dir_.path());
    const std::string away = root + ".away";
    if (rename(root.c_str(), away.c_str()) != 0) return "cannot be moved";
    for (const auto& [path, entry] : (*closure)->manifest) {
      if (!path.starts_with(root + "/")) continue;
      const bool is_folder = entry.type == tree::EntryType::kDir;
      (void)MakeDirs(is_folder ? path : std::string(DirName(path)));
      // The file itself: compilers tell by time and inode which are the same.
      if (entry.type == tree::EntryType::kFile) {
        (void)link((away + path.substr(root.size())).c_str(), path.c_str());
      } else if (!is_folder) {
        (void)symlink(entry.target.c_str(), path.c_str());
      }
    }
    const auto after = RunCompiler(command);
    (void)RemoveTree(root);
    if (rename(away.c_str(), root.c_str()) != 0) return "cannot be moved back";
    if (!before || !after) return "no compiler";
    // clang looks further then, to say where an angled name would have been found as a quoted one:
    // no closure's affair, but that of the check.
    const bool lacks_file = after->err.find("file not found") != std::string::npos;
    if (lacks_file && before->ExitCode() != 0 && before->status == after->status) return {};
    if (before->status == after->status && before->out == after->out && before->err == after->err) {
      return {};
    }
    return "the closure alone gives\n" + after->out + after->err + "instead of\n" + before->out +
           before->err;
  }

  std::string Step() {
    const compiler::Command command = Command();
    std::optional<Known>& known = known_[at_];
    std::optional<std::string> change;
    const bool asks_first = graph_.chance().OneIn(2);
    if (known && asks_first) change = closures_.FirstChange(known->request, *known->closure);
    const auto request = Request(command);
    if (!request) return Refused(request.error());
    const auto closure = closures_.Find(*request);
    const std::optional<tree::Manifest> truth = Truth(command);
    if (!closure) return truth ? Refused(closure.error()) : "";
    if (known && !asks_first) change = closures_.FirstChange(known->request, *known->closure);

    const std::string untruth = FirstUntruth((*closure)->manifest, *RealPath(dir_.path()));
    if (!untruth.empty()) return "the closure is not as the files are: " + untruth;
    if (truth) {
      const std::string miss = FirstMiss(*truth, (*closure)->manifest);
      if (!miss.empty()) return "the closure lacks: " + miss;
      if (known && change->empty()) {
        const std::string changed = FirstMiss(*truth, known->closure->manifest);
        if (!changed.empty()) return "FirstChange saw nothing of it: " + changed;
      }
    }
    if (known && last_ == at_ && only_unrelated_) {
      if (known->closure != *closure) return "another closure after an unrelated change";
      if (!change->empty()) return "FirstChange after an unrelated change: " + *change;
    }
    known = Known{*request, *closure};
    last_ = at_;
    return {};
  }

  std::string Refused(const Error& error) {
    last_.reset();
    if (std::getenv("LLAMA_GRAPHS_REFUSED") != nullptr) return "refused: " + error.message;
    const size_t colon = error.message.find(": ");
    ++counts_.refused[colon == std::string::npos ? error.message : error.message.substr(colon)];
    return {};
  }

  TempDir dir_ = TempDir::Create("graph").value();
  IncludeGraph graph_;
  const bool is_checked_alone_;
  const files::LiveTreeOptions options_;
  SearchPaths& paths_;
  const std::vector<compiler::Toolchain>& toolchains_;
  Counts& counts_;
  std::unique_ptr<files::DigestCache> digests_ =
      files::DigestCache::Open("", SystemClock()).value();
  files::LiveTree tree_{*digests_, SystemClock(), options_};
  Closures closures_{tree_};
  using Place = std::pair<size_t, size_t>;  // of toolchains_, and of the graph's commands
  std::map<Place, std::optional<Known>> known_;
  Place at_;
  std::optional<Place> last_;
  bool only_unrelated_ = true;
  std::string history_;
  const size_t steps_ = FromEnvironment("LLAMA_GRAPHS_STEPS", 8);
};

// Where the truth comes from; by both: some folders are watched, and some looked at.
enum class Source { kInotify, kStamps, kBoth };

class IncludeGraphsTest : public testing::TestWithParam<Source> {};

TEST_P(IncludeGraphsTest, ClosuresHoldWhatTheCompilerOpens) {
  std::vector<compiler::Toolchain> toolchains;
  for (const char* driver : {"/usr/bin/gcc", "/usr/bin/g++", "/usr/bin/clang"}) {
    if (access(driver, X_OK) == 0) toolchains.push_back(ToolchainOf(driver));
  }
  if (toolchains.empty()) GTEST_SKIP() << "no compiler";
  const files::LiveTreeOptions options = {
      .use_inotify = GetParam() != Source::kStamps,
      .max_watches = GetParam() == Source::kBoth ? 8 : SIZE_MAX};
  SearchPaths paths;
  Counts counts;
  const size_t first = FromEnvironment("LLAMA_GRAPHS_SEED", 1);
  const size_t end = first + FromEnvironment("LLAMA_GRAPHS", 3);
  size_t wrong = 0;
  for (size_t seed = first; seed < end && wrong < 3; ++seed) {
    Comparison comparison(static_cast<uint32_t>(seed), options, paths, toolchains, counts);
    const std::string what = comparison.Run();
    EXPECT_EQ(what, "") << "seed " << seed << "\n" << comparison.Describe();
    if (!what.empty()) ++wrong;
  }
  RecordProperty("compiles", static_cast<int>(counts.compiles));
  std::string text = std::to_string(counts.compiles) + " compiles, " +
                     std::to_string(counts.failed) + " failed, " + std::to_string(counts.files) +
                     " files";
  for (const auto& [message, count] : counts.refused) {
    text += "\n" + std::to_string(count) + message;
  }
  if (std::getenv("LLAMA_GRAPHS") != nullptr) std::cout << text << "\n";
  EXPECT_LT(counts.failed, counts.compiles / 2) << text;
}

INSTANTIATE_TEST_SUITE_P(Sources, IncludeGraphsTest,
                         testing::Values(Source::kInotify, Source::kStamps, Source::kBoth),
                         [](const auto& source) -> std::string {
                           if (source.param == Source::kBoth) return "Both";
                           return source.param == Source::kInotify ? "Inotify" : "Stamps";
                         });

}  // namespace
}  // namespace llama::scan
