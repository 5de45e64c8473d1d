#include "analysis/graph/build_graph.h"

#include <algorithm>

#include "analysis/graph/depfiles.h"
#include "base/hash.h"
#include "trace/names.h"

namespace llama::analysis {
namespace {

// Beyond these a graph is cut: it would be a hostile one.
constexpr size_t kMaxInputsOfUnit = 100'000;
constexpr size_t kMaxEdges = 20'000'000;
constexpr size_t kMaxSteps = 20'000'000;  // that are passed through, over all units
constexpr int kMaxWriters = 16;           // of one path that are looked at

// The absolute path without ".", "..", and doubled slashes: by the names alone.
void Normalise(std::string_view cwd, std::string_view path, std::string& out) {
  out.clear();
  const auto append = [&](std::string_view text) {
    while (!text.empty()) {
      const size_t slash = std::min(text.find('/'), text.size());
      const std::string_view part = text.substr(0, slash);
      text.remove_prefix(std::min(slash + 1, text.size()));
      if (part.empty() || part == ".") continue;
      if (part == "..") {
        const size_t last = out.rfind('/');
        out.resize(last == out.npos ? 0 : last);
      } else {
        out.append("/").append(part);
      }
    }
  };
  if (!path.starts_with('/')) append(cwd);
  append(path);
}

// Paths are known by their hashes; two that share one add an edge too many.
class PathHash {
 public:
  uint64_t operator()(std::string_view cwd, std::string_view path) {
    Normalise(cwd, path, buffer_);
    return Hash(buffer_, 0);
  }

