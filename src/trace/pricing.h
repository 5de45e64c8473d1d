// What a job costs on AWS, at the published prices of us-east-1, x86_64
// (aws.amazon.com/lambda/pricing, aws.amazon.com/s3/pricing). Everything that shows a cost computes
// it here.
#pragma once

#include <cstdint>

namespace llama::trace {

inline constexpr double kLambdaUsdPerGbSecond = 0.0000166667;
inline constexpr double kLambdaUsdPerRequest = 0.20 / 1e6;
inline constexpr double kS3UsdPerPut = 0.005 / 1000;
inline constexpr double kS3UsdPerGet = 0.0004 / 1000;

// One invocation. Lambda bills whole milliseconds of the configured memory.
inline double LambdaCostUsd(int64_t billed_ms, int64_t memory_mb) {
  return static_cast<double>(billed_ms) / 1000.0 * static_cast<double>(memory_mb) / 1024.0 *
             kLambdaUsdPerGbSecond +
         kLambdaUsdPerRequest;
}

inline double StoreCostUsd(uint64_t puts, uint64_t gets) {
  return static_cast<double>(puts) * kS3UsdPerPut + static_cast<double>(gets) * kS3UsdPerGet;
}

}  // namespace llama::trace
