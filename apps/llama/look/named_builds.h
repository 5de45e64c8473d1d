// Builds and traces as they are named on the command line (builds/names.h): the one way from words
// to what is loaded, of every command that looks at what was recorded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "builds/names.h"
#include "builds/record.h"
#include "traces/columns/columns.h"

namespace llama::app {

// What the words name, each thing once, in the order of the words; no words: the latest. Says on
// stderr when a build was taken for a word that a file is called, too.
Result<std::vector<builds::Named>> ResolveNames(const std::vector<std::string>& words);
// One word that names one thing.
Result<builds::Named> ResolveName(const std::string& word);
// Every recorded build that has a trace.
Result<std::vector<builds::Named>> AllBuilds();

struct NamedBuilds {
  traces::Columns columns;
  std::vector<builds::BuildRecord> records;  // of the folders, as far as they have one
};
Result<NamedBuilds> LoadNamed(const std::vector<builds::Named>& named);

// What `llama help names` prints.
extern const std::string_view kNamesHelp;

}  // namespace llama::app
