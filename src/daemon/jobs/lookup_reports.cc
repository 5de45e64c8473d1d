#include "daemon/jobs/lookup_reports.h"

#include <algorithm>
#include <utility>

namespace llama::daemon {

std::string LookupReports::KeyOf(const execute::Action& action) {
  const execute::Outputs& outputs = action.outputs;
  std::string key = std::to_string(action.closure->id);
  const auto add = [&](const std::string& part) { key.append(1, '\0').append(part); };
  add(outputs.object);
  add(outputs.depfile);
  for (const std::string& dir : outputs.dirs) add(dir);
  add("");
  for (const std::string& stem : outputs.stems) add(stem);
  add("");
  for (const std::string& suffix : outputs.suffixes) add(suffix);
  return key;
}

std::vector<store::Digest> LookupReports::Of(const execute::Action& action) {
  if (action.closure->id == 0) return {};
  const MutexLock lock(mutex_);
  const auto known = known_.find(KeyOf(action));
  if (known == known_.end()) return {};
  uses_.splice(uses_.begin(), uses_, known->second.use);
  std::vector<store::Digest> digests;
  for (const Report& report : known->second.reports) {
    if (closures_.Stand(report.watched)) digests.push_back(report.digest);
  }
  return digests;
}

void LookupReports::Remember(const execute::Action& action, const store::Digest& report,
                             scan::Closures::WatchedNames watched) {
  if (action.closure->id == 0 || !watched.is_whole) return;
  std::sort(watched.names.begin(), watched.names.end());
  watched.names.erase(std::unique(watched.names.begin(), watched.names.end()), watched.names.end());
  watched.names.shrink_to_fit();
  const std::string key = KeyOf(action);
  const MutexLock lock(mutex_);
  const auto [it, is_new] = known_.try_emplace(key);
  Known& known = it->second;
  if (is_new) {
    uses_.push_front(key);
    known.use = uses_.begin();
  }
  const auto same = std::find_if(known.reports.begin(), known.reports.end(),
                                 [&](const Report& other) { return other.digest == report; });
  if (same != known.reports.end()) {
    std::rotate(same, same + 1, known.reports.end());
    DropLast(known);
  } else if (known.reports.size() == kMaxOfAction) {
    DropLast(known);
  }
  name_count_ += CostOf(watched);
  known.reports.insert(known.reports.begin(), Report{report, std::move(watched)});
  while (name_count_ > kMaxNames && uses_.size() > 1) {
    const auto oldest = known_.find(uses_.back());
    while (!oldest->second.reports.empty()) DropLast(oldest->second);
    uses_.pop_back();
    known_.erase(oldest);
  }
}

void LookupReports::DropLast(Known& known) {
  name_count_ -= CostOf(known.reports.back().watched);
  known.reports.pop_back();
}

bool LookupReports::StillAgrees(const execute::Action& action, const store::Digest& digest) {
  const MutexLock lock(mutex_);
  const auto known = known_.find(KeyOf(action));
  if (known == known_.end()) return false;
  return std::any_of(known->second.reports.begin(), known->second.reports.end(),
                     [&](const Report& report) {
                       return report.digest == digest && closures_.Stand(report.watched);
                     });
}

size_t LookupReports::name_count() const {
  const MutexLock lock(mutex_);
  return name_count_;
}

}  // namespace llama::daemon
