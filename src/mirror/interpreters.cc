#include "mirror/interpreters.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "base/file.h"

namespace llama::mirror {
namespace {

constexpr int kMaxSymlinks = 40;
// Above what shells and build systems number themselves, below what a small RLIMIT_NOFILE allows.
constexpr size_t kFirstFdNumber = 90;
constexpr size_t kMaxFds = 10;

}  // namespace

std::string ResolveInView(const std::string& path, const ViewLookup& lookup) {
  std::string done;
  std::string rest = path;
  int symlinks = 0;
  while (!rest.empty()) {
    const size_t begin = rest.find_first_not_of('/');
    if (begin == std::string::npos) break;
    const size_t end = std::min(rest.find('/', begin), rest.size());
    const std::string name = rest.substr(begin, end - begin);
    rest.erase(0, end);
    if (name == ".") continue;
    if (name == "..") {
      done = std::string(tree::ParentPath(done));
      continue;
    }
    const tree::Entry* entry = lookup(done + "/" + name);
    if (entry == nullptr) return "";
    if (entry->type == tree::EntryType::kSymlink) {
      if (++symlinks > kMaxSymlinks) return "";
      if (entry->target.starts_with('/')) done.clear();
      rest = entry->target + rest;
      continue;
    }
    if (entry->type == tree::EntryType::kFile && !rest.empty()) return "";
    done += "/" + name;
  }
  const tree::Entry* entry = lookup(done);
  return entry != nullptr && entry->type == tree::EntryType::kFile ? done : "";
}

bool Interpreters::Follow(const ViewLookup& lookup) {
  bool changed = false;
  for (auto& [path, interp] : known_) {
    std::string canonical = ResolveInView(path, lookup);
    changed |= canonical.empty() != interp.canonical.empty();
    interp.canonical = std::move(canonical);
  }
  return changed;
}

const std::string& Interpreters::ReplacementOf(const std::string& interp,
                                               const ViewLookup& lookup) {
  static const std::string kNone;
  if (!known_.contains(interp)) Learn(interp).canonical = ResolveInView(interp, lookup);
  const Interp& known = known_.at(interp);
  return known.canonical.empty() ? kNone : known.replacement;
}

Interpreters::Interp& Interpreters::Learn(const std::string& path) {
  const size_t number = known_.size();
  Interp& interp = known_[path];
  interp.number = number;
  const std::string link = LinkOf(interp);
  const std::string by_fd = "/proc/self/fd/" + std::to_string(kFirstFdNumber + number);
  if (link.size() <= path.size()) {
    interp.replacement = link;
    interp.is_link = true;
  } else if (number < kMaxFds && by_fd.size() <= path.size()) {
    interp.replacement = by_fd;
  }
  return interp;
}

Result<void> Interpreters::Settle() {
  for (auto& [path, interp] : known_) {
    interp.fd.Reset();
    if (interp.canonical.empty() || interp.replacement.empty()) continue;
    const std::string target = root_ + interp.canonical;
    if (!interp.is_link) {
      // Opened anew each time: the file may be another one under the same name.
      ASSIGN_OR_RETURN(interp.fd, OpenFile(target, O_PATH));
      continue;
    }
    if (interp.linked == target) continue;
    const std::string link = LinkOf(interp);
    TRY(RemoveTree(link));
    if (symlink(target.c_str(), link.c_str()) != 0) return ErrnoError(errno, link);
    interp.linked = target;
  }
  return {};
}

void Interpreters::Check() {
  for (auto& [path, interp] : known_) {
    if (interp.linked.empty()) continue;
    const Result<std::string> target = ReadLink(LinkOf(interp));
    if (!target || *target != interp.linked) interp.linked.clear();
  }
}

std::vector<std::pair<int, int>> Interpreters::keep_fds() const {
  std::vector<std::pair<int, int>> fds;
  for (const auto& [path, interp] : known_) {
    if (interp.fd.valid()) {
      fds.emplace_back(interp.fd.get(), static_cast<int>(kFirstFdNumber + interp.number));
    }
  }
  return fds;
}

std::string Interpreters::LinkOf(const Interp& interp) const {
  return link_dir_ + "/" + std::to_string(interp.number);
}

}  // namespace llama::mirror
