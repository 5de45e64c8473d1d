// LambdaFunctions: jobs by Lambda's Invoke (RequestResponse), as the daemon's FunctionClient.
//
// A payload travels in an envelope (job/envelope.h). What does not fit into 6 MB goes through the
// store, under jobs/<sha256>, in either direction; an answer's object is deleted once it is read, a
// request's is left to the bucket's lifecycle, as a retry may want it again.
//
// Which failures are tried again is the Service's to know. A throttled invocation gives up its
// place and queues for another (aws/lambda/concurrency_gate.h), for as long as its deadline allows.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "aws/service/service.h"
#include "base/clock.h"
#include "base/result.h"
#include "job/function_client.h"
#include "store/object_store.h"

namespace llama::aws {

struct LambdaFunctionsOptions {
  std::string function;  // "name", "name:alias", "name:7", or an ARN with or without qualifier
  std::string store_location;  // for the worker: where the objects are (wire::Envelope::store)
  int64_t max_concurrency = 1'000;
  int64_t memory_mb = 1'769;  // for the price, until a REPORT line says what it is
  // Ask for the end of the log with each answer (4 KiB): billed time, memory and initialisation
  // exactly as billed. Without it the billed time is estimated: Invocation::billed_estimated.
  bool log_tail = true;
};

// A function's name taken apart.
struct FunctionName {
  std::string name;       // all that stands before the qualifier; a name, a partial or a full ARN
  std::string qualifier;  // version or alias; empty: $LATEST
  bool operator==(const FunctionName&) const = default;
};
// kInvalid: it can't be one.
Result<FunctionName> ParseFunctionName(std::string_view text);

// `lambda` signs for the function's region. All must outlive the client.
Result<std::unique_ptr<job::FunctionClient>> NewLambdaFunctions(
    const LambdaFunctionsOptions& options, Service& lambda, store::ObjectStore& store,
    const Clock& clock);

}  // namespace llama::aws
