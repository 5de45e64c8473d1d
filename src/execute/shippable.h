// Shippable: which files may be sent because a worker says that the command looked for them.
//
// A worker is not trusted, and what it names leaves this machine. So it may name no more than the
// command itself could have read: regular files, of bounded size and number, that lie below one of
// the action's own folders (where its sources are, its search path, its working directory, what its
// command line names) with nothing hidden on the way, or that come with the system and everybody
// may read. What a symlink leads to decides, not where it stands. Anything else ends in a local
// run.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/file_system.h"

namespace llama::execute {

// Below the folders that hold the system: /usr, /lib, /bin, /opt and the like.
bool IsSystemPath(const std::string& path);

class Shippable {
 public:
  static constexpr uint64_t kMaxFileBytes = 64 << 20;
  static constexpr size_t kMaxFiles = 1'000;  // at once

  // `home`: never taken as a folder of the action's as a whole, since everything is below it; a
  // working directory there stands for the files directly in it.
  explicit Shippable(const FileSystem& file_system, std::string home = {})
      : file_system_(file_system), home_(std::move(home)) {}

  // A folder of the action, absolute. "/" and the system's own count for nothing.
  void AddFolder(const std::string& dir);
  // Folders of the action, canonical, that others share.
  void ShareFolders(std::shared_ptr<const std::vector<std::string>> folders) {
    shared_ = std::move(folders);
  }
  // Empty: it may be sent (or isn't there, or is a folder, of which no more than the name is). Else
  // why not, with the path.
  std::string WhyNot(const std::string& path) const;

 private:
  bool IsOwn(const std::string& canonical) const;

  const FileSystem& file_system_;
  const std::string home_;
  std::set<std::string> folders_;  // canonical
  std::shared_ptr<const std::vector<std::string>> shared_;
};

}  // namespace llama::execute
