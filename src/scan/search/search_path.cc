#include "scan/search/search_path.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "base/environment.h"
#include "base/file.h"
#include "base/file_identity.h"
#include "scan/search/built_in_folders.h"
#include "scan/search/merge_folders.h"

namespace llama::scan {
namespace {

constexpr int64_t kTimeoutMs = 20'000;
constexpr uint64_t kMaxOutputBytes = 4u << 20;
constexpr uint64_t kMaxConfigurationBytes = 1u << 20;

// Applied here, or none of the question's: messages are read, and dependencies would be written.
bool IsLeftOut(std::string_view entry) {
  constexpr auto kNames = std::to_array<std::string_view>(
      {"LANG", "LANGUAGE", "CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "OBJC_INCLUDE_PATH",
       "OBJCPLUS_INCLUDE_PATH", "DEPENDENCIES_OUTPUT", "SUNPRO_DEPENDENCIES"});
  const std::string_view name = entry.substr(0, entry.find('='));
  return name.starts_with("LC_") || std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

void AddToKey(std::string& key, std::string_view part) {
  key.append(part);
  key += '\0';
}

FileIdentity Identify(const FileSystem& files, const std::string& path) {
  struct stat st {};
  return files.Stat(path, st) == 0 ? IdentityOf(st) : FileIdentity{};
}

std::string ContentKey(const SearchPath& path) {
  std::string key = {path.skips_includer_dir ? '1' : '0', path.angle_is_quote ? '1' : '0'};
  for (const std::string& folder : path.quote) AddToKey(key, folder);
  key += '\0';
  for (const std::string& folder : path.angle) AddToKey(key, folder);
  key += '\0';
  for (const std::string& folder : path.left_out) AddToKey(key, folder);
  return key;
}

}  // namespace

// What a compiler said, and what it depends on.
struct SearchPaths::Answer {
  Result<std::vector<std::string>> folders = std::vector<std::string>();
  int64_t until_ns = INT64_MAX;
  std::vector<std::pair<std::string, FileIdentity>> sources;
  // Of folders only which one it is: files come and go in them.
  std::vector<Folder> left_out;
};

struct SearchPaths::Question {
  Mutex mutex;
  std::shared_ptr<const Answer> answer GUARDED_BY(mutex);
};

SearchPaths::SearchPaths(const FileSystem& files, const Clock& clock, Runner run)
    : files_(files), clock_(clock), run_(std::move(run)) {}

SearchPaths::~SearchPaths() = default;

Result<Preprocessing> SearchPaths::Get(const ScanRequest& request) {
  Preprocessing out;
  const compiler::Language language = request.command->language;
  const std::string& reason = request.command->local_reason;
  if (language == compiler::Language::kOther || reason == "response-file") {
    return Error{Code::kInvalid, "not understood by the scan: " + reason};
  }
  if (LanguageName(language).empty()) {
    out.path = Intern({});
    return out;
  }
  ASSIGN_OR_RETURN(SearchOptions options, ReadSearchOptions(*request.command, *request.toolchain,
                                                            request.env, request.cwd));
  ASSIGN_OR_RETURN(const std::shared_ptr<const Answer> answer, Ask(request, options));
  if (!answer->folders) return answer->folders.error();
  const bool is_cxx = language == compiler::Language::kCxx;
  ASSIGN_OR_RETURN(MergedFolders merged,
                   MergeFolders(files_, options, *answer->folders, *request.toolchain, is_cxx));
  out.path =
      Intern({0, std::move(merged.quote), std::move(merged.angle), options.skips_includer_dir,
              merged.angle_is_quote, std::move(merged.left_out)});
  out.forced = std::move(options.forced);
  out.defined = std::move(options.defined);
  return out;
}

std::shared_ptr<SearchPaths::Question> SearchPaths::FindQuestion(std::string key) {
  const MutexLock lock(mutex_);
  const auto found = std::find_if(questions_.begin(), questions_.end(),
                                  [&](const auto& entry) { return entry.first == key; });
  if (found != questions_.end()) {
    questions_.splice(questions_.begin(), questions_, found);
  } else {
    questions_.emplace_front(std::move(key), std::make_shared<Question>());
    if (questions_.size() > kMostQuestions) questions_.pop_back();
  }
  return questions_.front().second;
}

Result<std::shared_ptr<const SearchPaths::Answer>> SearchPaths::Ask(const ScanRequest& request,
                                                                    const SearchOptions& options) {
  std::string key;
  AddToKey(key, request.toolchain->driver);
  AddToKey(key, request.toolchain->version);
  AddToKey(key, LanguageName(request.command->language));
  AddToKey(key, options.depends_on_cwd ? request.cwd : std::string());
  for (const char* name : {"COMPILER_PATH", "GCC_EXEC_PREFIX", "LD_LIBRARY_PATH"}) {
    AddToKey(key, VariableOr(request.env, name, {}));
  }
  for (const std::string& word : options.built_in) AddToKey(key, word);
  const std::shared_ptr<Question> question = FindQuestion(std::move(key));

  const MutexLock lock(question->mutex);
  if (question->answer == nullptr || !IsStillTrue(*question->answer)) {
    ASSIGN_OR_RETURN(Answer answer, RunDriver(request, options));
    question->answer = std::make_shared<const Answer>(std::move(answer));
  }
  return question->answer;
}

bool SearchPaths::IsStillTrue(const Answer& answer) const {
  if (clock_.MonotonicNs() >= answer.until_ns) return false;
  const auto is_source = [&](const auto& entry) {
    return Identify(files_, entry.first) == entry.second;
  };
  const auto is_left_out = [&](const Folder& before) {
    const Folder now = LookAt(files_, before.path);
    return now.is_there == before.is_there && now.device == before.device &&
           now.inode == before.inode;
  };
  return std::all_of(answer.sources.begin(), answer.sources.end(), is_source) &&
         std::all_of(answer.left_out.begin(), answer.left_out.end(), is_left_out);
}

// An Answer may hold an error of the compiler's; those that say nothing about it are given.
Result<SearchPaths::Answer> SearchPaths::RunDriver(const ScanRequest& request,
                                                   const SearchOptions& options) {
  const std::string& driver = request.toolchain->driver;
  ProcessOptions process;
  process.program = driver;
  process.argv.push_back(driver);
  process.argv.insert(process.argv.end(), options.built_in.begin(), options.built_in.end());
  process.argv.insert(process.argv.end(),
                      {"-x", LanguageName(request.command->language), "-E", "-v", "/dev/null"});
  for (const std::string& entry : request.env) {
    if (!IsLeftOut(entry)) process.env.push_back(entry);
  }
  process.env.emplace_back("LC_ALL=C");
  process.cwd = options.depends_on_cwd ? request.cwd : "/";
  process.timeout_ms = kTimeoutMs;
  process.max_output_bytes = kMaxOutputBytes;
  process.cancelled = request.cancelled;

  Answer answer;
  // Before asking: a change in the meantime is seen by the next one.
  answer.sources.emplace_back(driver, Identify(files_, driver));
  ASSIGN_OR_RETURN(const ProcessResult result, run_(process));
  if (!WIFEXITED(result.status)) return Error{Code::kInternal, driver + " -v was killed"};

  const auto fail = [&](std::string_view what) {
    answer.folders = Error{Code::kInvalid, driver + ": " + std::string(what)};
    answer.until_ns = clock_.MonotonicNs() + kErrorHoldMs * 1'000'000;
    return std::move(answer);
  };
  if (result.ExitCode() != 0) return fail(result.err.substr(0, 300));
  Result<BuiltInFolders> said = ParseVerbose(result.err);
  if (!said) return fail(said.error().message);
  for (const std::string& path : said->configuration) {
    const Result<std::string> text = files_.ReadFile(path, kMaxConfigurationBytes);
    if (!text || HasSearchOptions(*text)) return fail("search options in " + path);
  }
  for (const std::string& source : said->sources) {
    const std::string path = JoinPath(process.cwd, source);
    answer.sources.emplace_back(path, Identify(files_, path));
  }
  for (const std::string& path : said->left_out) {
    answer.left_out.push_back(LookAt(files_, JoinPath(process.cwd, path)));
  }
  for (std::string& path : said->folders) path = JoinPath(process.cwd, path);
  answer.folders = std::move(said->folders);
  return answer;
}

std::shared_ptr<const SearchPath> SearchPaths::Intern(SearchPath path) {
  std::string key = ContentKey(path);
  const MutexLock lock(mutex_);
  const auto found = path_index_.find(key);
  if (found != path_index_.end()) {
    paths_.splice(paths_.begin(), paths_, found->second);
    return paths_.front().second;
  }
  path.id = ++last_id_;
  paths_.emplace_front(std::move(key), std::make_shared<const SearchPath>(std::move(path)));
  path_index_.emplace(paths_.front().first, paths_.begin());
  if (paths_.size() > kMostPaths) {
    path_index_.erase(paths_.back().first);
    paths_.pop_back();
  }
  return paths_.front().second;
}

}  // namespace llama::scan
