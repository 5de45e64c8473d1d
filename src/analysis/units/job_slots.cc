#include "analysis/units/job_slots.h"

#include <algorithm>
#include <charconv>

#include "trace/names.h"

namespace llama::analysis {
namespace {

constexpr int64_t kMaxJobs = 1'000'000;

enum class Tool : uint8_t { kNone, kMake, kNinja, kCmake };

std::vector<std::string> SplitWords(std::string_view text) {
  std::vector<std::string> words;
  size_t begin = 0;
  while ((begin = text.find_first_not_of(" \t\n;&|'\"", begin)) != text.npos) {
    const size_t end = std::min(text.find_first_of(" \t\n;&|'\"", begin), text.size());
    words.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

Tool ToolOf(std::string_view word) {
  const std::string_view base = word.substr(word.rfind('/') + 1);
  if (base == "make" || base == "gmake") return Tool::kMake;
  if (base == "ninja" || base == "ninja-build" || base == "samu") return Tool::kNinja;
  if (base == "cmake") return Tool::kCmake;
  return Tool::kNone;
}

std::optional<int64_t> Number(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < 0 || value > kMaxJobs) return std::nullopt;
  return value;
}

// What `words[i]` says about jobs, if anything; steps over a value that stands in the next word.
std::optional<int64_t> JobsOption(const std::vector<std::string>& words, size_t& i) {
  std::string_view word = words[i];
  std::string_view value;
  if (word.starts_with("--jobs") || word.starts_with("--parallel")) {
    const size_t equals = word.find('=');
    if (equals != word.npos) return Number(word.substr(equals + 1));
    if (word != "--jobs" && word != "--parallel") return std::nullopt;
  } else {
    // -j8, and -kj8: letters that take no value may come first.
    const size_t j = word.find('j');
    if (!word.starts_with('-') || word.starts_with("--") || j == word.npos) return std::nullopt;
    const std::string_view before = word.substr(1, j - 1);
    if (before.find_first_not_of("BdeikLmnpqrRsStvwB") != before.npos) return std::nullopt;
    value = word.substr(j + 1);
    const size_t digits = std::min(value.find_first_not_of("0123456789"), value.size());
    if (digits > 0) return Number(value.substr(0, digits));
    if (!value.empty()) return kUnlimitedJobs;  // -jk
  }
  if (i + 1 < words.size()) {
    if (const auto number = Number(words[i + 1])) {
      ++i;
      return number;
    }
  }
  return kUnlimitedJobs;
}

std::optional<int64_t> LastJobsOption(const std::vector<std::string>& words, size_t begin) {
  std::optional<int64_t> found;
  for (size_t i = begin; i < words.size(); ++i) {
    if (const auto jobs = JobsOption(words, i)) found = jobs;
  }
  return found;
}

std::optional<int64_t> JobsOfMakeflags(std::string_view makeflags) {
  std::vector<std::string> words = SplitWords(makeflags);
  if (words.empty()) return std::nullopt;
  // Its first word may be options without their dash.
  if (!words[0].starts_with('-') && words[0].find('=') == std::string::npos) {
    words[0].insert(0, "-");
  }
  return LastJobsOption(words, 0);
}

// ninja's GuessParallelism.
int64_t NinjaDefault(int64_t cpus) { return cpus <= 1 ? 2 : cpus == 2 ? 3 : cpus + 2; }

}  // namespace

std::optional<int64_t> JobsOfCommand(const std::vector<std::string>& command,
                                     std::string_view makeflags, int64_t cpus) {
  for (size_t i = 0; i < command.size(); ++i) {
    const Tool tool = ToolOf(command[i]);
    if (tool == Tool::kNone) {
      // sh -c 'make -j8 && make install'
      if (i > 0 && command[i - 1].starts_with('-') && command[i - 1].ends_with('c') &&
          command[i].find(' ') != std::string::npos) {
        return JobsOfCommand(SplitWords(command[i]), makeflags, cpus);
      }
      continue;
    }
    const auto given = LastJobsOption(command, i + 1);
    if (given) return given;
    if (tool == Tool::kMake) return JobsOfMakeflags(makeflags).value_or(1);
    if (tool == Tool::kNinja && cpus > 0) return NinjaDefault(cpus);
    return std::nullopt;
  }
  return std::nullopt;
}

JobSlots FindJobSlots(const traces::Columns& trace, const Units& units) {
  JobSlots out;
  std::optional<int64_t> jobs;
  if (units.build_row) {
    const traces::Row row = *units.build_row;
    jobs = trace.field(trace::field::kJobs).IntAt(row);
    if (jobs && (*jobs < 0 || *jobs > kMaxJobs)) jobs.reset();
    if (!jobs) {
      if (const auto command = trace.field(trace::field::kCommand).StringAt(row)) {
        jobs = JobsOfCommand(SplitWords(trace.text(*command)), "",
                             trace.field(trace::field::kCpus).IntAt(row).value_or(0));
      }
    }
  }
  out.known = jobs.has_value();
  const auto peak = static_cast<int64_t>(units.peak);
  out.count = jobs.value_or(std::max<int64_t>(1, peak));
  // A job may be two compilers (`cc -E a.c | cc -c -x c -`); far more is a command within the
  // command that has jobs of its own.
  if (out.count != kUnlimitedJobs && peak > out.count + out.count / 5 + 2) {
    out.known = false;
    out.count = peak;
  }
  return out;
}

}  // namespace llama::analysis
