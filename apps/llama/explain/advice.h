// Advice: what the reason of a local run means, and what would make the compile remote.
#pragma once

#include <string>
#include <string_view>

namespace llama::app {

struct Advice {
  std::string_view meaning;
  std::string_view remedy;  // empty: nothing is to be done
};

// `reason` as it is recorded (docs/trace_format.md): what follows a ':' counts for options only.
Advice AdviceOn(std::string_view reason);

}  // namespace llama::app
