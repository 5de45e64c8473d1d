// What a compiler prints of its folders.
#include "base/fuzz.h"
#include "scan/search/built_in_folders.h"

namespace llama::scan {

FUZZ_TARGET(text) {
  (void)HasSearchOptions(text);
  const auto read = ParseVerbose(text);
  if (!read) return;
  for (const std::string& folder : read->folders) {
    CHECK(!folder.empty() && folder.find('\n') == folder.npos);
    CHECK(text.find(" " + folder + "\n") != text.npos);
  }
  CHECK(read->configuration.size() <= read->sources.size());
}

}  // namespace llama::scan
