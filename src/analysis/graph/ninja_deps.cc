#include "analysis/graph/ninja_deps.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "analysis/graph/ninja_graph.h"

namespace llama::analysis {
namespace {

constexpr std::string_view kDepsMagic = "# ninjadeps\n";
constexpr uint32_t kIsInputs = uint32_t{1} << 31;
// Of all steps together: a log with more is cut.
constexpr size_t kMaxDeps = 5'000'000;

// Taken off the front of `bytes`.
std::optional<uint32_t> TakeWord(std::string_view& bytes) {
  uint32_t word = 0;
  if (bytes.size() < sizeof word) return std::nullopt;
  std::memcpy(&word, bytes.data(), sizeof word);
  bytes.remove_prefix(sizeof word);
  return word;
}

struct DepsLog {
  std::vector<std::string_view> paths;   // by number
  std::vector<std::string_view> inputs;  // by the output's number: words, the inputs' numbers
};

bool TakePath(std::string_view record, DepsLog& log) {
  if (record.size() <= sizeof(uint32_t)) return false;
  std::string_view complement = record.substr(record.size() - sizeof(uint32_t));
  record.remove_suffix(sizeof(uint32_t));
  // Two ninjas that wrote at once: what follows is about other paths than it seems.
  if (TakeWord(complement) != ~static_cast<uint32_t>(log.paths.size())) return false;
  for (int zeros = 0; zeros < 3 && record.ends_with('\0'); ++zeros) record.remove_suffix(1);
  log.paths.push_back(record);
  return true;
}

bool TakeInputs(std::string_view record, size_t time_bytes, DepsLog& log) {
  const auto output = TakeWord(record);
  if (!output || *output >= log.paths.size() || record.size() < time_bytes) return false;
  if (log.inputs.size() <= *output) log.inputs.resize(log.paths.size());
  log.inputs[*output] = record.substr(time_bytes);
  return true;
}

DepsLog ReadLog(std::string_view bytes) {
  DepsLog log;
  if (!bytes.starts_with(kDepsMagic)) return log;
  bytes.remove_prefix(kDepsMagic.size());
  const auto version = TakeWord(bytes);
  if (version != 3u && version != 4u) return log;
  while (const auto head = TakeWord(bytes)) {
    const size_t size = *head & ~kIsInputs;
    if (size > bytes.size()) break;
    const std::string_view record = bytes.substr(0, size);
    bytes.remove_prefix(size);
    const bool makes_sense = (*head & kIsInputs) != 0
                                 ? TakeInputs(record, version == 3u ? 4 : 8, log)
                                 : TakePath(record, log);
    if (!makes_sense) break;
  }
  return log;
}

}  // namespace

void AddNinjaDeps(std::string_view log_bytes, std::string_view folder,
                  std::vector<GraphStep>& steps) {
  const DepsLog log = ReadLog(log_bytes);
  std::unordered_map<std::string_view, uint32_t> makers;
  for (uint32_t i = 0; i < steps.size(); ++i) makers.emplace(steps[i].output, i);
  std::vector<std::optional<uint32_t>> maker_of;  // by number of the path
  for (const std::string_view path : log.paths) {
    const auto maker = makers.find(NinjaPath(path, folder));
    maker_of.push_back(maker == makers.end() ? std::nullopt : std::optional(maker->second));
  }
  size_t added = 0;
  for (size_t output = 0; output < log.inputs.size(); ++output) {
    if (!maker_of[output]) continue;
    GraphStep& step = steps[*maker_of[output]];
    std::unordered_set<uint32_t> known = {*maker_of[output]};
    for (const std::string& input : step.inputs) {
      if (const auto maker = makers.find(input); maker != makers.end()) known.insert(maker->second);
    }
    std::string_view inputs = log.inputs[output];
    while (const auto input = TakeWord(inputs)) {
      if (*input >= maker_of.size() || !maker_of[*input]) continue;
      if (!known.insert(*maker_of[*input]).second || added++ >= kMaxDeps) continue;
      step.inputs.push_back(steps[*maker_of[*input]].output);
    }
  }
}

}  // namespace llama::analysis
