// For tests of closures.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "files/digest_cache.h"
#include "files/live_tree.h"
#include "scan/closure.h"

namespace llama::scan {

using Names = std::vector<std::string>;

// A project in a folder, and closures of its src/main.c; names are from that folder on.
class ClosureProject {
 public:
  explicit ClosureProject(bool use_inotify = true)
      : tree_(*digests_, SystemClock(), {use_inotify}) {}

  std::string Path(const std::string& name) const { return root_ + "/" + name; }
  // '@' stands for the root.
  void Write(const std::string& name, std::string text) {
    for (size_t at; (at = text.find('@')) != text.npos;) text.replace(at, 1, root_);
    ASSERT_TRUE(MakeDirs(std::string(DirName(Path(name)))));
    ASSERT_TRUE(WriteFileAtomic(Path(name), text, 0644));
  }
  void Link(const std::string& name, const std::string& target) {
    ASSERT_TRUE(MakeDirs(std::string(DirName(Path(name)))));
    unlink(Path(name).c_str());
    ASSERT_EQ(symlink(target.c_str(), Path(name).c_str()), 0);
  }

  // The search path, from the root on.
  void Search(const Names& quote, const Names& angle) {
    auto path = std::make_shared<SearchPath>();
    path->id = ++paths_;
    for (const std::string& folder : quote) path->quote.push_back(Path(folder));
    for (const std::string& folder : angle) path->angle.push_back(Path(folder));
    request.preprocessing.path = std::move(path);
  }
  Result<std::shared_ptr<const Closure>> Find() {
    request.source = Path("src/main.c");
    request.cwd = root_;
    return closures_.Find(request);
  }
  void Unlearn() { closures_.Unlearn(request); }
  std::string FirstChange(const std::shared_ptr<const Closure>& closure) {
    const std::string change = closures_.FirstChange(request, *closure);
    return change.starts_with(root_ + "/") ? change.substr(root_.size() + 1) : change;
  }
  // What is in the closure below the root, in the order of names: "a.h", "link>target", "folder/".
  Names Entries() {
    const auto closure = Find();
    if (!closure) return {closure.error().message};
    Names out;
    for (const auto& [path, entry] : (*closure)->manifest) {
      if (!path.starts_with(root_ + "/")) continue;
      std::string name = path.substr(root_.size() + 1);
      if (entry.type == tree::EntryType::kSymlink) name += ">" + entry.target;
      if (entry.type == tree::EntryType::kDir) name += "/";
      out.push_back(std::move(name));
    }
    return out;
  }
  // The headers alone.
  Names Files() {
    Names out = Entries();
    std::erase_if(out, [](const std::string& name) {
      return name.find('>') != name.npos || name.ends_with('/') || name == "src/main.c";
    });
    return out;
  }

  ClosureRequest request;

 private:
  TempDir dir_ = TempDir::Create("closure").value();
  std::string root_ = *RealPath(dir_.path());
  std::unique_ptr<files::DigestCache> digests_ =
      files::DigestCache::Open("", SystemClock()).value();
  files::LiveTree tree_;
  Closures closures_{tree_};
  uint64_t paths_ = 0;
};

}  // namespace llama::scan
