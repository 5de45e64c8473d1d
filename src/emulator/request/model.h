// The model: how slow and how faulty the emulated cloud is. What can be set, and how, is in
// docs/emulator.md; the table of settings is kSettings in model_settings.cc.
//
// Every draw is a function of the seed, of what it is drawn for, and of how many were drawn for
// that before: the n-th PutObject of a run fares the same in every run, whatever came between.
//
// Thread-safe. May be replaced while requests are under way.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "emulator/request/plan.h"

namespace llama::emulator {

// A time or a number that is drawn.
struct Distribution {
  enum class Shape : unsigned char { kConstant, kUniform, kNormal, kLogNormal };
  Shape shape = Shape::kConstant;
  double a = 0;  // constant: the value; uniform: from; normal: mean; lognormal: median
  double b = 0;  // uniform: to; normal: standard deviation; lognormal: sigma of the logarithm

  // `u` and `v` are uniform in (0, 1). Never negative.
  double Draw(double u, double v) const;
};

class ModelSettings {
 public:
  // Everything at once, nothing fails, no limits.
  ModelSettings();
  // "none" and "aws": latencies and limits as AWS has them. kInvalid: no such profile.
  static Result<ModelSettings> Profile(std::string_view name);
  // Lines of `key = value`, `#` comments, or a JSON object of the same keys. `profile = NAME` first
  // starts from that one. kInvalid names the line.
  static Result<ModelSettings> Parse(std::string_view text);
  // The same on top of what is set.
  Result<void> Apply(std::string_view text);
  Result<void> Set(std::string_view key, std::string_view value);

  // Of a key of the table; another one is our bug. 0 if it is not set.
  double Number(std::string_view key) const;
  const Distribution* Find(std::string_view key) const;  // nullptr: not set
  // As Parse reads it: every key that is set.
  std::string Format() const;

 private:
  std::map<std::string, Distribution, std::less<>> values_;
};

class Model {
 public:
  explicit Model(ModelSettings settings = {});

  // For a request: `service` "s3" or "lambda", `kind` "get", "put", "head", "list", "delete",
  // "invoke", "control", …: `<service>.<kind>.latency`, or `<service>.latency` where that is not
  // known; and the faults of `error.*` and `<service>.error.*`.
  Plan Draw(std::string_view service, std::string_view kind);
  // A duration of the table, say "lambda.cold_start".
  int64_t DrawNs(std::string_view key);
  // A number of the table: a limit, a rate, a switch (0 or 1).
  double Number(std::string_view key) const;

  void Replace(ModelSettings settings);
  ModelSettings settings() const;

 private:
  std::array<double, 2> Uniforms(std::string_view what) REQUIRES(mutex_);
  Fault DrawFault(std::string_view service) REQUIRES(mutex_);

  mutable Mutex mutex_;
  ModelSettings settings_ GUARDED_BY(mutex_);
  std::map<std::string, uint64_t, std::less<>> drawn_ GUARDED_BY(mutex_);
};

}  // namespace llama::emulator
