// Names: what a word on the command line stands for, in every command that takes builds or traces.
// In this order:
//
//   -               standard input
//   a/b, ./b        with a slash: the trace file or the build's folder there; if there is none, a
//                   build of exactly that name
//   latest, or ""   the latest that was run by `llama build`, or else the latest
//   an id
//   a name          the latest that is called so
//   a file          or a build's folder, in the working directory
//   an id's begin   if only one begins so
//   a pattern       of ids and names, as a shell has them (fnmatch): several, in order of time
//
// One thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "builds/record.h"

namespace llama::builds {

struct Named {
  std::string path;         // of a build's folder or of a trace file; "-" is standard input
  bool is_build = false;    // a folder, recorded here or not
  bool hides_file = false;  // there is a file of that name as well, which ./NAME would be
};

class Names {
 public:
  // None at all.
  Names() = default;
  // The builds that are recorded now.
  static Result<Names> Of(const std::string& state_dir);

  // Never none: kNotFound, with what is near, or kInvalid for a beginning of several ids.
  Result<std::vector<Named>> FindAll(std::string_view word) const;
  // The same where one is wanted; kInvalid for a pattern that several fit.
  Result<Named> Find(std::string_view word) const;
  // For what changes or deletes builds: recorded ones only, and no name that several have. A
  // pattern is meant for all that it fits.
  Result<std::vector<BuildRecord>> FindToChange(std::string_view word) const;

  // Every build, the latest last.
  std::vector<Named> All() const;

 private:
  Names(std::string state_dir, std::vector<BuildRecord> builds)
      : state_dir_(std::move(state_dir)), builds_(std::move(builds)) {}

  Named AsNamed(const BuildRecord& build) const;
  const BuildRecord* Latest() const;
  const BuildRecord* Exact(std::string_view word) const;
  Result<const BuildRecord*> ByBeginning(std::string_view word) const;  // null: none
  std::vector<const BuildRecord*> Matching(std::string_view pattern) const;
  Error NotFound(std::string_view word, bool or_file) const;

  std::string state_dir_;
  std::vector<BuildRecord> builds_;  // the latest last
};

bool IsPattern(std::string_view word);

}  // namespace llama::builds
