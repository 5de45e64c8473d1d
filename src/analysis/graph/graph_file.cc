#include "analysis/graph/graph_file.h"

#include <algorithm>

#include "base/file.h"

namespace llama::analysis {
namespace {

constexpr std::string_view kGraphMagic = "llamagr1\n";
constexpr uint64_t kMaxBytes = 512 << 20;

}  // namespace

std::string GraphPath(const std::string& build_dir) { return JoinPath(build_dir, "graph"); }

Result<void> WriteGraph(const std::string& build_dir, const std::vector<GraphStep>& steps) {
  std::string bytes(kGraphMagic);
  for (const GraphStep& step : steps) {
    bytes.append(step.output).push_back('\0');
    for (const std::string& input : step.inputs) bytes.append(input).push_back('\0');
    bytes.push_back('\0');
  }
  return WriteFileAtomic(GraphPath(build_dir), bytes, 0600);
}

std::vector<GraphStep> ReadGraph(const std::string& build_dir) {
  std::vector<GraphStep> out;
  if (build_dir.empty()) return out;
  const auto bytes = ReadFile(GraphPath(build_dir), kMaxBytes);
  if (!bytes || !bytes->starts_with(kGraphMagic)) return out;
  std::string_view left = std::string_view(*bytes).substr(kGraphMagic.size());
  bool begins = true;
  while (!left.empty()) {
    const size_t end = left.find('\0');
    if (end == left.npos) break;
    const std::string_view word = left.substr(0, end);
    left.remove_prefix(end + 1);
    if (begins) {
      out.push_back({std::string(word), {}});
    } else if (!word.empty()) {
      out.back().inputs.emplace_back(word);
    }
    begins = !begins && word.empty();
  }
  return out;
}

}  // namespace llama::analysis
