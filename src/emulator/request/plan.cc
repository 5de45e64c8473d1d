#include "emulator/request/plan.h"

namespace llama::emulator {

const char* FaultName(Fault fault) {
  switch (fault) {
    case Fault::kNone:
      return "";
    case Fault::kError500:
      return "500";
    case Fault::kSlowDown503:
      return "503";
    case Fault::kThrottle429:
      return "429";
    case Fault::kResetBefore:
    case Fault::kResetAfter:
      return "reset";
    case Fault::kTruncate:
      return "truncate";
    case Fault::kStall:
      return "stall";
  }
  return "";
}

}  // namespace llama::emulator
