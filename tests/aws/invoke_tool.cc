// invoke_tool: invokes a function as the daemon does, for the script beside it.
//
//   invoke_tool ENDPOINT FUNCTION BYTES [TIMEOUT-MS]
//
// Sends BYTES, prints "answer BYTES" or "error CODE MESSAGE". The keys are made up.
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include "aws/http/engine.h"
#include "aws/lambda/functions.h"
#include "aws/service/credentials.h"
#include "aws/service/service.h"
#include "base/clock.h"
#include "store/object_store.h"

namespace {

using llama::Result;

Result<std::string> Invoke(const std::string& endpoint, const std::string& function,
                           const std::string& payload, int64_t timeout_ms) {
  ASSIGN_OR_RETURN(const auto engine, llama::aws::StartHttpEngine({}));
  llama::aws::Credentials made_up;
  made_up.keys = {"AKIATEST", "test-secret", ""};
  const auto credentials = llama::aws::NewStaticCredentials(made_up);
  llama::aws::ServiceOptions options;
  options.name = "lambda";
  options.region = "us-east-1";
  options.endpoint = endpoint;
  const auto service = llama::aws::NewService(options, *engine, *credentials, llama::SystemClock());
  const auto store = llama::store::NewMemoryStore();
  llama::aws::LambdaFunctionsOptions named;
  named.function = function;
  ASSIGN_OR_RETURN(const auto client,
                   llama::aws::NewLambdaFunctions(named, *service, *store, llama::SystemClock()));
  llama::job::InvokeOptions wait;
  wait.timeout_ms = timeout_ms;
  ASSIGN_OR_RETURN(const llama::job::Invocation done, client->Invoke(payload, wait));
  return done.payload;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const Result<std::string> answer =
      Invoke(argv[1], argv[2], argv[3], argc > 4 ? std::atoll(argv[4]) : 20'000);
  if (answer) {
    std::cout << "answer " << *answer << "\n";
  } else {
    std::cout << "error " << llama::CodeName(answer.error().code) << " " << answer.error().message
              << "\n";
  }
  return 0;
}
