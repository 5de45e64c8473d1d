// Interpreters: how programs under a mirror's root find the ELF interpreter of the view instead of
// the machine's.
//
// The name in a program ("/lib64/ld-linux-x86-64.so.2") is overwritten by one that is no longer:
// that of a link which we make in ld/ if it is short enough, otherwise /proc/self/fd/<number> of a
// descriptor that every compiler inherits. A replacement never changes once it is chosen, so
// patched programs stay valid while views come and go. Not thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "tree/layer.h"

namespace llama::mirror {

// What the view has at a path, or null.
using ViewLookup = std::function<const tree::Entry*(const std::string& path)>;

// Follows symlinks of the view, as the kernel would. The canonical path of the file that it leads
// to; empty if there is none.
std::string ResolveInView(const std::string& path, const ViewLookup& lookup);

class Interpreters {
 public:
  // `link_dir` must exist; `root` is where the view will be.
  Interpreters(std::string link_dir, std::string root)
      : link_dir_(std::move(link_dir)), root_(std::move(root)) {}

  // Looks for the interpreters that are known so far in a new view. True: one of them came or went,
  // so that programs must be placed anew.
  bool Follow(const ViewLookup& lookup);
  // What to write into programs that ask for `interp`; empty: they stay as they are, since the view
  // has no such file or no replacement is short enough.
  const std::string& ReplacementOf(const std::string& interp, const ViewLookup& lookup);
  // Makes links and descriptors lead to the files under root/, which must be in place.
  Result<void> Settle();

  // A command may have replaced the links: those that are not what they were are made anew at the
  // next Settle.
  void Check();

  std::vector<std::pair<int, int>> keep_fds() const;

 private:
  struct Interp {
    size_t number = 0;
    std::string canonical;    // in the view; empty: not there
    std::string replacement;  // empty: none is short enough
    bool is_link = false;
    std::string linked;  // where the link leads now
    Fd fd;
  };

  std::string LinkOf(const Interp& interp) const;
  Interp& Learn(const std::string& path);

  const std::string link_dir_;
  const std::string root_;
  std::map<std::string, Interp> known_;
};

}  // namespace llama::mirror
