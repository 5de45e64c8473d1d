// The checks of `llama doctor` that bucket and function are put to.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "aws/credentials.h"
#include "aws/http_engine.h"
#include "aws/service.h"
#include "aws/settings.h"
#include "base/clock.h"
#include "doctor.h"

namespace llama::app {

struct Cloud {
  const aws::Settings& settings;
  aws::HttpSender& sender;
  aws::CredentialsProvider& credentials;
  const Clock& clock;

  Result<std::unique_ptr<aws::Service>> Open(std::string_view service) const;
};

// Puts, gets and deletes probes; measures. Nothing if the store is a folder.
std::vector<Finding> CheckBucket(const Cloud& cloud);
// Looks at its configuration and pings it. Nothing if functions are local workers.
std::vector<Finding> CheckFunction(const Cloud& cloud);

}  // namespace llama::app
