// Command lines: a first byte of options, then an argument a line.
#include <unistd.h>

#include "base/file.h"
#include "base/fuzz.h"
#include "compiler/command.h"
#include "compiler/plan.h"
#include "compiler/response_file.h"

namespace llama::compiler {
namespace {

// A folder with sources to name.
const std::string& Folder() {
  static const TempDir dir = [] {
    TempDir made = std::move(TempDir::Create("command_fuzz")).value();
    for (const char* name : {"a.c", "b.cc", "c.S", "d.i"}) {
      CHECK(WriteFileAtomic(made.path() + "/" + name, "", 0644).has_value());
    }
    CHECK(WriteFileAtomic(made.path() + "/args", "-O2 '-DX=a b'\n-I inc @args2", 0644).has_value());
    return made;
  }();
  return dir.path();
}

void CheckCommand(const Command& command, const std::vector<std::string>& expanded) {
  std::vector<std::string> words;
  for (const Arg& arg : command.args) {
    CHECK(!arg.words.empty() && arg.words.size() <= 2);
    words.insert(words.end(), arg.words.begin(), arg.words.end());
    if (arg.path.empty()) continue;
    CHECK(arg.word < arg.words.size() && arg.offset <= arg.words[arg.word].size());
    CHECK(std::string_view(arg.words[arg.word]).substr(arg.offset).starts_with(arg.path));
  }
  if (!command.local_reason.empty()) return;
  // What may run remotely was understood to its last word.
  CHECK(words == expanded);
  CHECK(!command.source.empty() && !command.object.empty());
  CHECK(command.language != Language::kOther);
  (void)DependencyArgs(command);
}

}  // namespace

FUZZ_TARGET(text) {
  const unsigned bits = TakeByte(text);
  ParseOptions options;
  options.cwd = Folder();
  options.is_clang = (bits & 1) != 0;
  options.is_cxx_driver = (bits & 2) != 0;
  options.remote_assemble = (bits & 4) != 0;
  std::vector<std::string> args;
  while (!text.empty()) {
    args.emplace_back(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.size(), args.back().size() + 1));
    // No argument holds one.
    if (args.back().find('\0') != std::string::npos) return;
  }
  const auto expanded = ExpandResponseFiles(args, options.cwd);
  const Command command = Parse(args, options);
  CheckCommand(command, expanded ? *expanded : std::vector<std::string>());
}

}  // namespace llama::compiler
