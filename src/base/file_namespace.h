// Which files a process's absolute names mean: its mount namespace and its root folder. Two
// processes that differ in it may mean different files by one name.
#pragma once

#include <sys/stat.h>

#include <cstdint>

#include "base/file_identity.h"

namespace llama {

struct FileNamespace {
  uint64_t mounts = 0;  // the namespace's number; 0: there is no /proc
  FileId root;
  bool operator==(const FileNamespace&) const = default;
};

inline FileNamespace OwnFileNamespace() {
  struct stat st {};
  FileNamespace own;
  if (stat("/proc/self/ns/mnt", &st) == 0) own.mounts = st.st_ino;
  if (stat("/", &st) == 0) own.root = IdOf(st);
  return own;
}

}  // namespace llama
