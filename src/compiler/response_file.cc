#include "compiler/response_file.h"

#include <sys/stat.h>

#include "base/file.h"

namespace llama::compiler {
namespace {

// gcc gives up after 2000 expansions; a file that names itself ends there as well.
constexpr int kMaxFiles = 2000;
constexpr uint64_t kMaxFileBytes = 16u << 20;
constexpr size_t kMaxArgs = 1u << 20;

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\v' || c == '\f' || c == '\r';
}

bool IsFifo(const std::string& path) {
  struct stat st {};
  return stat(path.c_str(), &st) == 0 && S_ISFIFO(st.st_mode);
}

}  // namespace

std::vector<std::string> SplitResponse(std::string_view text) {
  std::vector<std::string> words;
  size_t i = 0;
  for (;;) {
    while (i < text.size() && IsSpace(text[i])) ++i;
    if (i == text.size()) return words;
    std::string& word = words.emplace_back();
    char quote = 0;
    for (; i < text.size() && (quote != 0 || !IsSpace(text[i])); ++i) {
      const char c = text[i];
      if (c == '\\' && i + 1 < text.size()) {
        word += text[++i];
      } else if (quote != 0 && c == quote) {
        quote = 0;
      } else if (quote == 0 && (c == '\'' || c == '"')) {
        quote = c;
      } else {
        word += c;
      }
    }
  }
}

Result<std::vector<std::string>> ExpandResponseFiles(const std::vector<std::string>& args,
                                                     const std::string& cwd) {
  std::vector<std::string> out;
  std::vector<std::string> pending(args.rbegin(), args.rend());
  int files = 0;
  while (!pending.empty()) {
    std::string arg = std::move(pending.back());
    pending.pop_back();
    const bool names_file = arg.size() > 1 && arg.starts_with('@');
    const std::string path = names_file ? JoinPath(cwd, std::string_view(arg).substr(1)) : "";
    if (!path.empty() && (IsDeviceOrProcess(path) || IsFifo(path))) {
      return Error{Code::kInvalid, arg + ": can be read but once"};
    }
    if (path.empty() || !IsRegularFile(path)) {
      out.push_back(std::move(arg));
      continue;
    }
    if (++files > kMaxFiles) return Error{Code::kInvalid, arg + ": too many response files"};
    ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxFileBytes));
    std::vector<std::string> words = SplitResponse(text);
    if (out.size() + pending.size() + words.size() > kMaxArgs) {
      return Error{Code::kInvalid, arg + ": too many arguments"};
    }
    pending.insert(pending.end(), std::make_move_iterator(words.rbegin()),
                   std::make_move_iterator(words.rend()));
  }
  return out;
}

}  // namespace llama::compiler
