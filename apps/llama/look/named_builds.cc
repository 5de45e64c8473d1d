#include "llama/look/named_builds.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "client/connection.h"
#include "llama/command.h"
#include "traces/load/loader.h"

namespace llama::app {
namespace {

using builds::Named;
using builds::Names;

void TellOfHidden(const Named& named, const std::string& word) {
  if (!named.hides_file) return;
  PrintError("'" + word + "' is a build and a file: the build is meant; ./" + word +
             " is the file");
}

// Without a state folder only files can be meant.
struct Known {
  Result<std::string> state_dir = client::StateDir();
  Result<Names> names = state_dir ? Names::Of(*state_dir) : Result<Names>(Names());
};

template <typename F>
auto Resolve(const Known& known, F&& find) -> decltype(find(*known.names)) {
  if (!known.names) return known.names.error();
  auto found = find(*known.names);
  if (!found && !known.state_dir) return known.state_dir.error();
  return found;
}

// Of several, those that have a trace count: what was never begun or is half removed is no
// obstacle.
void KeepRecorded(std::vector<Named>& several) {
  std::erase_if(several, [](const Named& named) {
    return access(builds::TracePath(named.path).c_str(), R_OK) != 0;
  });
}

}  // namespace

Result<std::vector<Named>> ResolveNames(const std::vector<std::string>& words) {
  const Known known;
  std::vector<Named> all;
  for (const std::string& word : words.empty() ? std::vector<std::string>{""} : words) {
    ASSIGN_OR_RETURN(std::vector<Named> found,
                     Resolve(known, [&](const Names& names) { return names.FindAll(word); }));
    if (found.size() > 1) KeepRecorded(found);
    for (Named& named : found) {
      TellOfHidden(named, word);
      const auto is_same = [&](const Named& other) { return other.path == named.path; };
      if (std::none_of(all.begin(), all.end(), is_same)) all.push_back(std::move(named));
    }
  }
  return all;
}

Result<Named> ResolveName(const std::string& word) {
  ASSIGN_OR_RETURN(Named named,
                   Resolve(Known(), [&](const Names& names) { return names.Find(word); }));
  TellOfHidden(named, word);
  return named;
}

Result<std::vector<Named>> AllBuilds() {
  ASSIGN_OR_RETURN(const std::string state_dir, client::StateDir());
  ASSIGN_OR_RETURN(const Names names, Names::Of(state_dir));
  std::vector<Named> all = names.All();
  KeepRecorded(all);
  if (all.empty()) return Error{Code::kNotFound, "no build is recorded in " + state_dir};
  return all;
}

Result<NamedBuilds> LoadNamed(const std::vector<Named>& named) {
  NamedBuilds loaded;
  std::vector<std::string> folders;
  std::vector<std::string> files;
  for (const Named& one : named) {
    files.push_back(one.is_build ? builds::TracePath(one.path) : one.path);
    if (!one.is_build) continue;
    folders.push_back(one.path);
    auto record = builds::ReadBuildRecord(one.path);
    if (record) loaded.records.push_back(*std::move(record));
  }
  // Folders have columnar files; with a file among them they are read as files.
  const bool only_folders = folders.size() == named.size();
  ASSIGN_OR_RETURN(loaded.columns,
                   only_folders ? traces::LoadBuilds(folders) : traces::LoadFiles(files));
  return loaded;
}

constexpr std::string_view kNamesHelp =
    "How builds and traces are named, the same in every command that takes them. What comes first\n"
    "here counts:\n"
    "\n"
    "  -           a trace on standard input\n"
    "  ./x, a/b    with a slash: a trace file, or the folder of a build\n"
    "  latest      the latest build, which is meant without a name, too\n"
    "  ID          a build's id, such as 20261122-082050-3f9a\n"
    "  NAME        the latest build of that name ('llama build --name', 'llama builds rename')\n"
    "  FILE        a trace file, or the folder of a build, in the working directory\n"
    "  BEGINNING   of an id, if only one begins so\n"
    "  PATTERN     all builds whose id or name is like it: * and ? as in a shell, in quotes.\n"
    "              Where one build is wanted only one may be like it\n"
    "\n"
    "A trace file is llama's own (a span a line), Chrome's JSON or OTLP's JSON, each also "
    "compressed\n"
    "by gzip or zstd.\n"
    "\n"
    "'llama builds rm', 'rename' and 'tag' take recorded builds only, and no name that several\n"
    "have. The shell completes ids and names.\n"
    "\n"
    "examples:\n"
    "  llama report before\n"
    "  llama compare 'redis-gcc*' 'redis-clang*'\n"
    "  llama sql --build 20261122-08 --build ./trace.ndjson 'SELECT * FROM builds'\n";

}  // namespace llama::app
