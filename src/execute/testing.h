// For tests of the way from an action to its outputs: files, caches, and a function that answers as
// it is told.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/file_system_testing.h"
#include "execute/action.h"
#include "execute/functions.h"
#include "files/digest_cache.h"
#include "job/function_client.h"
#include "job/job.h"
#include "store/object_store.h"
#include "tree/layer_index.h"

namespace llama::execute {

// A folder with files, and what it takes to make a closure of them.
class FileWorld {
 public:
  FileWorld() : root_(*RealPath(dir_.path())) {}

  std::string Path(const std::string& name) const { return JoinPath(root_, name); }
  void Write(const std::string& name, const std::string& bytes) {
    ASSERT_TRUE(MakeDirs(std::string(DirName(Path(name)))));
    ASSERT_TRUE(WriteFileAtomic(Path(name), bytes, 0644));
  }
  // An action whose closure holds these files as they are now, and whose object is `out.o`.
  Action ActionOver(const std::vector<std::string>& names, files::PathWalker& walker) const {
    auto closure = std::make_shared<Closure>();
    closure->looked_ns = SystemClock().NowNs();
    for (const std::string& name : names) EXPECT_TRUE(walker.Add(Path(name)));
    closure->own = walker.manifest();
    closure->stamps = walker.stamps();
    Action action;
    action.closure = std::move(closure);
    action.outputs.object = Path("out.o");
    action.outputs.announced = {{Path("out.o"), Path("out.o"), false}};
    action.outputs.dirs = {root_};
    action.outputs.stems = {"out"};
    action.outputs.suffixes = {".dwo"};
    return action;
  }
  const std::string& root() const { return root_; }
  files::DigestCache& digests() { return *digests_; }
  ChangingFileSystem& file_system() { return file_system_; }

 private:
  TempDir dir_ = TempDir::Create("execute-test").value();
  std::string root_;
  ChangingFileSystem file_system_;
  std::unique_ptr<files::DigestCache> digests_ =
      files::DigestCache::Open("", SystemClock()).value();
};

// A function that gives each job to the test.
class FakeFunction final : public job::FunctionClient {
 public:
  using Run = std::function<Result<job::Answer>(const job::Job&, const job::InvokeOptions&)>;
  explicit FakeFunction(Run run) : run_(std::move(run)) {}

  Result<job::Invocation> Invoke(std::string_view payload,
                                 const job::InvokeOptions& options) override {
    ASSIGN_OR_RETURN(const job::Job job, job::DecodeJob(payload));
    ++invocations;
    ASSIGN_OR_RETURN(const job::Answer answer, run_(job, options));
    job::Invocation invocation;
    invocation.payload = job::EncodeAnswer(answer);
    return invocation;
  }
  uint64_t max_payload_bytes() const override { return 6 << 20; }
  std::string name() const override { return "fake"; }

  int invocations = 0;

 private:
  const Run run_;
};

class FakeCloud final : public Cloud {
 public:
  explicit FakeCloud(job::FunctionClient& function) : function_(function) {}
  Result<job::FunctionClient*> Function(const std::string& name) override {
    if (!name.empty()) return Error{Code::kInvalid, name + ": no such function"};
    return &function_;
  }
  std::string Outage() override { return outage; }

  std::string outage;

 private:
  job::FunctionClient& function_;
};

}  // namespace llama::execute
