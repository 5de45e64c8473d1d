#include "analysis/units/unit_names.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/file.h"
#include "trace/names.h"
#include "traces/columns/numbers.h"

namespace llama::analysis {
namespace {

constexpr std::array kUnitRoots = {trace::span::kLlamacc, trace::span::kCommand};

std::string RootOf(const traces::Columns& trace) {
  const auto builds = trace.rows_named(trace::span::kBuild);
  if (builds.empty()) return "";
  return traces::TextAt(trace, trace.field(trace::field::kCwd), builds.back());
}

// "/a/b/../c//d" to "/a/c/d"; of an absolute path.
std::string Normal(std::string_view path) {
  if (path.find("/.") == path.npos && path.find("//") == path.npos) return std::string(path);
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  std::string out;
  for (const std::string_view part : parts) out.append("/").append(part);
  return out;
}

}  // namespace

ProjectPaths::ProjectPaths(const traces::Columns& trace, const std::string& root)
    : trace_(&trace), cwd_(&trace.field(trace::field::kCwd)) {
  if (!root.starts_with('/')) return;
  root_ = Normal(root) + "/";
  // What lies beside a folder right below the root is another project.
  const size_t slash = root_.rfind('/', root_.size() - 2);
  if (root_.size() > 1 && slash > 0) above_ = root_.substr(0, slash + 1);
}

ProjectPaths::ProjectPaths(const traces::Columns& trace) : ProjectPaths(trace, RootOf(trace)) {}

std::string ProjectPaths::Relative(traces::Row unit, std::string_view path) const {
  if (root_.empty() || path.empty()) return std::string(path);
  const auto cwd = cwd_->StringAt(unit);
  const std::string_view folder = cwd ? trace_->text(*cwd) : std::string_view();
  if (!path.starts_with('/') && !folder.starts_with('/')) return std::string(path);
  const std::string whole = Normal(path.starts_with('/') ? path : JoinPath(folder, path));
  if (whole.starts_with(root_)) return whole.substr(root_.size());
  if (!above_.empty() && whole.starts_with(above_)) return "../" + whole.substr(above_.size());
  return std::string(path);
}

UnitNames::UnitNames(const traces::Columns& trace, std::optional<uint32_t> build)
    : trace_(&trace),
      paths_(trace),
      source_(&trace.field(trace::field::kSource)),
      object_(&trace.field(trace::field::kObject)),
      command_(&trace.field(trace::field::kCommand)),
      reason_(&trace.field(trace::field::kReason)),
      cwd_(&trace.field(trace::field::kCwd)),
      link_(trace.strings().Find("link")) {
  struct Labelled {
    traces::Row first = 0;
    uint32_t units = 0;
    const uint32_t* called = nullptr;  // how many units have the same short name
  };
  std::unordered_map<Label, Labelled, LabelHash> labels;
  std::vector<traces::Row> units;
  for (const std::string_view name : kUnitRoots) {
    const auto rows = trace.rows_named(name);
    units.reserve(units.size() + rows.size());
    labels.reserve(labels.size() + rows.size());
    for (const traces::Row row : rows) {
      if (build && trace.build()[row] != *build) continue;
      units.push_back(row);
      Labelled& labelled =
          labels.try_emplace(LabelOf(row), Labelled{row, 0, nullptr}).first->second;
      ++labelled.units;
    }
  }
  units_called_.reserve(labels.size());
  for (auto& [label, labelled] : labels) {
    uint32_t& called = units_called_[Short(labelled.first, label)];
    called += labelled.units;
    labelled.called = &called;
  }
  if (units_called_.size() == units.size()) return;
  std::unordered_map<std::string, uint32_t> seen;
  for (const traces::Row row : units) {
    const Label label = LabelOf(row);
    if (*labels.at(label).called < 2) continue;
    const uint32_t ordinal = ++seen[Long(row, Short(row, label))];
    if (ordinal > 1) ordinal_[row] = ordinal;
  }
}

std::string UnitNames::Of(traces::Row unit) const {
  std::string name = Short(unit, LabelOf(unit));
  const auto alike = units_called_.find(name);
  if (alike == units_called_.end() || alike->second < 2) return name;
  name = Long(unit, name);
  const auto ordinal = ordinal_.find(unit);
  if (ordinal != ordinal_.end()) name += " (" + std::to_string(ordinal->second) + ")";
  return name;
}

UnitNames::Label UnitNames::LabelOf(traces::Row unit) const {
  // String 0 is the empty one.
  const auto id_of = [&](const traces::FieldColumn* column) {
    return column->StringAt(unit).value_or(0);
  };
  const traces::StringId object = id_of(object_);
  // A link is known by what it makes; which of its inputs came last says nothing.
  const bool is_link = link_ && object != 0 && id_of(reason_) == *link_;
  traces::StringId path = is_link ? object : id_of(source_);
  if (path == 0) path = object;
  if (path != 0) return {path, id_of(cwd_), true};
  for (const traces::FieldColumn* column : {command_, reason_}) {
    if (const traces::StringId text = id_of(column); text != 0) return {text, 0, false};
  }
  return {trace_->name()[unit], 0, false};
}

std::string UnitNames::Short(traces::Row unit, const Label& label) const {
  const std::string_view text = trace_->text(label.text);
  return label.is_path ? paths_.Relative(unit, text) : std::string(text);
}

std::string UnitNames::Long(traces::Row unit, const std::string& short_name) const {
  const std::string object = paths_.Relative(unit, traces::TextAt(*trace_, *object_, unit));
  if (object.empty() || object == short_name) return short_name;
  return short_name + " → " + object;
}

}  // namespace llama::analysis
