// Which front a request is for: its credential scope says so; an unsigned one is told by its path.
//
//   /_emulator/…                     the emulator itself (admin.h)
//   scope lambda, /2015-03-31/… etc. Lambda: its API's paths begin with a date
//   anything else                    S3
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "emulator/request/message.h"

namespace llama::emulator {

class Router final : public Handler {
 public:
  // "s3", "lambda", "emulator", or another scope's service ("sts"). `handler` outlives the router.
  // All are added before the server runs.
  void Add(const std::string& service, Handler& handler) { handlers_[service] = &handler; }
  Response Handle(const Request& request, const Exchange& exchange) override;

 private:
  std::map<std::string, Handler*, std::less<>> handlers_;
};

// "s3", "lambda", "emulator", …
std::string_view ServiceOf(const Request& request);

}  // namespace llama::emulator
