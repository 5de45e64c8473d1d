// One build, loaded and reported: what `llama build`,
// `llama report` and `llama compare` share.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "builds/names.h"
#include "builds/record.h"
#include "report/report.h"

namespace llama::app {

struct LoadedBuild {
  std::string dir;  // of the build; empty for a trace file
  std::optional<builds::BuildRecord> record;
  traces::Columns trace;
};

// Where a trace has several builds, one is taken, and said: `id` (or what begins with it), or, if
// that is "", the folder's or the last.
Result<LoadedBuild> LoadBuild(const builds::Named& named, const std::string& id = "");
Result<LoadedBuild> LoadBuildDir(const std::string& build_dir, const std::string& id = "");

// With what the build's record knows and its trace does not say, or no longer says: an unfinished
// build's command, and the name if it was renamed.
report::Report ReportBuild(const LoadedBuild& build);

// A terminal that has not been told otherwise (https://no-color.org).
bool WantsColor(int fd);
// Flushes standard output: kOk, or kFailed if it could not be written.
int FinishOutput();

}  // namespace llama::app
