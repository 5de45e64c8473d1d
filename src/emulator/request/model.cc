#include "emulator/request/model.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace llama::emulator {
namespace {

// https://prng.di.unimi.it/splitmix64.c
uint64_t Mix(uint64_t z) {
  z += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

uint64_t Fnv1a(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

// In (0, 1).
double UnitInterval(uint64_t bits) { return (static_cast<double>(bits >> 11) + 0.5) * 0x1p-53; }

struct FaultKind {
  std::string_view name;
  Fault fault;
};
constexpr auto kFaults = std::to_array<FaultKind>({
    {"reset", Fault::kResetAfter},
    {"500", Fault::kError500},
    {"503", Fault::kSlowDown503},
    {"429", Fault::kThrottle429},
    {"truncate", Fault::kTruncate},
    {"stall", Fault::kStall},
});

double ChanceOf(const ModelSettings& settings, std::string_view service, std::string_view kind) {
  const std::string general = "error." + std::string(kind);
  const std::string own = std::string(service) + "." + general;
  const std::string own_any = std::string(service) + ".error.any";
  if (const Distribution* chance = settings.Find(own)) return chance->a;
  if (const Distribution* any = settings.Find(own_any)) {
    return any->a / static_cast<double>(kFaults.size());
  }
  if (const Distribution* chance = settings.Find(general)) return chance->a;
  return settings.Number("error.any") / static_cast<double>(kFaults.size());
}

int64_t Nanoseconds(double ns) { return static_cast<int64_t>(std::min(ns, 1e15)); }

}  // namespace

double Distribution::Draw(double u, double v) const {
  // Box and Muller's.
  const auto normal = [&] {
    return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
  };
  switch (shape) {
    case Shape::kConstant:
      return a;
    case Shape::kUniform:
      return a + u * (b - a);
    case Shape::kNormal:
      return std::max(0.0, a + b * normal());
    case Shape::kLogNormal:
      return a * std::exp(b * normal());
  }
  return a;
}

Model::Model(ModelSettings settings) : settings_(std::move(settings)) {}

std::array<double, 2> Model::Uniforms(std::string_view what) {
  auto at = drawn_.find(what);
  if (at == drawn_.end()) at = drawn_.emplace(std::string(what), 0).first;
  const auto seed = static_cast<uint64_t>(settings_.Number("seed"));
  const uint64_t first = Mix(Mix(seed) ^ Fnv1a(what)) + at->second++;
  return {UnitInterval(Mix(first)), UnitInterval(Mix(Mix(first)))};
}

Fault Model::DrawFault(std::string_view service) {
  double total = 0;
  std::array<double, kFaults.size()> chances{};
  for (size_t i = 0; i < kFaults.size(); ++i) {
    chances[i] = ChanceOf(settings_, service, kFaults[i].name);
    total += chances[i];
  }
  if (total <= 0) return Fault::kNone;
  auto [u, v] = Uniforms(std::string(service) + ".error");
  for (size_t i = 0; i < kFaults.size(); ++i) {
    if (u < chances[i]) {
      // A connection breaks before or after the work is done; the client can't tell.
      return kFaults[i].fault == Fault::kResetAfter && v < 0.5 ? Fault::kResetBefore
                                                               : kFaults[i].fault;
    }
    u -= chances[i];
  }
  return Fault::kNone;
}

Plan Model::Draw(std::string_view service, std::string_view kind) {
  const std::string general = std::string(service) + ".latency";
  const std::string own = std::string(service) + "." + std::string(kind) + ".latency";
  const MutexLock lock(mutex_);
  Plan plan;
  const Distribution* latency = settings_.Find(own);
  if (latency == nullptr) latency = settings_.Find(general);
  if (latency != nullptr) {
    const auto [u, v] = Uniforms(own);
    plan.latency_ns = Nanoseconds(latency->Draw(u, v));
  }
  plan.fault = DrawFault(service);
  if (plan.fault == Fault::kStall) {
    const auto [u, v] = Uniforms("stall.time");
    plan.stall_ns = Nanoseconds(settings_.Find("stall.time")->Draw(u, v));
  }
  return plan;
}

int64_t Model::DrawNs(std::string_view key) {
  const MutexLock lock(mutex_);
  const Distribution* duration = settings_.Find(key);
  if (duration == nullptr) return 0;
  const auto [u, v] = Uniforms(key);
  return Nanoseconds(duration->Draw(u, v));
}

double Model::Number(std::string_view key) const {
  const MutexLock lock(mutex_);
  return settings_.Number(key);
}

void Model::Replace(ModelSettings settings) {
  const MutexLock lock(mutex_);
  settings_ = std::move(settings);
  drawn_.clear();
}

ModelSettings Model::settings() const {
  const MutexLock lock(mutex_);
  return settings_;
}

}  // namespace llama::emulator
