// The checks of `llama doctor`. Each looks at one thing and says how it is and what to do; none
// changes anything but the probes that it removes again.
#pragma once

#include <string>
#include <vector>

#include "aws/settings/settings.h"

namespace llama::app {

enum class Health : unsigned char { kWell, kWarning, kFailure };

struct Finding {
  std::string name;  // "bucket"
  Health health = Health::kWell;
  std::string detail;  // what was found
  std::string advice;  // what to do; empty where there is nothing to do
};

struct Patient {
  std::vector<std::string> env;
  std::string state_dir;
  std::string bin_dir;  // of llama, llamacc and llama-runtime
  aws::Settings settings;
  bool full = false;  // --full
};

// doctor_local.cc
std::vector<Finding> CheckInstallation(const Patient& patient);  // folder, compiler, daemon
Finding CheckRoundTrip(const Patient& patient);

// doctor_aws.cc: region, credentials, clock, bucket, function; nothing if AWS isn't used. What
// needs something that failed before is left out.
std::vector<Finding> CheckAws(const Patient& patient);

}  // namespace llama::app
