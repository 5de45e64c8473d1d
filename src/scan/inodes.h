// What a compiler may look at of its files besides their contents, gathered while a closure is made
// (docs/decisions/remote_identity.md, "Times and identities").
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "base/file_identity.h"
#include "store/digest.h"
#include "tree/inode.h"

namespace llama::scan {

struct Seen {
  bool times = false;  // of any file: __TIMESTAMP__, #pragma GCC dependency
  bool once = false;   // whether a file is another one's copy: #pragma once, #import
  bool operator==(const Seen&) const = default;
};

class Inodes {
 public:
  void Add(std::string path, const store::Digest& digest, const FileIdentity& identity);
  // The files of which a mirror would say something else: all of them if times are seen; else those
  // that have the content of another one, which compilers tell apart by identity (clang) or by time
  // (gcc, if they are to be read once). Sets seen.once if the text of such files asks for it.
  tree::Inodes Take(Seen& seen) const;

 private:
  struct File {
    std::string path;
    store::Digest digest;
    FileIdentity identity;
  };
  std::vector<File> files_;
  std::unordered_map<store::Digest, size_t, store::DigestHash> counts_;
  bool has_twins_ = false;
};

}  // namespace llama::scan
