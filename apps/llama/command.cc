#include "llama/command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "base/text/format.h"

namespace llama::app {
namespace {

const Option* FindOption(std::span<const Option> options, std::string_view name) {
  const auto it =
      std::find_if(options.begin(), options.end(), [&](const Option& o) { return o.name == name; });
  return it == options.end() ? nullptr : &*it;
}

Error UnknownOption(std::string_view name, std::span<const Option> options) {
  std::vector<std::string_view> known;
  for (const Option& option : options) known.push_back(option.name);
  std::string message = "unknown option " + std::string(name);
  if (const std::string_view close = Closest(name, known); !close.empty()) {
    message.append("; did you mean ").append(close).append("?");
  }
  return Error{Code::kInvalid, std::move(message)};
}

}  // namespace

bool ParsedArguments::Has(std::string_view option) const {
  return std::any_of(options.begin(), options.end(),
                     [&](const auto& given) { return given.first == option; });
}

std::string ParsedArguments::Value(std::string_view option) const {
  const auto it = std::find_if(options.rbegin(), options.rend(),
                               [&](const auto& given) { return given.first == option; });
  return it == options.rend() ? "" : it->second;
}

Result<ParsedArguments> ParseArguments(const Arguments& arguments, std::span<const Option> options,
                                       bool stop_at_first) {
  ParsedArguments out;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    const bool is_option = word.size() > 1 && word[0] == '-' && word != "--";
    if (word == "--" || (!is_option && stop_at_first)) {
      const auto first =
          arguments.begin() + static_cast<std::ptrdiff_t>(i + (word == "--" ? 1 : 0));
      out.rest.insert(out.rest.end(), first, arguments.end());
      return out;
    }
    if (!is_option) {
      out.rest.push_back(word);
      continue;
    }
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const Option* option = FindOption(options, name);
    if (option == nullptr) return UnknownOption(name, options);
    if (!option->takes_value) {
      if (equals != std::string::npos) return Error{Code::kInvalid, name + " takes no value"};
      out.options.emplace_back(name, "");
    } else if (equals != std::string::npos) {
      out.options.emplace_back(name, word.substr(equals + 1));
    } else if (++i < arguments.size()) {
      out.options.emplace_back(name, arguments[i]);
    } else {
      return Error{Code::kInvalid, name + " needs a value"};
    }
  }
  return out;
}

std::vector<std::string> CurrentEnvironment() {
  std::vector<std::string> env;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    env.emplace_back(*entry);
  }
  return env;
}

void PrintError(std::string_view what) {
  // What a service or a worker said may stand in it. Lines are ours.
  std::string shown;
  while (true) {
    const size_t end = std::min(what.find('\n'), what.size());
    shown += Printable(what.substr(0, end));
    if (end == what.size()) break;
    shown.push_back('\n');
    what.remove_prefix(end + 1);
  }
  std::fprintf(stderr, "llama: %s\n", shown.c_str());
}

int UsageError(std::string_view command, std::string_view what) {
  std::string text(what);
  text.append(text.ends_with('?') ? " See 'llama help" : "; see 'llama help");
  if (!command.empty()) text.append(" ").append(command);
  PrintError(text.append("'"));
  return kUsage;
}

}  // namespace llama::app
