// Texts: what the files of a live tree say, each read once for a content: together with its digest
// where that is not known, and not at all where a cache knows it from an earlier daemon
// (docs/inputs.md, "Directives").
//
// Not thread-safe: its users share the tree's mutex.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "files/live_tree.h"
#include "scan/directives_cache.h"
#include "scan/text/directives.h"
#include "store/digest.h"

namespace llama::scan {

class Texts {
 public:
  // No cache: read anew in each process. It must outlive this.
  explicit Texts(DirectivesCache* cache) : cache_(cache) {}

  // Of a file as it is now: another pointer whenever the directives are others. All take the same
  // tree. kNotFound, kUnavailable: as LiveTree::ContentOf; kUnavailable also if it changes
  // meanwhile.
  Result<std::shared_ptr<const Directives>> Read(files::LiveTree& tree, files::EntryId entry)
      REQUIRES(tree.mutex());
  // As they were last read; null: never. Valid until the next Read.
  const Directives* LastRead(files::EntryId entry) const;
  // Every definition of a name in a file that was read. Valid until the next Read.
  Result<std::span<const Definition>> DefinitionsOf(files::LiveTree& tree, files::EntryId entry,
                                                    std::string_view name) REQUIRES(tree.mutex());

 private:
  struct Text {
    uint32_t version = 0;  // of the content
    std::shared_ptr<const Directives> directives;
    // By name; read when one is first asked for.
    std::optional<std::vector<Definition>> definitions;
  };

  Result<Directives> DirectivesOf(const std::string& path, const store::Digest& digest,
                                  const std::optional<std::string>& text);

  DirectivesCache* const cache_;
  std::unordered_map<files::EntryId, Text> read_;
};

}  // namespace llama::scan
