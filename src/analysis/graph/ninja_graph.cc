#include "analysis/graph/ninja_graph.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

namespace llama::analysis {
namespace {

// Of all steps together: a graph with more is cut.
constexpr size_t kMaxInputs = 5'000'000;

struct Node {
  std::string_view name;  // none: an id that only links mention
  bool is_step = false;   // the build edge itself, which ninja draws as a node where it has several
  std::vector<uint32_t> from;
};

// A quoted word at the beginning of `line`, taken off it.
std::optional<std::string_view> TakeQuoted(std::string_view& line) {
  if (!line.starts_with('"')) return std::nullopt;
  const size_t end = line.find('"', 1);
  if (end == line.npos) return std::nullopt;
  const std::string_view word = line.substr(1, end - 1);
  line.remove_prefix(end + 1);
  return word;
}

class DotParser {
 public:
  // "0x1" [label="a.o"]        "0x2" [label="cc", shape=ellipse]
  // "0x3" -> "0x1" [label=" cc"]        "0x3" -> "0x2" [arrowhead=none]
  void TakeLine(std::string_view line) {
    const auto id = TakeQuoted(line);
    if (!id) return;
    constexpr std::string_view kArrow = " -> ";
    constexpr std::string_view kLabel = " [label=\"";
    constexpr std::string_view kStepEnd = "\", shape=ellipse]";
    constexpr std::string_view kEnd = "\"]";
    if (line.starts_with(kArrow)) {
      line.remove_prefix(kArrow.size());
      const auto to = TakeQuoted(line);
      if (!to || links_++ >= kMaxInputs) return;
      const uint32_t from = IndexOf(*id);
      nodes_[IndexOf(*to)].from.push_back(from);
    } else if (line.starts_with(kLabel)) {
      Node& node = nodes_[IndexOf(*id)];
      line.remove_prefix(kLabel.size());
      node.is_step = line.ends_with(kStepEnd);
      const size_t end = node.is_step ? kStepEnd.size() : kEnd.size();
      if (line.size() >= end) node.name = line.substr(0, line.size() - end);
    }
  }

  std::vector<GraphStep> Steps(std::string_view folder) const {
    std::vector<GraphStep> out;
    size_t inputs = 0;
    for (const Node& node : nodes_) {
      if (node.is_step || node.name.empty()) continue;
      GraphStep step{NinjaPath(node.name, folder), {}};
      const auto add = [&](const Node& input) {
        if (input.is_step || input.name.empty() || input.from.empty()) return;
        if (inputs++ < kMaxInputs) step.inputs.push_back(NinjaPath(input.name, folder));
      };
      for (const uint32_t from : node.from) {
        if (!nodes_[from].is_step) {
          add(nodes_[from]);
          continue;
        }
        for (const uint32_t input : nodes_[from].from) add(nodes_[input]);
      }
      if (!node.from.empty()) out.push_back(std::move(step));
    }
    return out;
  }

 private:
  uint32_t IndexOf(std::string_view id) {
    const auto [at, is_new] = ids_.emplace(id, static_cast<uint32_t>(nodes_.size()));
    if (is_new) nodes_.emplace_back();
    return at->second;
  }

  std::unordered_map<std::string_view, uint32_t> ids_;
  std::vector<Node> nodes_;
  size_t links_ = 0;
};

}  // namespace

std::string NinjaPath(std::string_view name, std::string_view folder) {
  if (name.starts_with('/')) return std::string(name);
  return std::string(folder).append("/").append(name);
}

std::vector<GraphStep> ParseNinjaGraph(std::string_view dot, std::string_view folder) {
  DotParser parser;
  while (!dot.empty()) {
    const size_t end = std::min(dot.find('\n'), dot.size());
    parser.TakeLine(dot.substr(0, end));
    dot.remove_prefix(std::min(end + 1, dot.size()));
  }
  return parser.Steps(folder);
}

}  // namespace llama::analysis
