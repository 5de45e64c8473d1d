// FolderWatch: what the kernel tells of changes in folders, by inotify. An event is queued before
// the call that makes the change returns, so that whoever drains the queue after a process has said
// that it is done sees all that it did.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace llama::files {

enum class ChangeKind : unsigned char {
  kNames,     // `name` came to the folder or went from it
  kContent,   // `name` was written to, or its attributes changed
  kClosed,    // `name` was open for writing and is closed
  kFolder,    // the watched folder itself was moved, removed or unmounted
  kRights,    // its attributes changed: who may look into it, perhaps
  kOverflow,  // there were more events than the kernel keeps: anything may have changed
};

struct Change {
  ChangeKind kind = ChangeKind::kNames;
  int watch = -1;
  std::string_view name;  // until the call returns
};

class FolderWatch {
 public:
  // Null where there is no inotify, or no instance of it left.
  static std::unique_ptr<FolderWatch> Open();

  // A number for the folder, distinct for each. kUnavailable: no more watches; kInvalid: the same
  // folder is watched already (by another of its paths); kNotFound.
  Result<int> Add(const std::string& folder);
  void Remove(int watch);
  // Gives what has happened since the last call, in order. The mounts' change counts as kOverflow.
  void Drain(const std::function<void(const Change&)>& take);

 private:
  FolderWatch(Fd inotify, Fd mounts) : inotify_(std::move(inotify)), mounts_(std::move(mounts)) {}
  bool MountsChanged() const;

  Fd inotify_;
  Fd mounts_;
};

}  // namespace llama::files