 private:
  std::string buffer_;
};

struct Made {
  uint64_t path = 0;
  uint32_t by = 0;  // unit or step
  friend bool operator<(const Made& a, const Made& b) {
    return a.path != b.path ? a.path < b.path : a.by < b.by;
  }
};

template <typename F>
void ForEachLine(std::string_view text, F&& f) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) f(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// Whether a compile may have read the file as a header or a source: by its name, which of names
// without a suffix (programs, and targets that are no files) says no.
bool MayBeIncluded(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (name.find('.', 1) == name.npos) return false;
  for (const char* suffix : {".o", ".lo", ".obj", ".a", ".so"}) {
    if (name.ends_with(suffix)) return false;
  }
  return name.find(".so.") == name.npos;
}

class GraphFinder {
 public:
  GraphFinder(const traces::Columns& trace, const Units& units, const GraphSources& sources)
      : trace_(trace),
        units_(units),
        steps_(sources.steps),
        object_(trace.field(trace::field::kObject)),
        outputs_(trace.field(trace::field::kOutputs)),
        cwd_(trace.field(trace::field::kCwd)),
        source_(trace.field(trace::field::kSource)),
        inputs_(trace.field(trace::field::kInputs)),
        reason_(trace.field(trace::field::kReason)) {
    if (sources.read_depfiles) depfiles_.emplace(trace, units);
  }

  BuildGraph Find() {
    ListMade();
    // Nothing that was made can stand in a depfile: what is usual needs none of them.
    if (!any_included_) depfiles_.reset();
    BuildGraph out;
    out.complete = !steps_.empty();
    out.offsets.reserve(units_.all.size() + 1);
    out.offsets.push_back(0);
    seen_units_.assign(units_.all.size(), UINT32_MAX);
    seen_steps_.assign(steps_.size(), UINT32_MAX);
    for (uint32_t unit = 0; unit < units_.all.size(); ++unit) {
      if (out.needs.size() < kMaxEdges) AddNeeds(unit, out.needs);
      out.offsets.push_back(static_cast<uint32_t>(out.needs.size()));
    }
    return out;
  }

 private:
  std::string_view Text(const traces::FieldColumn& column, traces::Row row) const {
    const auto text = column.StringAt(row);
    return text ? trace_.text(*text) : std::string_view();
  }

  void ListMade() {
    made_.reserve(units_.all.size());
    for (uint32_t i = 0; i < units_.all.size(); ++i) {
      const traces::Row row = units_.all[i].row;
      const std::string_view where = Text(cwd_, row);
      const bool is_link = Text(reason_, row) == "link";
      const auto add = [&](std::string_view path) {
        made_.push_back({hash_(where, path), i});
        any_included_ = any_included_ || (!is_link && MayBeIncluded(path));
      };
      if (const auto name = Text(object_, row); !name.empty()) add(name);
      ForEachLine(Text(outputs_, row), add);
    }
    std::sort(made_.begin(), made_.end());
    for (uint32_t i = 0; i < steps_.size(); ++i) {
      step_made_.push_back({hash_("", steps_[i].output), i});
      any_included_ = any_included_ || MayBeIncluded(steps_[i].output);
    }
    std::sort(step_made_.begin(), step_made_.end());
  }

  // The unit that wrote the path last before `unit` began.
  std::optional<uint32_t> WriterFor(uint64_t path, uint32_t unit) const {
    auto at = std::lower_bound(made_.begin(), made_.end(), Made{path, 0});
    std::optional<uint32_t> best;
    for (int i = 0; i < kMaxWriters && at != made_.end() && at->path == path; ++i, ++at) {
      const Unit& writer = units_.all[at->by];
      if (at->by == unit || writer.start_ns >= units_.all[unit].start_ns) continue;
      if (!best || writer.end_ns > units_.all[*best].end_ns) best = at->by;
    }
    return best;
  }

  void AddNeeds(uint32_t unit, std::vector<uint32_t>& needs) {
    const traces::Row row = units_.all[unit].row;
    const std::string_view cwd = Text(cwd_, row);
    size_t left = kMaxInputsOfUnit;
    const auto add = [&](std::string_view path) {
      if (left == 0) return;
      --left;
      AddPath(hash_(cwd, path), unit, needs);
    };
    if (const auto source = Text(source_, row); !source.empty()) add(source);
    ForEachLine(Text(inputs_, row), add);
    if (depfiles_) {
      for (const std::string& name : depfiles_->NamesOf(unit)) AddRead(cwd, name, unit, needs);
    }
    if (steps_.empty()) return;
    if (const auto object = Text(object_, row); !object.empty()) {
      FollowSteps(hash_(cwd, object), unit, needs);
    }
  }

  bool AddPath(uint64_t path, uint32_t unit, std::vector<uint32_t>& needs) {
    const auto writer = WriterFor(path, unit);
    if (!writer) return false;
    if (seen_units_[*writer] != unit) {
      seen_units_[*writer] = unit;
      needs.push_back(*writer);
    }
    return true;
  }

  void AddRead(std::string_view cwd, std::string_view name, uint32_t unit,
               std::vector<uint32_t>& needs) {
    const uint64_t path = hash_(cwd, name);
    if (!AddPath(path, unit, needs)) FollowSteps(path, unit, needs);
  }

  // The inputs of the step that makes `path`, through steps that llama saw nothing of (archives,
  // generators, phony ones) to the units behind them.
  void FollowSteps(uint64_t path, uint32_t unit, std::vector<uint32_t>& needs) {
    std::vector<uint64_t> open = {path};
    while (!open.empty() && passed_ < kMaxSteps) {
      const uint64_t made = open.back();
      open.pop_back();
      const auto at = std::lower_bound(step_made_.begin(), step_made_.end(), Made{made, 0});
      if (at == step_made_.end() || at->path != made || seen_steps_[at->by] == unit) continue;
      seen_steps_[at->by] = unit;
      for (const std::string& input : steps_[at->by].inputs) {
        ++passed_;
        const uint64_t hash = hash_("", input);
        if (!AddPath(hash, unit, needs)) open.push_back(hash);
      }
    }
  }

  const traces::Columns& trace_;
  const Units& units_;
  const std::vector<GraphStep>& steps_;
  const traces::FieldColumn& object_;
  const traces::FieldColumn& outputs_;
  const traces::FieldColumn& cwd_;
  const traces::FieldColumn& source_;
  const traces::FieldColumn& inputs_;
  const traces::FieldColumn& reason_;
  std::optional<Depfiles> depfiles_;
  bool any_included_ = false;  // of what was made
  PathHash hash_;
  std::vector<Made> made_;            // by units
  std::vector<Made> step_made_;       // by steps
  std::vector<uint32_t> seen_units_;  // by unit: the one that it was last added to
  std::vector<uint32_t> seen_steps_;
  size_t passed_ = 0;
};

}  // namespace

BuildGraph FindGraph(const traces::Columns& trace, const Units& units,
                     const GraphSources& sources) {
  return GraphFinder(trace, units, sources).Find();
}

}  // namespace llama::analysis
