#include "compiler/options.h"

#include <algorithm>

namespace llama::compiler {
namespace {

bool Fits(const Option& option, std::string_view arg) {
  switch (option.form) {
    case Form::kFlag:
    case Form::kSeparate:
      return arg == option.name;
    case Form::kJoined:
    case Form::kJoinedOrSeparate:
      return arg.starts_with(option.name);
    case Form::kEqualsOrSeparate:
      return arg == option.name || (arg.starts_with(option.name) && arg[option.name.size()] == '=');
  }
  return false;
}

// The longest name that fits. All names that `arg` begins with are no greater than it, and lie
// before any other that has less in common with it.
const Option* Find(std::string_view arg) {
  const std::span<const Option> table = OptionTable();
  std::string_view key = arg;
  while (key.size() > 1) {
    const auto after = std::upper_bound(
        table.begin(), table.end(), key,
        [](std::string_view text, const Option& option) { return text < option.name; });
    if (after == table.begin()) return nullptr;
    const Option& option = *(after - 1);
    const size_t most = std::min(option.name.size(), key.size());
    const size_t common = static_cast<size_t>(
        std::mismatch(key.begin(), key.begin() + static_cast<ptrdiff_t>(most), option.name.begin())
            .first -
        key.begin());
    if (common == option.name.size() && Fits(option, arg)) return &option;
    key = key.substr(0, common == option.name.size() ? common - 1 : common);
  }
  return nullptr;
}

}  // namespace

Match MatchOption(std::string_view arg) {
  Match match;
  match.option = Find(arg);
  if (match.option == nullptr) return match;
  const Option& option = *match.option;
  match.value_offset = option.name.size();
  switch (option.form) {
    case Form::kFlag:
    case Form::kJoined:
      break;
    case Form::kSeparate:
      match.value_in_next = true;
      break;
    case Form::kJoinedOrSeparate:
      match.value_in_next = arg == option.name;
      break;
    case Form::kEqualsOrSeparate:
      match.value_in_next = arg == option.name;
      ++match.value_offset;
      break;
  }
  return match;
}

}  // namespace llama::compiler
