// The name by which jobs know the daemon's one admission to local cores.
#pragma once

#include "admission/cpu_admission.h"

namespace llama::execute {

using Semaphore = admission::CpuAdmission;

}  // namespace llama::execute
