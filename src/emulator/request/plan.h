// What the model decided about one request: how long it takes, and what goes wrong.
#pragma once

#include <cstdint>

namespace llama::emulator {

enum class Fault : unsigned char {
  kNone,
  // Instead of doing what was asked. The front answers in its own format.
  kError500,     // S3: InternalError; Lambda: ServiceException
  kSlowDown503,  // S3: SlowDown; Lambda: 503 ServiceUnavailable
  kThrottle429,  // S3: 503 SlowDown is its only throttle, so 429 RequestThrottled, which clients
                 // know as well; Lambda: TooManyRequestsException
  kResetBefore,  // the connection is reset and nothing was done
  // After it was done: the answer suffers. The server's work.
  kResetAfter,  // the connection is reset in place of an answer
  kTruncate,    // the connection ends within the answer
  kStall,       // half of the answer, then nothing for `stall_ns`, then the end
};

// Whether the front has to answer with an error instead of doing what was asked.
constexpr bool ReplacesAnswer(Fault fault) {
  return fault == Fault::kError500 || fault == Fault::kSlowDown503 || fault == Fault::kThrottle429;
}
const char* FaultName(Fault fault);  // "500", "slow_down", "throttle", "reset", "truncate", "stall"

struct Plan {
  int64_t latency_ns = 0;  // from the whole request to the answer's first byte, at least
  Fault fault = Fault::kNone;
  int64_t stall_ns = 0;
};

}  // namespace llama::emulator
