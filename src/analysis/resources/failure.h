// Failure: why a build failed, as far as its trace tells: the first error that was seen in its
// output, or else that of the compile that ended it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "traces/columns/columns.h"

namespace llama::analysis {

struct Failure {
  std::string place;    // "null.cpp:11"; empty if none is named
  std::string message;  // one line; empty if the trace does not tell
  std::string target;   // what the build tool could not make, or the failed compile's object
  std::string excerpt;  // the message with what follows
  std::string unit;     // source of the failed compile, if it was a remote one
  std::optional<int64_t> steps_left;  // of ninja, not run
};

// None if the build went well, was interrupted, or has not ended.
std::optional<Failure> FindFailure(const traces::Columns& trace);

// "FAILED null.cpp:11 expected ')'; 13 steps not run": for people, not cut.
std::string FailureText(const Failure& failure, std::optional<int64_t> status);

}  // namespace llama::analysis
