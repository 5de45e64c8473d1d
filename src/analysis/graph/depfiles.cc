#include "analysis/graph/depfiles.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>

#include "base/file.h"
#include "trace/names.h"

namespace llama::analysis {
namespace {

// File systems keep times by coarse clocks, some of them by two seconds.
constexpr int64_t kCoarseNs = 2'000'000'000;

// Its bytes, if it was written between the two times.
std::optional<std::string> ReadWritten(const std::string& path, int64_t from_ns, int64_t to_ns) {
  // O_NONBLOCK: what a hostile trace names may be a pipe.
  const auto fd = OpenFile(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat status {};
  if (!fd || fstat(fd->get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  int64_t written_ns = 0;
  if (__builtin_mul_overflow(int64_t{status.st_mtim.tv_sec}, int64_t{1'000'000'000}, &written_ns) ||
      __builtin_add_overflow(written_ns, int64_t{status.st_mtim.tv_nsec}, &written_ns) ||
      written_ns > to_ns || (written_ns < from_ns && from_ns - written_ns > kCoarseNs)) {
    return std::nullopt;
  }
  auto bytes = ReadAll(fd->get(), kMaxDepfileBytes, path);
  if (!bytes) return std::nullopt;
  return *std::move(bytes);
}

}  // namespace

std::vector<std::string> DepfileNames(std::string_view rules) {
  std::vector<std::string> names;
  std::string word;
  bool is_behind_colon = false;
  const auto end_word = [&] {
    if (!is_behind_colon && word.ends_with(':')) {
      is_behind_colon = true;
    } else if (is_behind_colon && !word.empty()) {
      names.push_back(word);
    }
    word.clear();
  };
  for (size_t i = 0; i < rules.size(); ++i) {
    const char c = rules[i];
    const char next = i + 1 < rules.size() ? rules[i + 1] : '\n';
    if (c == '\\' && (next == '\n' || (next == '\r' && rules.substr(i + 2, 1) == "\n"))) {
      i += next == '\n' ? 1 : 2;
      end_word();
    } else if ((c == '\\' && (next == ' ' || next == '#' || next == '\\')) ||
               (c == '$' && next == '$')) {
      word += next;
      ++i;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      end_word();
    } else if (c == '\n') {
      end_word();
      is_behind_colon = false;
    } else {
      word += c;
    }
  }
  end_word();
  return names;
}

Depfiles::Depfiles(const traces::Columns& trace, const Units& units)
    : trace_(trace),
      units_(units),
      cwd_(trace.field(trace::field::kCwd)),
      object_(trace.field(trace::field::kObject)),
      depfile_(trace.field(trace::field::kDepfile)) {}

std::string_view Depfiles::Text(const traces::FieldColumn& column, traces::Row row) const {
  const auto text = column.StringAt(row);
  return text ? trace_.text(*text) : std::string_view();
}

std::vector<std::string> Depfiles::PathsOf(traces::Row row) const {
  const std::string_view cwd = Text(cwd_, row);
  std::vector<std::string> paths;
  if (const std::string_view given = Text(depfile_, row); !given.empty()) {
    paths.push_back(JoinPath(cwd, given));
    // automake's rules rename it once it is whole.
    constexpr std::string_view kTemporary = ".Tpo";
    if (given.ends_with(kTemporary)) {
      paths.push_back(JoinPath(cwd, given.substr(0, given.size() - kTemporary.size())) + ".Po");
    }
  } else if (const std::string_view object = Text(object_, row); object.ends_with(".o")) {
    paths.push_back(JoinPath(cwd, object.substr(0, object.size() - 1)) + "d");
    paths.push_back(JoinPath(cwd, object) + ".d");
  }
  // Without its folder a relative name is nobody's.
  std::erase_if(paths, [](const std::string& path) {
    return !path.starts_with('/') || path.find('\0') != path.npos;
  });
  return paths;
}

std::vector<std::string> Depfiles::NamesOf(uint32_t unit) {
  const traces::Row row = units_.all[unit].row;
  for (const std::string& path : PathsOf(row)) {
    if (opened_++ >= kMaxDepfiles) break;
    const auto rules = ReadWritten(path, units_.all[unit].start_ns, units_.end_ns);
    if (rules) return DepfileNames(*rules);
  }
  return {};
}

}  // namespace llama::analysis
