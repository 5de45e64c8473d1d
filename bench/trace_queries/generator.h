// Traces as large builds write them, made up: the same for the same options. What a real trace does
// not tell is kept beside it: how far each worker's clock was off.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace llama::bench {

struct GeneratorOptions {
  uint64_t seed = 1;
  int compiles = 70'000;   // about 15 spans each, as of a kernel's allmodconfig
  int slots = 200;         // of make -j
  bool wide = false;       // instead: traces of 700 spans, most of them children of the root
  bool compressed = true;  // zstd frames, as the daemon writes; or plain lines
  int64_t max_skew_ns = 30'000'000;  // of a worker's clock, either way
};

// Writes `dir`/trace.ndjson.zst (or trace.ndjson), `dir`/build.json and `dir`/truth.csv, a line
// "worker_id,offset_ns" a worker: what to add to its times to get the client's. `dir`'s name is the
// build's id. Gives the number of spans.
Result<uint64_t> GenerateBuild(const std::string& dir, const GeneratorOptions& options);

}  // namespace llama::bench
