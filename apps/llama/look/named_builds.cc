#include "llama/look/named_builds.h"

#include <sys/stat.h>

#include <algorithm>

#include "builds/store.h"
#include "client/connection.h"
#include "traces/load/loader.h"

namespace llama::app {

bool IsFolder(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

Result<NamedBuilds> LoadNamedBuilds(std::vector<std::string> names) {
  NamedBuilds loaded;
  ASSIGN_OR_RETURN(const std::string state_dir, client::StateDir());
  if (names.empty()) names.push_back("");  // the latest
  std::vector<std::string> dirs;
  for (const std::string& name : names) {
    auto record = builds::FindBuild(state_dir, name);
    if (!record) {
      Error error = std::move(record).error();
      error.message += "; 'llama builds' lists what there is";
      return error;
    }
    std::string dir = builds::BuildDir(state_dir, record->id);
    if (std::find(dirs.begin(), dirs.end(), dir) != dirs.end()) continue;
    dirs.push_back(std::move(dir));
    loaded.records.push_back(*std::move(record));
  }
  ASSIGN_OR_RETURN(loaded.columns, traces::LoadBuilds(dirs));
  return loaded;
}

Result<NamedBuilds> LoadGivenFiles(const std::vector<std::string>& paths) {
  NamedBuilds loaded;
  const auto folders = std::count_if(paths.begin(), paths.end(), IsFolder);
  if (folders == 0) {
    ASSIGN_OR_RETURN(loaded.columns, traces::LoadFiles(paths));
    return loaded;
  }
  if (static_cast<size_t>(folders) != paths.size()) {
    return Error{Code::kInvalid, "either trace files or folders of builds"};
  }
  for (const std::string& path : paths) {
    auto record = builds::ReadBuildRecord(path);
    if (record) loaded.records.push_back(*std::move(record));
  }
  ASSIGN_OR_RETURN(loaded.columns, traces::LoadBuilds(paths));
  return loaded;
}

}  // namespace llama::app
