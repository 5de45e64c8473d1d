// What `llama explain -- COMMAND` says, as text and as JSON.
#pragma once

#include <string>

#include "base/text/text_writer.h"
#include "daemon/jobs/explanation.h"

namespace llama::app {

// `all_inputs`: each of them by name, not only how many are from where.
std::string FormatExplanation(const daemon::Explanation& explanation, const TextStyle& style,
                              bool all_inputs);
// One object, with a newline at its end.
std::string FormatExplanationJson(const daemon::Explanation& explanation);

}  // namespace llama::app
