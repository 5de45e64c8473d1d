// What the emulator says and is told about itself, below /_emulator/. All but `health` want the
// header `Authorization: TOKEN`, whose value is in the emulator's folder.
//
//   GET  /_emulator/health       "ok"
//   GET  /_emulator/metrics      counters, JSON
//   GET  /_emulator/model        the model in force, as its file has it
//   PUT  /_emulator/model        a new one; what is under way keeps what it drew
//   GET  /_emulator/credentials  temporary keys, as a container's credentials endpoint gives them
//                                (AWS_CONTAINER_CREDENTIALS_FULL_URI)
#pragma once

#include <string>

#include "emulator/request/authority.h"
#include "emulator/request/message.h"
#include "emulator/request/model.h"
#include "emulator/server/request_log.h"

namespace llama::emulator {

class Admin final : public Handler {
 public:
  struct Options {
    std::string token;
    int64_t lifetime_s = 3600;  // of the keys that `credentials` gives
  };
  Admin(Options options, Model& model, Authority& authority, RequestLog& log)
      : options_(std::move(options)), model_(model), authority_(authority), log_(log) {}

  Response Handle(const Request& request, const Exchange& exchange) override;

 private:
  bool IsAllowed(const Request& request) const;
  Response ReplaceModel(const Request& request);
  Response Credentials();

  const Options options_;
  Model& model_;
  Authority& authority_;
  RequestLog& log_;
};

}  // namespace llama::emulator
