// The fuzz target's body over altered seeds: what a fuzzer begins with.
#include <gtest/gtest.h>

#include <random>

#include "traces/columns/testing.h"
#include "traces/load/columnar_file.h"
#include "traces/load/trace_loader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace llama::traces {
namespace {

void Feed(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

TEST(LoadFuzzTest, ForgedColumnarFilesNeverCrash) {
  std::mt19937 random(1);
  std::string seeds[3];
  const int compiles[] = {0, 1, 60};
  for (size_t i = 0; i < 3; ++i) {
    seeds[i] = "\1" + EncodeColumnar(*LoadTextTable(MixedTrace(compiles[i])), {});
    Feed(seeds[i]);
  }
  for (int i = 0; i < 3000; ++i) {
    std::string file = seeds[random() % 3];
    // The directory, at the end, is where numbers are that could do harm.
    const size_t from = random() % 2 == 0 ? 17 : file.size() - std::min<size_t>(file.size(), 600);
    for (unsigned flips = 1 + random() % 4; flips > 0; --flips) {
      file[from + random() % (file.size() - from)] = static_cast<char>(random());
    }
    if (random() % 8 == 0) file.resize(random() % file.size());
    Feed(file);
  }
}

TEST(LoadFuzzTest, BrokenTracesNeverCrash) {
  std::mt19937 random(2);
  const std::string seed = "\2" + MixedTrace(4);
  constexpr std::string_view kTokens[] = {"{",
                                          "}",
                                          "[",
                                          "]",
                                          "\"",
                                          ",",
                                          ":",
                                          "\n",
                                          "\\u",
                                          "0",
                                          "-1",
                                          "1e9",
                                          "null",
                                          "\"name\"",
                                          "\"fields\":{",
                                          "\"duration\":",
                                          "\xff",
                                          std::string_view("\0", 1)};
  for (int i = 0; i < 3000; ++i) {
    std::string trace = seed;
    for (auto edits = 1 + random() % 6; edits > 0; --edits) {
      const size_t at = 1 + random() % (trace.size() - 1);
      const auto token = kTokens[random() % std::size(kTokens)];
      if (random() % 3 == 0) {
        trace.insert(at, token);
      } else if (random() % 2 == 0) {
        trace.erase(at, random() % 40);
      } else {
        trace[at] = token[0];
      }
    }
    Feed(trace);
  }
}

}  // namespace
}  // namespace llama::traces
