// Where a compile looks for headers, in order, as gcc or clang does.
//
// The built-in folders are asked from the compiler itself, once for each driver, language and set
// of options that decide about them; the user's -I and their like, the environment's folders and
// the removal of duplicates are applied here, so that another -I costs no process.
//
// Which folders are the same one (by device and inode) is looked up at every Get, since a build
// makes folders and links as it goes. A folder that is missing keeps its place: nothing is found in
// it. So the lists are the compiler's but for missing folders. What the compiler left out of its
// own folders (missing, or the same as another) is watched, and asked again when that changes.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/mutex.h"
#include "base/process.h"
#include "base/result.h"
#include "scan/search/scan_request.h"
#include "scan/search/search_options.h"

namespace llama::scan {

// All that finding headers depends on but the file system, so that closures can be kept by it.
// Folders are absolute, otherwise as spelt: "a/../b" stays.
struct SearchPath {
  // Counts up, never given twice. The same lists have the same one as long as the cache holds them.
  uint64_t id = 0;
  std::vector<std::string> quote;   // for "x", after the folder of the includer
  std::vector<std::string> angle;   // for <x>, and for "x" after `quote`
  bool skips_includer_dir = false;  // -I-: not in the folder of the includer
  // gcc where no folder of `angle` is there (-nostdinc): <x> is sought in `quote`.
  bool angle_is_quote = false;
  // Named as well, but the same as one of those, or (clang) of another language.
  std::vector<std::string> left_out;
};

// What a command says to the preprocessor.
struct Preprocessing {
  std::shared_ptr<const SearchPath> path;
  std::vector<ForcedInclude> forced;      // in the order of reading
  std::vector<CommandLineMacro> defined;  // in order; for includes whose name is a macro
};

// Gives the search paths of commands, and remembers what compilers said. Holds the kMost… that were
// used last. Thread-safe; a compiler is asked one thing at a time, others wait for the answer.
class SearchPaths {
 public:
  static constexpr size_t kMostPaths = 1024;
  static constexpr size_t kMostQuestions = 128;
  // An error is remembered too, but what was wrong may be mended out of our sight.
  static constexpr int64_t kErrorHoldMs = 5'000;

  using Runner = std::function<Result<ProcessResult>(const ProcessOptions&)>;

  explicit SearchPaths(const FileSystem& files = LocalFileSystem(),
                       const Clock& clock = SystemClock(), Runner run = RunProcess);
  ~SearchPaths();

  // Uses all of the request but argv0. Commands of a language without #include have an empty path.
  // kInvalid: something about the command or the compiler that is not understood, named in the
  // message: a slower rung may know. Others: the compiler could not be asked this time.
  Result<Preprocessing> Get(const ScanRequest& request);

 private:
  struct Answer;
  struct Question;

  std::shared_ptr<Question> FindQuestion(std::string key) EXCLUDES(mutex_);
  Result<std::shared_ptr<const Answer>> Ask(const ScanRequest& request,
                                            const SearchOptions& options);
  Result<Answer> RunDriver(const ScanRequest& request, const SearchOptions& options);
  bool IsStillTrue(const Answer& answer) const;
  std::shared_ptr<const SearchPath> Intern(SearchPath path) EXCLUDES(mutex_);

  const FileSystem& files_;
  const Clock& clock_;
  const Runner run_;

  Mutex mutex_;
  // The ones used last come first.
  std::list<std::pair<std::string, std::shared_ptr<Question>>> questions_ GUARDED_BY(mutex_);
  using Paths = std::list<std::pair<std::string, std::shared_ptr<const SearchPath>>>;
  Paths paths_ GUARDED_BY(mutex_);
  std::unordered_map<std::string_view, Paths::iterator> path_index_ GUARDED_BY(mutex_);
  uint64_t last_id_ GUARDED_BY(mutex_) = 0;
};

}  // namespace llama::scan
