// What an invocation costs as Lambda bills it: whole milliseconds of the configured memory. The
// local pool says what the same would have cost there.
#pragma once

#include <cstdint>

#include "job/function_client.h"
#include "trace/pricing.h"

namespace llama::job {

struct LambdaBill {
  int64_t billed_ms = 0;
  int64_t memory_mb = 0;   // what the function is configured with
  bool estimated = false;  // Lambda did not say; measured from here, one round trip too long
};

inline void SetBill(const LambdaBill& bill, Invocation& invocation) {
  invocation.cost_usd = trace::LambdaCostUsd(bill.billed_ms, bill.memory_mb);
  invocation.details = {{"billed_ms", bill.billed_ms}, {"memory_mb", bill.memory_mb}};
  if (bill.estimated) invocation.details.emplace_back("billed_estimated", true);
}

}  // namespace llama::job
