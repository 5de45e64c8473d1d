// Explanation: how a command line is seen, step by step, without running it. Plain values, so that
// whoever shows them needs no more than this.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace llama::daemon {

struct Explanation {
  struct Argument {
    std::string text;
    std::string kind;    // compiler/option_kinds.h
    std::string detail;  // what that means
    std::string pins;    // not empty: why it keeps the command here
  };
  struct Origin {
    std::string folder;
    uint64_t files = 0;
    uint64_t bytes = 0;
  };
  struct Output {
    std::string path;  // absolute; of files beside the object a pattern: "/p/a*.dwo"
    std::string what;  // "object", "depfile", "beside it"
  };
  struct Why {
    std::string word;  // docs/trace_format.md, the reasons of local runs
    std::string detail;
    bool operator==(const Why&) const = default;
  };
  struct Size {
    uint64_t files = 0;
    uint64_t bytes = 0;
  };

  std::vector<std::string> argv;
  std::string cwd;
  std::string compiler;  // absolute
  std::string version;   // empty: it was not asked
  std::string source;
  std::vector<Argument> arguments;

  // Of the inputs; empty: they were not looked for, or not found.
  std::string rung;
  std::string rung_reason;  // why not by the rung above
  std::vector<std::string> inputs;
  std::vector<Origin> origins;  // of the inputs; most bytes first

  // What the worker must have: of the compiler itself, of this command, and of that with the job.
  Size toolchain;
  Size own;
  Size inlined;

  std::vector<Output> outputs;

  bool is_remote() const { return whys.empty(); }
  std::vector<Why> whys;  // why it runs here; the first is the one that is recorded
};

}  // namespace llama::daemon
