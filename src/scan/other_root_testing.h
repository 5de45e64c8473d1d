// For tests: a copy below another root of the files that a command needs, as a worker has them.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace llama::scan {

// Copies paths below a root as the kernel walks them: every symlink on the way becomes one, with
// absolute targets below the root.
class OtherRoot {
 public:
  explicit OtherRoot(std::string root) : root_(std::move(root)) {}

  void Add(const std::string& path) {
    std::vector<std::string> pending = Components(path);
    std::string current;
    for (int links = 0; !pending.empty() && links < 40;) {
      const std::string name = pending.back();
      pending.pop_back();
      if (name == "..") {
        current = current.substr(0, current.rfind('/'));
        continue;
      }
      const std::string next = current + "/" + name;
      const std::filesystem::file_status status = std::filesystem::symlink_status(next);
      if (std::filesystem::is_symlink(status)) {
        ++links;
        const std::string target = std::filesystem::read_symlink(next);
        AddLink(next, target);
        if (target.starts_with('/')) current.clear();
        const auto more = Components(target);
        pending.insert(pending.end(), more.begin(), more.end());
        continue;
      }
      if (!std::filesystem::exists(status)) return;
      if (std::filesystem::is_directory(status)) std::filesystem::create_directories(root_ + next);
      if (std::filesystem::is_regular_file(status)) AddFile(next);
      current = next;
    }
  }

 private:
  // In reverse, so that the next one is at the back.
  static std::vector<std::string> Components(std::string_view path) {
    std::vector<std::string> out;
    for (const std::filesystem::path& part : std::filesystem::path(path)) {
      if (part != "/" && part != "." && !part.empty()) out.push_back(part);
    }
    return {out.rbegin(), out.rend()};
  }

  void AddLink(const std::string& path, const std::string& target) {
    if (!known_.insert(path).second) return;
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::filesystem::create_symlink(target.starts_with('/') ? root_ + target : target,
                                    root_ + path);
  }

  // A copy: a link to a compiler changes its time of change, and every daemon here reads it anew.
  void AddFile(const std::string& path) {
    if (!known_.insert(path).second) return;
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::filesystem::copy_file(path, root_ + path);
  }

  const std::string root_;
  std::set<std::string> known_;
};

}  // namespace llama::scan
