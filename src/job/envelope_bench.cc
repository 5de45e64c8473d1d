// How fast a job gets into an envelope and out of one; the bar is 500 MB of payload a second.
#include <benchmark/benchmark.h>

#include <random>

#include "job/envelope.h"

namespace llama::job {
namespace {

Envelope RandomEnvelope(int64_t size) {
  std::mt19937 random(1);
  Envelope envelope;
  envelope.bytes.resize(static_cast<size_t>(size));
  for (char& c : envelope.bytes) c = static_cast<char>(random());
  return envelope;
}

void EncodeJob(benchmark::State& state) {
  const Envelope envelope = RandomEnvelope(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(EncodeEnvelope(envelope));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(EncodeJob)->Arg(10'000)->Arg(4'000'000);

void DecodeJob(benchmark::State& state) {
  const std::string text = EncodeEnvelope(RandomEnvelope(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(DecodeEnvelope(text));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(DecodeJob)->Arg(10'000)->Arg(4'000'000);

}  // namespace
}  // namespace llama::job
