// The commands of `llama`, and how their arguments are read: one place for all of them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/text/closest.h"

namespace llama::app {

// Exit statuses that every command keeps to.
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;  // it could not be done
inline constexpr int kUsage = 2;   // it was not asked properly

using Arguments = std::vector<std::string>;  // what follows the command's name

struct Command {
  std::string_view name;
  std::string_view summary;  // one line, for `llama --help`
  std::string_view help;     // usage, options, examples: `llama help NAME`
  int (*run)(const Arguments& arguments);
};

// One file each: <name>_command.cc.
extern const Command kBootstrapCommand;
extern const Command kBuildCommand;
extern const Command kBuildsCommand;
extern const Command kEmulatorCommand;
extern const Command kExportCommand;
extern const Command kFunctionCommand;
extern const Command kInvokeCommand;
extern const Command kXargsCommand;
extern const Command kStoreCommand;
extern const Command kGetCommand;
extern const Command kReportCommand;
extern const Command kCompareCommand;
extern const Command kSqlCommand;
extern const Command kConfigCommand;
extern const Command kDoctorCommand;

struct Option {
  std::string_view name;  // "--json"
  bool takes_value = false;
};

struct ParsedArguments {
  std::vector<std::pair<std::string, std::string>> options;  // in the order given
  std::vector<std::string> rest;                             // all that are no options

  bool Has(std::string_view option) const;
  // The last one's; empty if not given.
  std::string Value(std::string_view option) const;
};

// "--name value" and "--name=value"; "--" ends the options, and so does the first other word if
// `stop_at_first` is set (a command with options of its own follows). kInvalid for an option that
// is not among `options` or lacks its value.
Result<ParsedArguments> ParseArguments(const Arguments& arguments, std::span<const Option> options,
                                       bool stop_at_first = false);

// This process's environment as "K=V".
std::vector<std::string> CurrentEnvironment();

// "llama: what", on stderr.
void PrintError(std::string_view what);
// The same with a hint at the command's help; gives kUsage.
int UsageError(std::string_view command, std::string_view what);

}  // namespace llama::app
