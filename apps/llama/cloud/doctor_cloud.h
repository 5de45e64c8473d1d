// The checks of `llama doctor` that bucket and function are put to.
#pragma once

#include <vector>

#include "llama/cloud/cloud_access.h"
#include "llama/cloud/doctor.h"

namespace llama::app {

// Puts, gets and deletes probes; measures. Nothing if the store is a folder.
std::vector<Finding> CheckBucket(CloudAccess& cloud);
// Looks at its configuration and pings it. Nothing if functions are local workers.
std::vector<Finding> CheckFunction(CloudAccess& cloud);

// doctor_full.cc: rules of S3's and Lambda's that llama rests on, each seen to hold or not.
std::vector<Finding> CheckRules(CloudAccess& cloud);

}  // namespace llama::app
