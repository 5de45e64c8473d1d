// The closures of compiles, for bench/closures.py, which holds them against what compilers name.
//
//   closures < LIST
//
// LIST has a compile a line, its parts between 0x1f: the folder, the compiler's absolute path, the
// arguments. Printed, with tabs between:
//
//   path NUMBER PATH        before a number first stands anywhere
//   unit INDEX local REASON             the command line itself forbids it
//   unit INDEX passed REASON COLD       a rung down the ladder
//   unit INDEX found COLD WARM DAEMON FILES LINKS
//   file NUMBER MS          at the end, of each file: the quickest of three readings
//
// FILES and LINKS are numbers with commas between. COLD is the closure where nothing is known but
// the compiler's own folders, WARM the same again, DAEMON in a tree that holds all the units before
// it: milliseconds of CPU.
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/environment.h"
#include "base/file.h"
#include "compiler/command.h"
#include "compiler/toolchain.h"
#include "files/digest_cache.h"
#include "files/live_tree.h"
#include "scan/closure.h"
#include "scan/search/search_path.h"
#include "scan/text/directives.h"

namespace llama::scan {
namespace {

struct Compile {
  std::string cwd;
  std::string driver;
  std::vector<std::string> args;
};

Compile ParseLine(const std::string& line) {
  Compile compile;
  std::vector<std::string> parts;
  for (size_t at = 0; at <= line.size();) {
    const size_t end = std::min(line.find('\x1f', at), line.size());
    parts.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  if (parts.size() < 3) {
    std::cerr << "not a compile: " << line << "\n";
    std::exit(2);
  }
  compile.cwd = parts[0];
  compile.driver = parts[1];
  compile.args.assign(parts.begin() + 2, parts.end());
  return compile;
}

// A tree of its own, and what closures are kept in it.
struct World {
  std::unique_ptr<files::DigestCache> digests = files::DigestCache::Open("", SystemClock()).value();
  files::LiveTree tree{*digests, SystemClock()};
  Closures closures{tree};
};

// CPU of this thread, so that what else the machine does is not in it; but for the compiler that
// is asked, all is in the page cache.
class Timer {
 public:
  double Ms() const { return NowMs() - start_ms_; }

 private:
  static double NowMs() {
    struct timespec now {};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
  }
  const double start_ms_ = NowMs();
};

class Listing {
 public:
  explicit Listing(std::vector<std::string> env) : env_(std::move(env)) {}

  void Add(size_t index, const Compile& compile);
  void ReadEachFile() const;

 private:
  Result<ClosureRequest> Request(const Compile& compile, const compiler::Command& command,
                                 const compiler::Toolchain& toolchain);
  size_t NumberOf(const std::string& path);
  std::string Numbers(const tree::Manifest& manifest, tree::EntryType type);

  const std::vector<std::string> env_;
  std::unique_ptr<compiler::Toolchains> toolchains_ = compiler::Toolchains::Create();
  SearchPaths search_paths_;
  World daemon_;
  std::map<std::string, size_t> numbers_;
  std::map<std::string, size_t> files_;
};

Result<ClosureRequest> Listing::Request(const Compile& compile, const compiler::Command& command,
                                        const compiler::Toolchain& toolchain) {
  ClosureRequest request;
  request.cwd = compile.cwd;
  ASSIGN_OR_RETURN(request.preprocessing, search_paths_.Get({.command = &command,
                                                             .toolchain = &toolchain,
                                                             .argv0 = compile.driver,
                                                             .env = env_,
                                                             .cwd = compile.cwd,
                                                             .cancelled = {}}));
  request.source = JoinPath(compile.cwd, command.source);
  request.others.push_back(compile.cwd);
  return request;
}

size_t Listing::NumberOf(const std::string& path) {
  const auto [it, is_new] = numbers_.emplace(path, numbers_.size());
  if (is_new) std::cout << "path\t" << it->second << '\t' << path << '\n';
  return it->second;
}

std::string Listing::Numbers(const tree::Manifest& manifest, tree::EntryType type) {
  std::string out;
  for (const auto& [path, entry] : manifest) {
    if (entry.type != type) continue;
    const size_t number = NumberOf(path);
    if (type == tree::EntryType::kFile) files_.emplace(path, number);
    if (!out.empty()) out += ',';
    out += std::to_string(number);
  }
  return out;
}

void Listing::Add(size_t index, const Compile& compile) {
  const std::string unit = "unit\t" + std::to_string(index) + '\t';
  const auto passed = [&](const Error& error, double ms = 0) {
    std::string reason = error.message;
    std::replace(reason.begin(), reason.end(), '\n', ' ');
    std::replace(reason.begin(), reason.end(), '\t', ' ');
    std::cout << unit << "passed\t" << reason << '\t' << ms << '\n';
  };
  const auto toolchain = toolchains_->Get(compile.driver, env_);
  if (!toolchain) return passed(toolchain.error());
  const compiler::Command command =
      compiler::Parse(compile.args, {.cwd = compile.cwd,
                                     .is_clang = (*toolchain)->family == compiler::Family::kClang,
                                     .is_cxx_driver = (*toolchain)->is_cxx_driver});
  if (!command.local_reason.empty()) {
    std::cout << unit << "local\t" << command.local_reason << '\n';
    return;
  }
  const auto request = Request(compile, command, **toolchain);
  if (!request) return passed(request.error());

  World fresh;
  const Timer cold;
  const auto closure = fresh.closures.Find(*request);
  const double cold_ms = cold.Ms();
  if (!closure) return passed(closure.error(), cold_ms);
  const Timer warm;
  const auto again = fresh.closures.Find(*request);
  const double warm_ms = warm.Ms();
  const Timer kept;
  const auto kept_closure = daemon_.closures.Find(*request);
  const double daemon_ms = kept.Ms();
  if (!again || !kept_closure || (*kept_closure)->manifest != (*closure)->manifest) {
    return passed({Code::kInternal, "a tree that knows other units gives another closure"});
  }
  const std::string files = Numbers((*closure)->manifest, tree::EntryType::kFile);
  const std::string links = Numbers((*closure)->manifest, tree::EntryType::kSymlink);
  std::cout << unit << "found\t" << cold_ms << '\t' << warm_ms << '\t' << daemon_ms << '\t' << files
            << '\t' << links << '\n';
}

void Listing::ReadEachFile() const {
  for (const auto& [path, number] : files_) {
    const auto text = ReadFile(path);
    if (!text) continue;
    double least = 0;
    for (int round = 0; round < 3; ++round) {
      const Timer timer;
      const Directives directives = ReadDirectives(*text);
      const double ms = timer.Ms();
      if (round == 0 || ms < least) least = ms;
    }
    std::cout << "file\t" << number << '\t' << least << '\n';
  }
}

int Run() {
  std::vector<std::string> env;
  for (char** entry = environ; *entry != nullptr; ++entry) env.emplace_back(*entry);
  Listing listing(std::move(env));
  std::string line;
  for (size_t index = 0; std::getline(std::cin, line); ++index) {
    listing.Add(index, ParseLine(line));
  }
  listing.ReadEachFile();
  return std::cout.flush() ? 0 : 1;
}

}  // namespace
}  // namespace llama::scan

int main() { return llama::scan::Run(); }
