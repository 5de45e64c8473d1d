// Which builds a command that looks at several of them means, by their names.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "builds/record.h"
#include "traces/columns/columns.h"

namespace llama::app {

struct NamedBuilds {
  traces::Columns columns;
  std::vector<builds::BuildRecord> records;  // of the folders, as far as they have one
};

// As builds::FindBuild knows them, each once; none: the latest.
Result<NamedBuilds> LoadNamedBuilds(std::vector<std::string> names);
// Trace files as one trace, or folders of builds; both together are kInvalid.
Result<NamedBuilds> LoadGivenFiles(const std::vector<std::string>& paths);

bool IsFolder(const std::string& path);

}  // namespace llama::app
