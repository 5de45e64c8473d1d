// For tests: real programs of this machine, shipped to a store with all that they need to run.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/process.h"
#include "files/digest_cache.h"
#include "files/path_walker.h"
#include "job/job.h"
#include "store/object_store.h"
#include "tree/layer.h"

namespace llama::worker {

inline constexpr const char* kLoader = "/lib64/ld-linux-x86-64.so.2";

inline std::string OutputOf(const std::vector<std::string>& argv) {
  ProcessOptions options;
  options.program = argv[0];
  options.argv = argv;
  options.env = {"PATH=/usr/bin:/bin", "LC_ALL=C"};
  Result<ProcessResult> ran = RunProcess(options);
  return ran ? ran->out : "";
}

inline bool Has(const std::vector<std::string>& paths, const std::string& path) {
  return std::find(paths.begin(), paths.end(), path) != paths.end();
}

// The absolute paths in `text`: of `ld.so --list`, of make rules.
inline std::vector<std::string> PathsIn(const std::string& text) {
  std::vector<std::string> paths;
  for (size_t at = 0; (at = text.find(" /", at)) != std::string::npos;) {
    const size_t end = text.find_first_of(" \n", at + 1);
    paths.push_back(text.substr(at + 1, end - at - 1));
    at += 1;
  }
  return paths;
}

class FileSource final : public tree::BlobSource {
 public:
  Result<std::string> Read(const std::string& path, const tree::Entry&) override {
    return ReadFile(path);
  }
};

// Puts a layer with the `programs` (their loader and libraries come along) and other `files` into
// the store.
inline tree::LayerRef Ship(store::ObjectStore& store, const std::vector<std::string>& programs,
                           const std::vector<std::string>& files = {}) {
  const auto digests = files::DigestCache::Open("", SystemClock()).value();
  const auto walker = std::make_unique<files::PathWalker>(*digests);
  const auto add = [&](const std::string& path) { EXPECT_TRUE(walker->Add(path)) << path; };
  for (const std::string& program : programs) {
    add(program);
    for (const std::string& library : PathsIn(OutputOf({kLoader, "--list", program}))) {
      add(library);
    }
  }
  add(kLoader);
  for (const std::string& file : files) add(file);
  FileSource source;
  Result<tree::LayerObject> layer = tree::BuildLayer(walker->manifest(), source);
  EXPECT_TRUE(layer);
  EXPECT_TRUE(store.Put(layer->key, layer->bytes));
  return {layer->key, layer->bytes.size()};
}

inline std::string CanonicalPath(const std::string& path) { return RealPath(path).value(); }

// A job that runs `sh -c script` in /job, whose files are its outputs. Needs a layer with the
// shell's program.
inline job::Job ShellJob(const tree::LayerRef& layer, const std::string& script) {
  const std::string mark(1, kRootMark);
  job::Job job;
  job.parent = {trace::NewTraceId(), trace::NewSpanId()};
  job.view.layers = {layer};
  job.program = CanonicalPath("/bin/sh");
  job.argv = {"sh", "-c", script};
  job.env = {
      "LD_LIBRARY_PATH=" + mark + "/lib/x86_64-linux-gnu:" + mark + "/usr/lib/x86_64-linux-gnu",
      "PATH=" + mark + "/usr/bin"};
  job.cwd = "/job";
  job.output_dirs = {"/job"};
  return job;
}

}  // namespace llama::worker
