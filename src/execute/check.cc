#include "execute/check.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <string_view>
#include <utility>

#include "base/file.h"

namespace llama::execute {
namespace {

// What is to be looked at anew: paths of the walk before it are not news.
class News {
 public:
  explicit News(const files::PathWalker& walker) : walker_(walker), begin_(walker.order().size()) {}
  std::vector<std::string> Take() {
    const auto& order = walker_.order();
    std::vector<std::string> paths(order.begin() + static_cast<ptrdiff_t>(begin_), order.end());
    begin_ = order.size();
    return paths;
  }

 private:
  const files::PathWalker& walker_;
  size_t begin_;
};

class Checker {
 public:
  explicit Checker(const CheckRequest& request)
      : request_(request),
        walker_(*request.walker),
        news_(walker_),
        by_names_(request.canonical != nullptr) {}

  OrReason<Finding> Run() {
    if (!lookups().complete) return Reason{"lookups-unrecorded", {}};
    if (lookups().foretold) {
      if (request_.still_agrees && request_.still_agrees(*lookups().foretold)) {
        return Finding(Agrees{true});
      }
      return Reason{"inputs-changed", "a name that was looked up came or went", Code::kUnavailable};
    }
    TRY(LookAtAbsent());
    TRY(LookAtShown());
    TRY(LookAtFound());
    if (lacked_.news.empty()) return Finding(Agrees{by_names_});
    return Finding(std::move(lacked_));
  }

 private:
  const Lookups& lookups() const { return request_.outcome->lookups; }
  const Closure& closure() const { return *request_.action->closure; }
  bool IsOwnOutput(const std::string& path) const {
    return IsAllowed(request_.action->outputs, path);
  }

  // Not what it found of another job's: what a compile itself made is no lookup, and what stands
  // here stood there as a placeholder.
  bool IsOwnFound(const std::string& path) const {
    const Action& action = *request_.action;
    if (action.any_command) return IsOwnOutput(path);
    return std::find(action.standing.begin(), action.standing.end(), path) != action.standing.end();
  }

  // What is here and was missing there.
  OrReason<void> LookAtAbsent() {
    std::vector<std::string> here;
    if (request_.canonical) here = request_.canonical(lookups().absent);
    for (size_t i = 0; i < lookups().absent.size(); ++i) {
      const std::string& path = lookups().absent[i];
      struct stat st {};
      if (!here.empty() && here[i].empty()) continue;
      if (IsOwnOutput(path) || (!here.empty() && IsOwnOutput(here[i]))) continue;
      by_names_ = false;
      const int error = request_.file_system->Lstat(path, st);
      if (error == EACCES) return Reason{"verify", path + ": may not be looked at"};
      if (error != 0) continue;
      // Sockets, devices and the like are not shipped; a compiler that opens one is no job of ours.
      if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode)) continue;
      TRY(AddTruth(path));
      if (lacked_.example.empty()) lacked_.example = path;
    }
    // The command missed these, whatever any layer holds: its view did not have them.
    for (const std::string& path : news_.Take()) Add(path, walker_.manifest().at(path));
    if (lacked_.news.empty()) lacked_.example.clear();
    return {};
  }

  // What the command went through there, beyond the closure, and may be something else here.
  OrReason<void> LookAtShown() {
    // Another view may have something else there, whatever the closure is.
    if (!lookups().shown.empty()) by_names_ = false;
    std::set<std::string, std::less<>> others;
    for (const auto& [path, entry] : lookups().shown) {
      if (IsOwnFound(path) || HasAbove(others, path)) continue;
      ASSIGN_OR_RETURN(const tree::Entry here, TruthAt(path));
      if (here == entry) continue;
      Note(path, here);
      others.insert(path);
    }
    return {};
  }

  // What is below something else is elsewhere here.
  static bool HasAbove(const std::set<std::string, std::less<>>& paths, std::string_view path) {
    for (path = tree::ParentPath(path); !path.empty(); path = tree::ParentPath(path)) {
      if (paths.contains(path)) return true;
    }
    return false;
  }

