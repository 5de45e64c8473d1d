// Search options of command lines: a first byte of the compiler and the language, then an argument
// a line; lines of NAME=value before the first of the others are the environment.
#include <algorithm>

#include "base/fuzz.h"
#include "scan/search/search_options.h"

namespace llama::scan {
namespace {

void CheckFolders(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) CHECK(folder.starts_with('/'));
}

bool IsVariable(std::string_view line) {
  return !line.starts_with('-') && line.find('=') != line.npos;
}

}  // namespace

FUZZ_TARGET(text) {
  const unsigned bits = TakeByte(text);
  compiler::Toolchain toolchain;
  const bool is_clang = (bits & 1) != 0;
  toolchain.family = is_clang ? compiler::Family::kClang : compiler::Family::kGcc;
  if ((bits & 2) != 0) toolchain.sysroot = "/sysroot";
  std::vector<std::string> env, args;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    // No argument holds a zero, and none here is a file of more.
    if (line.find('\0') != line.npos || line.starts_with('@')) return;
    (args.empty() && IsVariable(line) ? env : args).emplace_back(line);
  }
  args.emplace_back((bits & 4) != 0 ? "a.cc" : "a.c");
  const compiler::Command command =
      compiler::Parse(args, {.cwd = "/nowhere", .is_clang = is_clang});
  const auto read = ReadSearchOptions(command, toolchain, env, "/nowhere");
  if (!read) {
    CHECK(read.error().code == Code::kInvalid && !read.error().message.empty());
    return;
  }
  for (const auto* chain :
       {&read->quote, &read->angle, &read->system, &read->language, &read->after, &read->unused}) {
    CheckFolders(*chain);
  }
  CHECK(is_clang || read->unused.empty());
  CHECK(!is_clang || !read->skips_includer_dir);
  // A driver is asked with nothing but options of the command.
  for (const std::string& word : read->built_in) {
    CHECK(std::any_of(command.args.begin(), command.args.end(), [&](const compiler::Arg& arg) {
      return std::find(arg.words.begin(), arg.words.end(), word) != arg.words.end();
    }));
  }
}

}  // namespace llama::scan
