// Each format of `llama export` written to /dev/null: what encoding costs, without a disk.
#pragma once

#include <string>
#include <vector>

namespace llama::bench {

// `trace_queries exports DIR...`: prints a line of JSON a format: seconds of CPU, spans a second,
// bytes, and by how much the peak of memory grew. Formats that need a file are left out. Gives the
// exit status.
int RunExports(const std::vector<std::string>& build_dirs);

}  // namespace llama::bench