  // At a path that is canonical here as it was there. Nothing but its kind is read of what may not
  // be sent.
  OrReason<tree::Entry> TruthAt(const std::string& path) {
    struct stat st {};
    tree::Entry here{tree::EntryType::kAbsent, false, 0, {}, {}};
    if (request_.file_system->Lstat(path, st) != 0) return here;
    here.type = tree::EntryType::kDir;
    if (S_ISDIR(st.st_mode)) return here;
    TRY(AddTruth(path));
    news_.Take();
    const auto added = walker_.manifest().find(path);
    if (added != walker_.manifest().end()) return added->second;
    here.type = tree::EntryType::kAbsent;
    return here;
  }

  // What was found there, beyond the closure, and may be something else here.
  OrReason<void> LookAtFound() {
    std::vector<std::string> here;
    if (request_.canonical) here = request_.canonical(lookups().found);
    for (size_t i = 0; i < lookups().found.size(); ++i) {
      const std::string& path = lookups().found[i];
      if (!here.empty() && IsKnown(here[i])) continue;
      if (IsOwnFound(path) || (!here.empty() && IsOwnFound(here[i]))) continue;
      if (here.empty()) by_names_ = false;
      if (IsKnown(path)) continue;
      struct stat st {};
      if (request_.file_system->Lstat(path, st) == 0 && S_ISDIR(st.st_mode)) continue;
      by_names_ = false;
      // Most are known by another spelling. What leads to a file that was found was there, too.
      const auto canonical = walker_.Canonical(path);
      news_.Take();
      if (canonical && (IsKnown(*canonical) || IsOwnFound(*canonical))) continue;
      // The same loop of links that was found there, or LookAtShown would have said so.
      if (request_.file_system->Stat(path, st) == ELOOP) continue;
      TRY(AddTruth(path));
      for (const std::string& added : news_.Take()) {
        const tree::Entry& entry = walker_.manifest().at(added);
        if (entry.type == tree::EntryType::kFile && !WasShown(added, entry)) Note(added, entry);
      }
    }
    // What no layer has is the worker's own (a folder that it made to work in).
    for (const auto& [path, entry] : gone_) {
      if (closure().Find(path) != nullptr || lookups().shown.contains(path)) Note(path, entry);
    }
    return {};
  }

  bool IsKnown(const std::string& path) const {
    return closure().Find(path) != nullptr || request_.action->TravelsWith(path) ||
           walker_.manifest().contains(path);
  }

  // Whether the command's view had exactly this.
  bool WasShown(const std::string& path, const tree::Entry& entry) const {
    const auto shown = lookups().shown.find(path);
    return shown != lookups().shown.end() && shown->second == entry;
  }

  void Note(const std::string& path, const tree::Entry& entry) {
    if (lacked_.example.empty()) lacked_.example = path;
    Add(path, entry);
  }

  void Add(const std::string& path, const tree::Entry& entry) {
    lacked_.news.insert_or_assign(path, entry);
    const auto stamp = walker_.stamps().find(path);
    if (stamp != walker_.stamps().end()) lacked_.stamps.insert(*stamp);
  }

  // The local truth about one path. Nothing is read of what may not be sent.
  OrReason<void> AddTruth(const std::string& path) {
    if (++looked_at_ > Shippable::kMaxFiles) {
      return Reason{"not-shippable", "more files than a command can have missed"};
    }
    if (std::string why = request_.shippable->WhyNot(path); !why.empty()) {
      return Reason{"not-shippable", std::move(why)};
    }
    auto added = walker_.Add(path);
    if (added) return {};
    if (added.error().code != Code::kNotFound) return ReasonOf("verify", std::move(added).error());
    auto parent = walker_.Canonical(std::string(DirName(path)));
    // With its folder gone too, nothing at the canonical path can be told apart from absence.
    if (parent) {
      gone_.emplace(JoinPath(*parent, BaseName(path)),
                    tree::Entry{tree::EntryType::kAbsent, false, 0, {}, {}});
    }
    return {};
  }

  const CheckRequest& request_;
  files::PathWalker& walker_;
  News news_;
  bool by_names_;
  tree::Manifest gone_;
  Lacked lacked_;
  size_t looked_at_ = 0;
};

}  // namespace

OrReason<Finding> Check(const CheckRequest& request) { return Checker(request).Run(); }

}  // namespace llama::execute
