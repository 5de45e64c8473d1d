// ShippingRules: which files of this machine may be sent for a command that looked them up but
// whose user did not name them (docs/any_command.md, "What is sent").
//
// What comes with the system and everybody may read is no secret: programs, libraries, their data.
// Besides it what belongs to the programs that run: the folder that each is in, or bin, lib and
// libexec beside each other where it stands in a bin; nothing hidden below them. Nothing else is
// ever sent.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace llama::daemon {

class ShippingRules {
 public:
  // `search_path`: the folders of PATH, whose programs may be sent wherever they are. `home`: never
  // taken whole for a program's own folder.
  ShippingRules(std::vector<std::string> search_path, std::string home)
      : search_path_(std::move(search_path)), home_(std::move(home)) {}

  // A program that runs: its own folder counts from now on.
  void AddProgram(const std::string& path);
  // Whether the file or directory at `path` may be sent; not if it is not there.
  bool Allow(const std::string& path) const;
  // Whether it is a program that a search of PATH may find.
  bool IsInSearchPath(const std::string& path) const;

 private:
  void AddDir(const std::string& dir);
  bool IsOwn(const std::string& path) const;

  const std::vector<std::string> search_path_;
  const std::string home_;
  std::set<std::string> own_dirs_;
};

}  // namespace llama::daemon
