// The settings of the model: every key, what its value is, and how AWS would have it. The page of
// docs/emulator.md follows this table.
#pragma once

#include <array>
#include <string_view>

namespace llama::emulator {

enum class Unit : unsigned char {
  kTime,    // "20ms", "1.5s": a distribution
  kChance,  // "5%" or "0.05"
  kRate,    // bytes per second: "90MB/s", "100Mbit/s"; 0: no limit
  kBytes,   // "6MB"; 0: no limit
  kNumber,  // 0: no limit
  kSwitch,  // "on", "off"
};

struct Setting {
  std::string_view key;
  Unit unit;
  std::string_view value;  // where nothing else is said; empty: as the more general key has it
  std::string_view aws;    // of `profile = aws`; empty: as `value`
};

inline constexpr auto kSettings = std::to_array<Setting>({
    {"seed", Unit::kNumber, "1", ""},
    // From the whole request to the first byte of the answer.
    {"s3.latency", Unit::kTime, "0", "20ms"},
    {"s3.get.latency", Unit::kTime, "", "20ms"},
    {"s3.put.latency", Unit::kTime, "", "30ms"},
    {"s3.head.latency", Unit::kTime, "", ""},
    {"s3.list.latency", Unit::kTime, "", "40ms"},
    {"s3.delete.latency", Unit::kTime, "", ""},
    {"s3.control.latency", Unit::kTime, "", "50ms"},
    {"lambda.latency", Unit::kTime, "0", "15ms"},
    {"lambda.invoke.latency", Unit::kTime, "", "15ms"},
    {"lambda.control.latency", Unit::kTime, "", "100ms"},
    // Until Lambda and KMS know of a role that was made.
    {"iam.role_delay", Unit::kTime, "0", ""},
    // Besides what the start of the process takes.
    {"lambda.cold_start", Unit::kTime, "0", "300ms"},
    // Of all requests; "any" is spread evenly over the kinds that are not set themselves.
    {"error.any", Unit::kChance, "0", ""},
    {"error.reset", Unit::kChance, "", ""},
    {"error.500", Unit::kChance, "", ""},
    {"error.503", Unit::kChance, "", ""},
    {"error.429", Unit::kChance, "", ""},
    {"error.truncate", Unit::kChance, "", ""},
    {"error.stall", Unit::kChance, "", ""},
    {"s3.error.any", Unit::kChance, "", ""},
    {"s3.error.reset", Unit::kChance, "", ""},
    {"s3.error.500", Unit::kChance, "", ""},
    {"s3.error.503", Unit::kChance, "", ""},
    {"s3.error.429", Unit::kChance, "", ""},
    {"s3.error.truncate", Unit::kChance, "", ""},
    {"s3.error.stall", Unit::kChance, "", ""},
    {"lambda.error.any", Unit::kChance, "", ""},
    {"lambda.error.reset", Unit::kChance, "", ""},
    {"lambda.error.500", Unit::kChance, "", ""},
    {"lambda.error.503", Unit::kChance, "", ""},
    {"lambda.error.429", Unit::kChance, "", ""},
    {"lambda.error.truncate", Unit::kChance, "", ""},
    {"lambda.error.stall", Unit::kChance, "", ""},
    // How long a stalled answer stands still before its connection ends.
    {"stall.time", Unit::kTime, "60s", ""},
    // "up" is towards the emulator.
    {"bandwidth.connection.up", Unit::kRate, "0", "90MB/s"},
    {"bandwidth.connection.down", Unit::kRate, "0", "90MB/s"},
    {"bandwidth.worker.up", Unit::kRate, "0", "75MB/s"},
    {"bandwidth.worker.down", Unit::kRate, "0", "75MB/s"},
    {"bandwidth.total.up", Unit::kRate, "0", ""},
    {"bandwidth.total.down", Unit::kRate, "0", ""},
    // Of one account; then 429 with its reason. The ramp is of environments per 10 s.
    {"lambda.concurrency", Unit::kNumber, "0", "1000"},
    {"lambda.ramp", Unit::kNumber, "0", "1000"},
    {"lambda.max_request", Unit::kBytes, "6291556", "6291556"},
    {"lambda.max_response", Unit::kBytes, "6291556", "6291556"},
    {"lambda.enforce_timeout", Unit::kSwitch, "on", "on"},
    {"lambda.enforce_memory", Unit::kSwitch, "on", "on"},
    {"lambda.enforce_tmp", Unit::kSwitch, "off", "on"},
    {"lambda.deny_syscalls", Unit::kSwitch, "off", "on"},
    {"lambda.freeze", Unit::kSwitch, "off", "on"},
});

}  // namespace llama::emulator
