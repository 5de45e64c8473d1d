// What each argument of a command is to a remote compile, in words: for people and for JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/command.h"

namespace llama::compiler {

struct DescribedArg {
  std::string text;         // its words, separated by a space
  std::string_view kind;    // a stable word: "plain", "file-in", "folder-in", "output", …
  std::string_view detail;  // what that means, for people
  std::string pins;         // not empty: the reason by which it keeps the command here
};

// In the order of the command line.
std::vector<DescribedArg> DescribeArgs(const Command& command);

}  // namespace llama::compiler
