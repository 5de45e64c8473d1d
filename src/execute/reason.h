// Reason: why something can't be done there, and so is to be done here or not at all.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace llama::execute {

struct Reason {
  std::string word;    // stable, counted (docs/trace_format.md, the reasons of local runs)
  std::string detail;  // what it was in this case; may be empty
  // What the caller does about it. kUnavailable: the inputs changed under way, so look at them
  // again; kDeadline, kCancelled; all others: run it here.
  Code code = Code::kRemoteFailed;

  // For people: "word: detail".
  std::string Text() const { return detail.empty() ? word : word + ": " + detail; }
};

// The reason that an error is, in the step that `word` names.
inline Reason ReasonOf(std::string word, Error error) {
  if (error.code == Code::kCancelled) return {"cancelled", {}, Code::kCancelled};
  const Code code = error.code == Code::kDeadline ? Code::kDeadline : Code::kRemoteFailed;
  return {std::move(word), std::move(error.message), code};
}

template <typename T>
using OrReason = Result<T, Reason>;

}  // namespace llama::execute
