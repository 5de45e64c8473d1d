// ProgramTrees: what each program that is run as any command needs in the tree: its closure, and
// what its jobs were found to look up besides, so that this is learned once. The manifest of what
// comes from the system is kept for a moment, since a thousand jobs a second ask for it.
//
// Nothing else is known of a program before it has run: an interpreter finds its modules at run
// time. So the first job of a program runs again until nothing is missing; jobs that come
// meanwhile wait a while for what it learns.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "daemon/jobs/program_closure.h"
#include "daemon/jobs/shipping_rules.h"
#include "files/digest_cache.h"
#include "tree/layer.h"

namespace llama::daemon {

struct ProgramQuery {
  std::string program;           // absolute
  std::vector<std::string> env;  // PATH, HOME, LD_LIBRARY_PATH
};

struct ProgramTree {
  std::string program;                    // canonical path of what is executed
  std::vector<std::string> interpreter;   // of a script: the words before its path
  std::vector<std::string> library_dirs;  // of everything in it
  // Of what is below system folders.
  std::shared_ptr<const tree::Manifest> system = std::make_shared<const tree::Manifest>();
  std::vector<std::string> others;  // what is not: to be walked for each job
  // Files that only stand in a folder that was asked about: what they need comes when they are
  // looked up themselves.
  std::set<std::string> bare;
  uint64_t generation = 0;  // of what was learned
};

class ProgramTrees {
 public:
  ProgramTrees(files::DigestCache& digests, const Clock& clock)
      : digests_(digests), clock_(clock) {}

  // Thread-safe, as all below.
  Result<std::shared_ptr<const ProgramTree>> Get(const ProgramQuery& query);

  // What a job with `tree` looked up and did not find (`absent`), what it found, and directories
  // whose names it asked for (`listed`). True: something of it is here and was not in its tree, so
  // the job must run again. `refused` gets what is here and is not sent.
  struct Lookups {
    std::vector<std::string> absent;
    const std::vector<std::string>* found = nullptr;
    const std::vector<std::string>* listed = nullptr;
  };
  bool Learn(const ProgramQuery& query, const ProgramTree& tree, const Lookups& lookups,
             std::vector<std::string>& refused);

  // Holds back jobs of a program while the first of them learns; not for long.
  class FirstRun {
   public:
    FirstRun(ProgramTrees& trees, const ProgramQuery& query,
             const std::function<bool()>& cancelled);
    ~FirstRun();
    FirstRun(const FirstRun&) = delete;
    FirstRun& operator=(const FirstRun&) = delete;
    // The view was found whole.
    void Proven() const;

   private:
    ProgramTrees& trees_;
    const std::string key_;
    bool held_ = false;
  };

 private:
  struct Known {
    std::unique_ptr<ShippingRules> rules;
    std::vector<std::string> learned;
    std::set<std::string> bare;             // as ProgramTree has it
    std::set<std::string> seen;             // learned
    std::map<std::string, size_t> folders;  // learned whole, if they hold no more than so many
    std::shared_ptr<const ProgramTree> tree;
    int64_t walked_ns = 0;
    uint64_t generation = 0;
    bool proven = false;
    bool learning = false;
  };
  Known& Find(const ProgramQuery& query) REQUIRES(mutex_);
  Result<std::shared_ptr<const ProgramTree>> Walk(const ProgramQuery& query, const Known& known)
      REQUIRES(mutex_);
  bool LearnOne(Known& known, const std::string& path, bool bare) REQUIRES(mutex_);
  bool NeedsMore(const std::string& path, const ProgramQuery& query) REQUIRES(mutex_);
  struct FolderBounds {
    size_t files;
    uint64_t bytes;
  };
  bool LearnFolder(Known& known, const std::string& dir, const FolderBounds& bounds)
      REQUIRES(mutex_);

  files::DigestCache& digests_;
  const Clock& clock_;
  Mutex mutex_;
  CondVar learned_;
  ProgramClosures closures_ GUARDED_BY(mutex_);
  std::map<std::string, Known> known_ GUARDED_BY(mutex_);
};

}  // namespace llama::daemon
