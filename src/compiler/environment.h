// The environment of a remote compile, made from the wrapper's.
//
// Only what changes a compiler's output travels. Variables that redirect outputs or swap parts of
// the toolchain mean a local run. Messages are in English remotely; whether the local compiler
// would speak another language is reported, and its character set (which decides about quotes) is
// kept.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/toolchain.h"

namespace llama::compiler {

struct RemoteEnvironment {
  std::string local_reason;        // "environment:NAME"
  std::vector<std::string> env;    // kRootMark for the root
  std::vector<std::string> paths;  // of search path variables, as given
  bool translated_messages = false;
};

RemoteEnvironment MakeEnvironment(const std::vector<std::string>& env, const Toolchain& toolchain,
                                  const std::string& pwd);

// The POSIX rule ("CET-1CEST,M3.5.0,M10.5.0/3") for a value of TZ, which needs no zone files where
// it is used; `tz` nullptr: the system's zone. Empty: there is none.
std::string PosixTimeZone(const char* tz);
// The file of that zone, canonical, if it had other rules before: the rule of today does for the
// time of day, but not for the times of files. Empty: it had none.
std::string TimeZoneFile(const char* tz);

}  // namespace llama::compiler
